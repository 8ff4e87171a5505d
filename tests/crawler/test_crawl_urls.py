"""Addresses: which may be fetched, which are the same, which belong together; and names."""

from __future__ import annotations

import ipaddress
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.discover import Link, names, read, score, score_link, words_of, words_of_url
from crawler.guard import Guard, is_public
from crawler.search import Search
from crawler.sitemap import read_sitemap
from crawler.urls import canonical, join, site_of
from crawler.values import Limits

NAMES = [(name, example) for name in names() for example in name.yes]
NOT_NAMES = [(name, example) for name in names() for example in name.no]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://10.1.2.3/", "http://172.16.0.1/", "http://192.168.1.1/",
        "http://169.254.169.254/", "http://100.64.0.1/", "http://0.0.0.0/", "http://224.0.0.1/",
        "http://255.255.255.255/", "http://[::1]/", "http://[fe80::1]/", "http://[fc00::1]/",
        "http://[fec0::1]/", "http://[ff02::1]/", "http://[::]/", "http://[::ffff:8.8.8.8]/",
        "http://[64:ff9b::7f00:1]/", "http://[2002:7f00:1::]/", "http://[2001:db8::1]/",
        "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
        "http://0x7f.0.0.1/", "http://127.0.0.1./", "http://user@larkspur.example/",
        "http://:pw@larkspur.example/", "https:///visas", "file:///etc/hostname",
        "//larkspur.example/", "gopher://larkspur.example/", "http://larkspur.example:99999/", "HTTP://127.0.0.1/",
    ],
)  # fmt: skip
def test_refused(url: str) -> None:
    assert Guard().refusal(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://larkspur.example/", "https://gme.larkspur.example:8443/a?b=c", "http://8.8.8.8/",
        "https://[2606:4700::1111]/", "http://1800doctors.example/", "http://larkspur.example./",
    ],
)  # fmt: skip
def test_allowed(url: str) -> None:
    assert Guard().refusal(url) is None


def test_only_the_hosts_that_were_named_are_exempt() -> None:
    guard = Guard(["127.0.0.1:8000", "localhost", "[::1]:8000"])
    assert guard.refusal("http://127.0.0.1:8000/") is None
    assert guard.refusal("http://localhost:1/") is None
    assert guard.refusal("http://[::1]:8000/") is None
    assert guard.refusal("http://127.0.0.1:8001/")
    assert guard.refusal("http://127.0.0.2:8000/")
    assert guard.refusal("ftp://localhost/")
    assert guard.allows_answer("localhost", 80, "127.0.0.1")
    assert not guard.allows_answer("intranet.example", 8000, "127.0.0.1")
    assert not guard.allows_answer("intranet.example", 80, "fe80::1%eth0")
    assert guard.allows_answer("larkspur.example", 80, "8.8.8.8")


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=6, network="fc00::/7"))
def test_private_addresses_are_not_public(address: ipaddress.IPv4Address) -> None:
    assert not is_public(address)


@given(st.text(max_size=60))
def test_no_address_makes_the_guard_raise(text: str) -> None:
    Guard().refusal(text)
    Guard().refusal(f"http://{text}/")
    canonical(text)
    join("http://larkspur.example/", text)


@pytest.mark.parametrize(
    ("url", "form"),
    [
        ("http://Larkspur.example:80/A?x=1#top", "http://larkspur.example/A?x=1"),
        ("https://larkspur.example", "https://larkspur.example/"),
        ("https://larkspur.example/a?utm_medium=x&gclid=1", "https://larkspur.example/a"),
        ("https://larkspur.example/a?PHPSESSID=12&id=3", "https://larkspur.example/a?id=3"),
        ("https://larkspur.example/a;jsessionid=1F?b=%20c", "https://larkspur.example/a?b=%20c"),
        ("http://larkspur.example:8080/a", "http://larkspur.example:8080/a"),
    ],
)
def test_canonical(url: str, form: str) -> None:
    assert canonical(url) == form
    assert canonical(form) == form


def test_sites() -> None:
    assert site_of("https://gme.larkspur.edu/a") == site_of("https://www.larkspur.edu/b")
    assert site_of("https://a.nhs.uk/") != site_of("https://b.nhs.uk/")
    assert site_of("http://127.0.0.1:1/") != site_of("http://127.0.0.1:2/")


