"""What a hostile site tries, over real connections: where it points, what it sends, how much."""

from __future__ import annotations

import gzip
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import zstandard
from crawls import crawl, fetch, limits
from hypothesis import given
from hypothesis import strategies as st
from loopback import Site, Visit
from twisted.internet.address import IPv4Address, IPv6Address

from crawler import Fetch, Health, KnownPage, Plan, Target
from crawler.decompress import Broken, unpack
from crawler.guard import Guard
from crawler.heads import MAX_HEAD_BYTES
from crawler.middlewares.retry import retry_after
from crawler.resolver import GuardedResolver
from crawler.search import Search
from crawler.sitemap import MAX_SITEMAPS, read_sitemap
from crawler.values import Limits

PAGE = "<title>Visas</title><h1>Visas</h1><p>The residency sponsors J-1 visas through ECFMG.</p>"
FLOOD = 20_000_000  # bytes that a flood would send

# Where pages may not lead: this machine in many spellings, its network, its cloud.
INSIDE = [
    "127.0.0.2", "127.2", "2130706434", "0x7f000002", "0x7f.0.0.2", "0177.0.0.2", "017700000002",
    "127.0.0.2.", "1２７.0.0.2", "127。0。0。2", "①２７.0.0.2", "[::ffff:127.0.0.2]",
    "[::ffff:7f00:2]", "[::127.0.0.2]", "[64:ff9b::7f00:2]", "[2002:7f00:2::]", "[::1]",
    "[::1%25lo]", "[0:0:0:0:0:0:0:1]", "0", "0.0.0.0", "[::]", "localhost", "LOCALHOST.",
    "169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "[fe80::1%25eth0]", "10.0.0.1",
    "larkspur.example@127.0.0.2", "127.0.0.2%00.larkspur.example", "127.0.0.2\\@larkspur.example",
]  # fmt: skip


@pytest.fixture
def inside() -> Iterator[Site]:
    """A server of this machine that nobody allowed."""
    with Site("127.0.0.2") as site:
        site.otherwise(lambda visit: visit.send(b"<p>The secrets of this machine</p>"))
        yield site


def port(site: Site) -> str:
    return site.host.rpartition(":")[2]


def search(site: Site, **changes: Any) -> list[Fetch]:
    """What a search from a site's start page brings."""
    target = Target("program", site_urls=(site.url("/"),), discover=True)
    return crawl(Plan((target,), limits(site, **changes)))


# Where it points.


def test_no_spelling_of_an_inner_address_is_connected_to(inside: Site) -> None:
    """As the page to fetch, and as where a page of an allowed site redirects."""
    with Site() as site:
        wanted = [f"http://{host}:{port(inside)}/" for host in INSIDE]
        for number, url in enumerate(wanted):
            site.redirect(f"/{number}", url)
        moved = [site.url(f"/{number}") for number in range(len(wanted))]
        found = fetch(limits(site, timeout_seconds=20), *wanted, *moved)
    assert {url for url in (*wanted, *moved) if found[url].health.is_page} == set()
    assert inside.paths() == []
    odd = {found[url].health for url in wanted}
    assert odd <= {Health.FORBIDDEN_ADDRESS, Health.UNREACHABLE}


def test_robots_txt_and_sitemaps_lead_nowhere_inside(inside: Site) -> None:
    with Site() as site, Site("127.0.0.3") as other:
        site.page("/", PAGE)
        site.page(
            "/robots.txt",
            f"Sitemap: {inside.url('/sitemap.xml')}\nSitemap: http://[broken\n"
            f"Sitemap: {site.url('/moved.xml')}\nSitemap: {site.url('/index.xml')}",
            type="text/plain",
        )
        site.redirect("/moved.xml", inside.url("/sitemap.xml"))
        site.page("/index.xml", f"<sitemapindex><loc>{inside.url('/x.xml')}</loc></sitemapindex>")
        other.redirect("/robots.txt", inside.url("/robots.txt"))
        other.page("/", PAGE)
        (found,) = search(site)
        (kept_out,) = fetch(limits(other), other.url("/")).values()
    assert found.health is Health.OK
    assert {"/moved.xml", "/index.xml"} <= set(site.paths())
    assert kept_out.health is Health.FORBIDDEN_ADDRESS
    assert inside.paths() == []


# What a name server says is answered by this file, in the crawl's process: it is the world.
_NAMES = """
import json, socket
_asked, _known = socket.getaddrinfo, json.loads(%r)
def getaddrinfo(host, port, *args, **options):
    name = host.decode() if isinstance(host, bytes) else host
    answers = _known.get(name, [name])
    return [found for answer in answers for found in _asked(answer, port, *args, **options)]
socket.getaddrinfo = getaddrinfo
"""


