"""The rules of health.toml by their examples, and what needs no connection to be judged."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import Health
from crawler.health import Answer, HealthRule, judge, rules, sniff
from crawler.markup import Markup, ends_early, meta_refresh

EXAMPLES = [(rule, example) for rule in rules() for example in rule.yes]
COUNTEREXAMPLES = [(rule, example) for rule in rules() for example in rule.no]
POLICY = "<h1>Visa policy</h1><p>Our program sponsors J-1 visas through ECFMG.</p>"


def answer(rule: HealthRule, example: str) -> Answer:
    """Return the page that an example stands for: a page, a redirect's end, or a header."""
    url = "https://gme.larkspur.example/visas"
    if rule.where == ("url",):
        return Answer(200, POLICY.encode(), url, example)
    if rule.where == ("header",):
        name, _, value = example.partition(": ")
        return Answer(200, POLICY.encode(), url, url, lambda asked: value if asked == name else "")
    return Answer(200, example.encode(), url, url)


@pytest.mark.parametrize(
    ("rule", "example"), EXAMPLES, ids=lambda value: getattr(value, "id", None)
)
def test_rules_take_their_examples(rule: HealthRule, example: str) -> None:
    verdict = judge(answer(rule, example))
    assert verdict.health is rule.health
    assert rule.id in verdict.detail


@pytest.mark.parametrize(
    ("rule", "example"), COUNTEREXAMPLES, ids=lambda value: getattr(value, "id", None)
)
def test_rules_leave_their_counterexamples(rule: HealthRule, example: str) -> None:
    assert judge(answer(rule, example)).health is Health.OK


def of(body: str | bytes, status: int = 200, content_type: str = "text/html") -> Health:
    content = body.encode() if isinstance(body, str) else body
    url = "https://gme.larkspur.example/visas"
    headers = {"content-type": content_type}
    return judge(Answer(status, content, url, url, lambda name: headers.get(name, ""))).health


@pytest.mark.parametrize(
    "body",
    [
        POLICY,
        f"<nav><a href='/login'>Log in</a></nav>{POLICY}",
        f"<form action='/search'><input name=q><button>Search</button></form>{POLICY}",
        f"<script>const text = 'Page not found'; showLogin('password')</script>{POLICY}",
        f"{POLICY}<noscript>Please enable JavaScript to see our map.</noscript>"
        + "<p>We welcome every applicant who has passed both steps and holds a certificate. "
        + "Applications are accepted through ERAS only.</p>",
        f"<!-- <h1>404 Not Found</h1> -->{POLICY}",
        f"<title>Suite 410, GME office</title>{POLICY}",
        f"{POLICY}<p>If you see 'page not found' in ERAS, write to us.</p>" + "<p>word </p>" * 60,
        "<p>We sponsor J-1 visas only.",
        "a < b and nothing else in this plain text about visas",
        f"<svg viewBox='0 0 1 1'/><nav><a href=/>Home</a>{POLICY}",
        f"<select><option>Choose{POLICY}",
        f"<svg><title>404</title></svg>{POLICY}",
        f"<html><body>{POLICY}<p>",
        f"<html><body>{POLICY}</body></html><div id=late>",
        "\ufeff" + POLICY,
        POLICY.encode("utf-16"),
    ],
)
def test_genuine_pages_stay_so(body: str | bytes) -> None:
    assert of(body) is Health.OK


@pytest.mark.parametrize(
    ("body", "health"),
    [
        ("<html><body>\n&nbsp; </body></html>", Health.EMPTY),
        ("<html><script>boot()</script><body></body></html>", Health.NEEDS_JAVASCRIPT),
        ("   \n", Health.EMPTY),
        (f"{POLICY}<p>and <a href=", Health.TRUNCATED),
        (f"{POLICY}</p", Health.TRUNCATED),
        ("<html><body><nav>Apply</nav>\n<h1>", Health.TRUNCATED),
        ("<table><tr><td><a href='/'>Home</a><td class=text>\n", Health.TRUNCATED),
        ("<title>404</title><h1>404</h1><p>Sorry.</p>", Health.SOFT_404),
        ("<!-- never closed <p>We sponsor visas</p>", Health.EMPTY),
    ],
)
def test_pages_that_are_none(body: str, health: Health) -> None:
    assert of(body) is health


@pytest.mark.parametrize(
    ("head", "content_type", "kind"),
    [
        (b"%PDF-1.4\n", "text/html", "pdf"),
        (b"\n\n%PDF-1.4\n", "application/octet-stream", "pdf"),
        (b"<p>Hello", "application/octet-stream", "html"),
        (b"Hello, applicants", "text/html", "html"),
        (b"Hello, applicants", "", "text"),
        (b"We write 5 < 6", "text/plain", "text"),
        (b"\x00\x01\x02\x03", "text/html", "a binary file"),
        (b"<?xml version='1.0'?><rss><title>News</title>", "text/html", "an XML file"),
        (b"<?xml version='1.0'?><!DOCTYPE html><html>", "text/html", "html"),
        (b"<p>One stray \x00 in a page of a careless author, of which there are many", "", "html"),
        (b"body { color: red }", "text/css", "data (text/css)"),
    ],
)
def test_bytes_decide_what_a_page_is(head: bytes, content_type: str, kind: str) -> None:
    assert sniff(head, content_type) == kind


@pytest.mark.parametrize(
    ("page", "target"),
    [
        ('<meta http-equiv="Refresh" content="0;URL=/new">', "/new"),
        ("<META content='0' HTTP-EQUIV=refresh>", ""),
        ("<meta http-equiv=refresh content='2; url=https://a.example/b?c=1&amp;d=2'>", "https://a.example/b?c=1&d=2"),
        ('<meta http-equiv="refresh" content="600;url=/again">', ""),
        ('<noscript><meta http-equiv="refresh" content="0;url=/no-js"></noscript>', ""),
        ("<p>refresh</p>", ""),
    ],
)  # fmt: skip
def test_meta_refresh(page: str, target: str) -> None:
    assert meta_refresh(page.encode()) == target


@given(st.binary(max_size=400))
def test_no_bytes_make_it_raise(body: bytes) -> None:
    url = "https://gme.larkspur.example/visas"
    for status in (200, 403):
        assert judge(Answer(status, body, url, url)).health in Health


@given(st.text(alphabet="<>/!-abhtiles='\" \n&;", max_size=300))
def test_no_markup_makes_it_raise(body: str) -> None:
    page = Markup(body.encode())
    assert isinstance(page.title + page.heading + page.text(50)[0], str)
    assert ends_early(body.encode()) in (True, False)
    assert isinstance(meta_refresh(body.encode()), str)


@pytest.mark.parametrize(
    "piece",
    ["<", "<script>", "<!--", "<p ", "<input type=", "<noscript>", "<title>", "&", "<h1>", "<svg ",
     "<!--<h1>", "<nav>", "<header/>", "<meta http-equiv ", "<script></script>", "word "],
)  # fmt: skip
def test_hostile_markup_takes_no_longer_than_other(piece: str) -> None:
    body = piece * (1_500_000 // len(piece))
    start = time.process_time()
    of(body)
    assert time.process_time() - start < 3  # seconds of a core, on a busy machine


def test_examples_of_rules_are_distinct() -> None:
    assert len({example for _, example in EXAMPLES}) == len(EXAMPLES)
    assert {rule.health for rule in rules()} == {
        Health.BOT_CHALLENGE,
        Health.FORBIDDEN,
        Health.LOGIN_WALL,
        Health.SOFT_404,
        Health.NEEDS_JAVASCRIPT,
    }