@pytest.mark.parametrize(("name", "example"), NAMES, ids=lambda value: getattr(value, "id", None))
def test_names_match_their_examples(name, example: str) -> None:
    assert name.match.search(words_of_url(example) if "/" in example else words_of(example))


@pytest.mark.parametrize(
    ("name", "example"), NOT_NAMES, ids=lambda value: getattr(value, "id", None)
)
def test_names_leave_their_counterexamples(name, example: str) -> None:
    assert not name.match.search(words_of_url(example) if "/" in example else words_of(example))


def test_the_names_of_eligibility_pages_score_higher_than_others() -> None:
    wanted = [
        "Eligibility and Requirements", "International Medical Graduates", "How to Apply", "FAQ",
        "Residents and Fellows", "Visa policy", "Visa sponsorship", "Application requirements",
        "Prospective residents", "GME", "Graduate Medical Education", "Frequently Asked Questions",
    ]  # fmt: skip
    unwanted = [
        "News", "Events", "Giving", "Patients & Visitors", "Careers", "Find a Doctor", "MyChart",
        "Pay my bill", "Privacy policy", "Volunteer", "Nursing", "Locations", "Patient stories",
        "International Patients", "Employee application", "Log in",
    ]  # fmt: skip
    assert min(score(words_of(text)) for text in wanted) > 0
    losers = [text for text in unwanted if score(words_of(text)) > 0]
    assert losers == ["Employee application"]
    assert score(words_of("Visa policy")) > score(words_of("FAQ"))


def test_links_are_read_as_a_browser_reads_them() -> None:
    page = b"""<base href="/gme/"><title> Graduate
        Medical Education </title><h2>Apply</h2>
        <a href="apply">How <b>to</b> apply</a> <a href="apply#more">x</a>
        <a href=" /visas?utm_source=a ">Visas</a> <a href="javascript:go()">Visas</a>
        <a href="a.docx">Form</a> <a href="policy.PDF">Policy</a> <a href="http://[x/">Bad</a>"""
    reading = read(page, "https://larkspur.example/index.html")
    assert reading.title == "Graduate Medical Education"
    assert reading.headings == ("Apply",)
    assert reading.links == (
        Link("https://larkspur.example/gme/apply", "How to apply"),
        Link("https://larkspur.example/visas", "Visas"),
        Link("https://larkspur.example/gme/policy.PDF", "Policy"),
    )


@pytest.mark.parametrize(
    "piece", ["<div>", "<a href=x>", "<", "&amp;", "<a href='/a'>b</a>", "<h1>"]
)
def test_hostile_pages_take_no_longer_than_others(piece: str) -> None:
    body = (piece * (1_000_000 // len(piece))).encode()
    start = time.process_time()
    read(body, "https://larkspur.example/")
    read_sitemap(body.replace(b"a", b"<loc>"), "https://larkspur.example/sitemap.xml", 10**7)
    assert time.process_time() - start < 6  # seconds of a core, on a busy machine


@given(st.binary(max_size=300))
def test_no_bytes_make_reading_raise(body: bytes) -> None:
    read(b"<" + body, "https://larkspur.example/")
    read_sitemap(body, "https://larkspur.example/sitemap.xml", 1_000)


def test_the_best_named_link_comes_first() -> None:
    search = Search(["medicine"], ["https://larkspur.example/"], Limits(page_budget=4))
    start = search.next_page()
    assert start is not None
    links = [
        Link("https://larkspur.example/program", "Our program"),
        Link("https://gme.larkspur.example/visas", "Visa sponsorship"),
        Link("https://other.example/visas", "Visa sponsorship"),
        Link("https://larkspur.example/news", "News"),
        Link("https://larkspur.example/apply", "How to apply"),
    ]
    search.learn(links, 0)
    order = []
    while (candidate := search.next_page()) is not None:
        order.append(candidate.url)
    assert order == [links[1].url, links[4].url, links[0].url]
    assert score_link(links[1]) > score_link(links[4]) > score_link(links[0]) > 0