def test_a_name_that_leads_inside_is_not_connected_to(
    inside: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {
        "loopback.example": ["127.0.0.2"],
        "metadata.example": ["169.254.169.254"],
        "mapped.example": ["::ffff:127.0.0.2"],
        "private.example": ["10.0.0.1", "127.0.0.2", "fc00::1"],
        "named.example": ["127.0.0.2"],
    }
    (tmp_path / "sitecustomize.py").write_text(_NAMES % json.dumps(names))
    monkeypatch.syspath_prepend(tmp_path)
    allowed = f"named.example:{port(inside)}"
    found = fetch(
        limits(allow_hosts=(allowed,)), *(f"http://{name}:{port(inside)}/" for name in names)
    )
    healths = {url.split("/")[2].partition(":")[0]: page.health for url, page in found.items()}
    assert healths.pop("named.example") is Health.OK  # the names are answered as said
    assert set(healths.values()) == {Health.FORBIDDEN_ADDRESS}
    assert inside.paths() == ["/robots.txt", "/"]


class _Turning:
    """A name server that answers first with a public address, and then with an inner one."""

    def __init__(self) -> None:
        self.answers = iter(["8.8.8.8", "127.0.0.2", "8.8.8.8"])

    def resolveHostName(self, receiver: Any, name: str, port: int = 0, *more: Any) -> None:
        receiver.resolutionBegan(None)
        for answer in (next(self.answers), "::1", "2606:4700::1111"):
            kind = IPv6Address if ":" in answer else IPv4Address
            receiver.addressResolved(kind("TCP", answer, port))
        receiver.resolutionComplete()


class _Receiver:
    def __init__(self) -> None:
        self.got: list[str] = []

    def resolutionBegan(self, resolution: object) -> None: ...
    def resolutionComplete(self) -> None: ...
    def addressResolved(self, address: Any) -> None:
        self.got.append(address.host)


class _Reactor:
    def __init__(self) -> None:
        self.nameResolver = _Turning()


@pytest.mark.parametrize(("cache", "then"), [(0, ["2606:4700::1111"]), (9, None)])
def test_a_name_that_changes_its_answer_is_checked_each_time(
    cache: int, then: list[str] | None
) -> None:
    """Twisted connects to what comes out here, and looks nothing up by itself."""
    resolver = GuardedResolver(_Reactor(), cache, Guard())
    got = []
    for _ in range(2):
        receiver: Any = _Receiver()
        resolver.resolveHostName(receiver, "turns.example", 80)
        got.append(receiver.got)
    first = ["8.8.8.8", "2606:4700::1111"]
    assert got == [first, then or first]
    assert resolver.refused["turns.example"] in ("127.0.0.2", "::1")


# What it sends.


def flood(piece: bytes, head: bytes = b"HTTP/1.1 200 OK\r\n") -> Callable[[Visit], None]:
    def answer(visit: Visit) -> None:
        visit.write(head)
        chunk = piece * (100_000 // len(piece))
        while visit.bytes_sent < FLOOD and visit.write(chunk):
            pass
        visit.close()

    return answer


def plain(head: str, body: str = PAGE) -> Callable[[Visit], None]:
    text = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{head}\r\n{body}"
    return lambda visit: visit.send_raw(text.encode())


FLOODS = {
    "/headers": flood(b"X-A: b\r\n"),
    "/folded": flood(b" bbbbbbbbbbbbbbb\r\n", b"HTTP/1.1 200 OK\r\nX-A: b\r\n"),
    "/one-line": flood(b"x" * 1000),
    "/informational": flood(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", b""),
    "/extension": flood(b"x" * 1000, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;"),
}
LENGTHS = {
    "/short": (plain("Content-Length: 40\r\n"), Health.OK),
    "/two": (plain("Content-Length: 5\r\nContent-Length: 50\r\n"), Health.UNREACHABLE),
    "/negative": (plain("Content-Length: -5\r\n"), Health.UNREACHABLE),
    "/no-number": (plain("Content-Length: 5x\r\n"), Health.UNREACHABLE),
    "/huge": (plain(f"Content-Length: {10**30}\r\n"), Health.TOO_LARGE),
    "/long": (plain("Content-Length: 5000\r\n"), Health.TRUNCATED),
    "/no-chunks": (plain("Transfer-Encoding: chunked\r\n"), Health.TRUNCATED),
    "/unknown": (plain("Transfer-Encoding: xz\r\n"), Health.UNREACHABLE),
    "/layers": (plain(f"Content-Encoding: {'gzip, ' * 2000}gzip\r\n"), Health.OK),
}


def test_floods_and_wrong_lengths_are_the_health_of_one_page() -> None:
    with Site() as site:
        for path, answer in FLOODS.items():
            site.route(path, answer)
        for path, (answer, _) in LENGTHS.items():
            site.route(path, answer)
        site.page("/good", PAGE)
        bounds = limits(site, per_host=30, timeout_seconds=60, retries=2)
        paths = [*FLOODS, *LENGTHS, "/good"]
        found = {
            url.removeprefix(site.url("")): page
            for url, page in fetch(bounds, *map(site.url, paths)).items()
        }
        sent = {path: max(v.bytes_sent for v in site.visits_of(path)) for path in FLOODS}
        asked = {path: len(site.visits_of(path)) for path in FLOODS}
    assert found["/good"].health is Health.OK
    assert {path: found[path].health for path in LENGTHS} == {
        path: health for path, (_, health) in LENGTHS.items()
    }
    assert all(bytes_sent < FLOOD for bytes_sent in sent.values()), sent
    for path in ("/headers", "/folded", "/informational"):
        assert found[path].health is Health.TOO_LARGE
        assert f"{MAX_HEAD_BYTES:,} bytes of headers" in found[path].detail
        assert asked[path] == 1
    assert not found["/one-line"].health.is_page
    assert not found["/extension"].health.is_page


def stored(data: bytes) -> bytes:
    """Packed by gzip without getting smaller."""
    packer = zlib.compressobj(0, wbits=31)
    return packer.compress(data) + packer.flush()


def layers(number: int) -> bytes:
    data = b"words " * 100_000
    for _ in range(number):
        data = stored(data)
    return data


@pytest.mark.timeout(60)  # without the bounds, minutes and more
@pytest.mark.parametrize(
    ("data", "encoding", "fault"),
    [
        (gzip.compress(b"") * 500_000, "gzip", "more than 1,000 parts"),
        (zstandard.compress(b"") * 500_000, "zstd", "more than 1,000 parts"),
        (layers(4), "gzip, gzip, gzip, gzip", "more than 3 times over"),
        (zstandard.compress(os.urandom(10_000))[:-100], "zstd", "ends early"),
    ],
    ids=["gzip-members", "zstd-frames", "layers", "zstd-cut"],
)
def test_what_is_packed_to_take_long_is_broken(data: bytes, encoding: str, fault: str) -> None:
    with pytest.raises(Broken, match=fault):
        unpack(data, encoding, 10_000_000)


@given(st.binary(max_size=2_000_000), st.integers(1, 3))
def test_whole_frames_come_whole(data: bytes, times: int) -> None:
    assert unpack(zstandard.compress(data) * times, "zstd", 10**7) == data * times
    assert unpack(gzip.compress(data, 1) * times, "gzip", 10**7) == data * times


@pytest.mark.timeout(60)  # without the bounds, days
@pytest.mark.parametrize(
    "body",
    [
        b"<loc>" + b" " * 40_000 + b"<",  # without the bounds 8 s: it fails by itself
        b"<loc>" + b" " * 5_000_000 + b"<",
        (b"<loc>" + b"\n" * 500) * 10_000,
        b"<loc><![CDATA[" * 500_000,
        b"<loc>&#x41;&amp;" * 300_000,
        # The entities of an XML bomb, which nothing here looks up.
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><urlset><loc>&b;</loc></urlset>',
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><urlset><loc>&a;</loc></urlset>',
    ],
    ids=[
        "some-spaces",
        "spaces",
        "many-spaces",
        "cdata",
        "references",
        "entities",
        "external-entity",
    ],
)
def test_hostile_sitemaps_are_read_in_one_pass(body: bytes) -> None:
    begun = time.process_time()
    read = read_sitemap(body, "https://larkspur.example/sitemap.xml", 10**7)
    assert time.process_time() - begun < 3
    assert read.sitemaps == ()
    assert b"root:" not in repr(read).encode()


@given(st.text(max_size=60) | st.from_regex(r"[A-Z][a-z]{2}, \d+ Jan \d+ \d+:\d+:\d+ [+-]\d+"))
def test_no_retry_after_makes_it_raise(text: str) -> None:
    assert retry_after(text.encode("utf-8", errors="replace"), datetime.now(UTC)) >= 0


# How much there is of it.


def calendar(visit: Visit) -> None:
    """Each month leads to the next ones, all named as if they told of visas."""
    month = int(visit.path.rpartition("=")[2]) if "=" in visit.path else 0
    links = "".join(
        f'<a href="/visa?month={n}">Visa sponsorship {n}</a>' for n in (month + 1, month + 2)
    )
    visit.send(f"<title>Visa</title><p>Month {month}</p>{links}".encode())


def session_ids(visit: Visit) -> None:
    """Each visit gives new names to the same pages."""
    new = os.urandom(4).hex()
    links = "".join(
        f'<a href="/visa-policy/{place}">Visa policy</a>'
        for place in (f"s-{new}/", f";jsessionid={new}", f"?sid={new}", f"?key={new}")
    )
    visit.send(f"<title>Visa policy</title><p>Welcome</p>{links}".encode())


def redirects_inside(visit: Visit) -> None:
    """A thousand links to pages that redirect where nobody may go."""
    if visit.path != "/":
        visit.send(b"", 302, {"Location": "http://169.254.169.254/"})
        return
    links = "".join(f'<a href="/visa/{n}">Visa policy</a>' for n in range(1000))
    visit.send(f"<title>Larkspur</title><p>Welcome</p>{links}".encode())


def million_links(visit: Visit) -> None:
    """Five million bytes of links."""
    links = "".join(f"<a href=/visa/{n}>J</a>" for n in range(250_000))
    visit.send(f"<title>Larkspur</title><p>Welcome</p>{links}".encode())


def endless_redirects(visit: Visit) -> None:
    """A page is somewhere else, for ever; the first one links to many such."""
    if visit.path == "/":
        redirects = "".join(f'<a href="/visa/{n}?at=0">Visa policy</a>' for n in range(50))
        visit.send(f"<title>Larkspur</title><p>Welcome</p>{redirects}".encode())
        return
    path, _, step = visit.path.partition("?at=")
    visit.send(b"", 302, {"Location": f"{path}?at={int(step or 0) + 1}"})


def with_an_end(maze: Callable[[Visit], None]) -> Callable[[Visit], None]:
    """The same, but a search that goes on for ever comes to an end, and can be told so."""
    visits = count()
    return lambda visit: maze(visit) if next(visits) < MANY else visit.send(b"The end")


BUDGET = 6
MANY = 300  # requests that no search should make


@pytest.mark.parametrize(
    ("maze", "requests_a_page"),
    [
        (calendar, 1),
        (session_ids, 1),
        (redirects_inside, 1),
        (million_links, 1),
        (endless_redirects, 11),
    ],
)
def test_a_maze_is_left_when_the_budget_is_spent(
    maze: Callable[[Visit], None], requests_a_page: int
) -> None:
    with Site() as site:
        site.otherwise(with_an_end(maze))
        site.page("/robots.txt", "", type="text/plain")
        site.route("/sitemap.xml", lambda visit: visit.send(b"", 404))
        search(site, page_budget=BUDGET)
        asked = [path for path in site.paths() if path not in ("/robots.txt", "/sitemap.xml")]
    assert 1 < len(asked) <= 1 + (BUDGET - 1) * requests_a_page


def test_sitemaps_that_name_sitemaps_for_ever_are_left() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)

    def index(visit: Visit) -> None:
        number = int(visit.path.rpartition("=")[2]) if "=" in visit.path else 0
        listed = "".join(
            f"<loc>{site.url(f'/sitemap.xml?n={number * 3 + n}')}</loc>" for n in (1, 2, 3)
        )
        visit.send(bomb if number % 2 else f"<sitemapindex>{listed}</sitemapindex>".encode())

    with Site() as site:
        site.page("/", PAGE)
        site.page("/robots.txt", f"Sitemap: {site.url('/sitemap.xml')}\n" * 10_000)
        site.route("/sitemap.xml", with_an_end(index))
        (found,) = search(site)
        assert found.health is Health.OK
        assert sum("sitemap" in path for path in site.paths()) == MAX_SITEMAPS


def test_refusals_that_cost_no_request_end_too() -> None:
    """Each may be the robots.txt of a new host that the site made up."""
    search = Search(["key"], ["https://larkspur.example/"], Limits(page_budget=3))
    asked = 0
    while search.next_page() and asked < MANY:
        asked += 1
        search.give_back()
        search.add_start(f"https://a{asked}.larkspur.example/")
    assert 50 < asked < 100


def test_a_page_that_cannot_be_addressed_stops_nothing() -> None:
    with Site() as site:
        places = ["http://[", "//", "\x00", "http://a b/", "x" * 60_000, "http://\u2024/", "#", "?"]
        places += ["http://xn--/", "http://" + "a" * 300 + ".example/", "http:///x", "mailto:a@b"]
        for number, place in enumerate(places):
            head = f"HTTP/1.1 302 Found\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n"
            raw = head.encode()
            site.route(f"/{number}", lambda visit, raw=raw: visit.send_raw(raw))  # type: ignore[misc]
        site.page("/good", PAGE)
        found = fetch(
            limits(site), *(KnownPage(site.url(f"/{n}")) for n in range(len(places))),
            site.url("/good"),
        )  # fmt: skip
    assert found[site.url("/good")].health is Health.OK
    assert Health.TIMEOUT not in {page.health for page in found.values()}
