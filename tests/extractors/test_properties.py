"""What holds for every page, however made."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extractors import Policy, classify, page_text
from extractors.blocks import html_blocks
from extractors.rulebook import rulebook
from extractors.sieve import may_speak_of_visas
from extractors.statements import statements
from extractors.values import Category

PIECES = st.sampled_from(
    [
        *(Path(__file__).parent / "pieces.txt").read_text("utf-8").splitlines(),
        *(" ", "\r", "\x00", "\ud7ff", "case\u00adby-case\u00a0basis"),
    ]
)
# What case folding takes for k, s, i and I, or not.
ODD_CASES = st.sampled_from([*"\u212a\u017f\u0130\u0131KkSs", "vi\u017fa", "\u212aeep"])
PAGES = st.lists(PIECES, max_size=30).map("".join)
CHARSETS = st.sampled_from(["", "; charset=utf-16", "; charset=zip", "; charset=windows-1252"])
TYPES = st.builds(
    "".join, st.tuples(st.sampled_from(["text/html", "text/plain", "application/pdf"]), CHARSETS)
)


def assert_quotes_are_spans(body: bytes, content_type: str) -> None:
    text = page_text(body, content_type)
    for evidence in classify(body, content_type).evidence:
        assert evidence.quote
        assert evidence.quote == text[evidence.start : evidence.end]


@given(st.binary(max_size=400), TYPES)
def test_no_bytes_make_it_raise(body: bytes, content_type: str) -> None:
    assert_quotes_are_spans(body, content_type)


@settings(max_examples=300, deadline=None)
@given(PAGES, TYPES, st.sampled_from(["utf-8", "utf-16", "utf-16-le", "cp1252"]))
def test_a_quote_is_a_span_of_the_page(page: str, content_type: str, encoding: str) -> None:
    assert_quotes_are_spans(page.encode(encoding, "replace"), content_type)


@settings(max_examples=100, deadline=None)
@given(PAGES)
def test_a_policy_survives_json(page: str) -> None:
    policy = classify(page.encode("utf-8", "replace"))
    assert Policy.from_json(policy.to_json()) == policy


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(PIECES, st.text(max_size=3), ODD_CASES), max_size=20).map("".join))
def test_rules_asked_together_match_where_each_does_alone(text: str) -> None:
    book = rulebook()
    for matcher in (book.spellings, book.phrases, book.empty, book.scopes):
        alone = [
            (rule.id, match.span(1 if pattern.groups and match.group(1) else 0))
            for rule, pattern in matcher._rules
            for match in pattern.finditer(text)
        ]
        found = [(hit.rule.id, (hit.start, hit.end)) for hit in matcher.hits(text)]
        assert found == [(name, span) for name, span in alone if span[0] < span[1]]


@settings(max_examples=300, deadline=None)
@given(PAGES)
def test_the_sieve_holds_back_no_statement(page: str) -> None:
    page = page.encode("utf-8", "replace").decode()
    if statements(html_blocks(page)):
        assert may_speak_of_visas(page)


MILLION = 1_000_000
HOSTILE = {
    "deep blocks": b"<div>" * 100_000 + b"J-1 visas only" + b"</div>" * 100_000,
    "deep inline": b"<b><i>" * 100_000 + b"J-1 visas only",
    "deep lists": b"<ul><li>" * 50_000 + b"J-1 visas only",
    "deep tables": b"<table><tr><td>" * 30_000 + b"J-1 visas only",
    "many attributes": b"<p " + b"".join(b"a%d=1 " % n for n in range(100_000)) + b">J-1 visa</p>",
    "many bare attributes": b"<p visa " + b"".join(b"a%d " % n for n in range(100_000)) + b">",
    "attributes in attributes": b'<p x="<' + b"a=1 " * 100_000 + b'">visa</p>',
    "huge attribute": b'<p title="' + b"visa " * MILLION + b'">J-1 visa</p>',
    "no end of tag": b"<a visa " * 500_000,
    "open brackets": b"<" * 2 * MILLION + b"visa",
    "open comments": b"<!-- visa " * 500_000,
    "open scripts": b"<script>visa " * 300_000,
    "one long word": b"visa" * MILLION,
    "one long sentence": b"<p>" + b"we do not sponsor J-1 visas and " * 60_000,
    "many sentences": b"<p>" + b"We sponsor J-1 visas. " * 100_000,
    "many paragraphs": b"<p>We sponsor J-1 visas." * 60_000,
    "many questions": b"<p>Do you sponsor J-1 visas?" * 60_000,
    "entities": b"&#118;&#105;&#115;&#97; " * 100_000,
    "wide table": b"<table><tr>" + b"<td>J-1 visa" * 60_000 + b"</table>",
    "spans": b"<table>" + b"<tr><td colspan=99999>J-1 visa<td>no" * 5_000 + b"</table>",
    "nested navigation": b"<nav>" * 2_000 + b"<p>J-1 visas only" * 50_000,
    "nested asides": b"<aside>" * 2_000 + b"<p>J-1 visas only" * 50_000,
    "a million divs": b"<div>" * MILLION + b"<p>J-1 visas only</p>",
    "a million paragraphs": b"<p>" * MILLION + b"<p>J-1 visas only</p>",
    "zero bytes": b"\0" * 5 * MILLION,
    "ten megabytes": b"<p>Our residents enjoy the city.</p>" * 280_000 + b"<p>J-1 visas only</p>",
}

DEEP = [
    "<div>",
    "<b>",
    "<div><b>",
    "<div class='a'><section>",
    "<font size=2>",
    "<ul><li>",
    "<table><tr><td>",
    "<blockquote>",
    "<h3>",
]


@pytest.mark.parametrize("times", [1_000, 20_000])
@pytest.mark.parametrize("tags", DEEP)
def test_what_is_nested_without_end_is_read(tags: str, times: int) -> None:
    """libxml2 stops at 2,048 levels: silence would be told of a page that speaks."""
    said = "<h2>Visas</h2><p>We sponsor only J-1 visas.</p><table><tr><td>PGY-1<td>12</table>"
    page = f"<html><body>{tags * times}<p>Deep down.</p>{said}</body></html>".encode()
    assert classify(page).category is Category.J1_ONLY
    assert page_text(page).startswith("Deep down.\nVisas\nWe sponsor only J-1 visas.\n")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_is_bounded(name: str) -> None:
    start = time.process_time()
    classify(HOSTILE[name])
    # Seconds of a core, and a slow and busy one needs half of them for the worst of these; with a
    # cost that grows with the square of its size it would be minutes.
    assert time.process_time() - start < 30
