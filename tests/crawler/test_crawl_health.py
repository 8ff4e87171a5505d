"""What becomes of each kind of page, over real connections: one crawl, one page per kind."""

from __future__ import annotations

import gzip
import hashlib
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import brotli
import pytest
import trustme
import zstandard
from crawls import fetch, limits
from loopback import Site, Visit

from crawler import Fetch, Health, KnownPage

PAGE = (
    b"<!doctype html><title>Visa policy</title><h1>Visa policy</h1>"
    b"<p>The Larkspur residency in internal medicine sponsors J-1 visas through ECFMG.</p>"
)
LATIN = "<title>R\u00e9sidence</title><p>The program\u2019s r\u00e9sum\u00e9 rule.</p>".encode(
    "cp1252"
)
MAX_BYTES = 3_000_000
TWO_HUNDRED_MB = 200_000_000


def stream(visit: Visit, *, announced: bool) -> None:
    """Send 200 MB, or as much of it as is taken."""
    length = f"Content-Length: {TWO_HUNDRED_MB}\r\n" if announced else ""
    visit.write(f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{length}\r\n".encode())
    chunk = b"<p>word</p>" * 10_000
    while visit.bytes_sent < TWO_HUNDRED_MB and visit.write(chunk):
        pass
    visit.close()


def drip(visit: Visit, stopped: threading.Event) -> None:
    """Send a byte now and then, so that no pause is ever long."""
    visit.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n")
    while not stopped.wait(0.05) and visit.write(b"x"):
        pass
    visit.close()


def silent(visit: Visit, stopped: threading.Event) -> None:
    """Take the request and say nothing."""
    stopped.wait()
    visit.close()


def loop(visit: Visit) -> None:
    """Redirect to a further page, for ever."""
    number = int(visit.path.partition("=")[2] or 0) + 1
    visit.send(b"", 302, {"Location": f"/endless?n={number}"})


def packed(body: bytes, encoding: str) -> dict[str, object]:
    return {"body": body, "headers": {"Content-Encoding": encoding}}


@pytest.fixture(scope="module")
def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(scope="module")
def stopped() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(scope="module")
def site(stopped: threading.Event) -> Iterator[Site]:
    with Site() as site:
        site.page(
            "/ok", PAGE, headers={"ETag": '"v1"', "Last-Modified": "Fri, 01 Jan 2027 00:00:00 GMT"}
        )
        site.page("/gzip", **packed(gzip.compress(PAGE), "gzip"))
        site.page(
            "/two-members", **packed(gzip.compress(PAGE) + gzip.compress(b"<p>more</p>"), "gzip")
        )
        site.page("/deflate", **packed(zlib.compress(PAGE), "deflate"))
        bare = zlib.compressobj(wbits=-15)
        site.page("/bare-deflate", **packed(bare.compress(PAGE) + bare.flush(), "deflate"))
        site.page("/br", **packed(brotli.compress(PAGE), "br"))
        site.page("/zstd", **packed(zstandard.compress(PAGE), "zstd"))
        site.page("/not-really-gzip", **packed(PAGE, "gzip"))
        site.page("/cut-gzip", **packed(gzip.compress(PAGE)[:-20], "gzip"))
        bomb = b"\0" * 100_000_000
        site.page("/gzip-bomb", **packed(gzip.compress(bomb), "gzip"))
        site.page("/br-bomb", **packed(brotli.compress(bomb, quality=5), "br"))
        site.page("/zstd-bomb", **packed(zstandard.compress(bomb), "zstd"))
        nested = gzip.compress(gzip.compress(bomb))
        site.page("/nested-bomb", **packed(nested, "gzip, gzip"))
        site.page("/latin", LATIN)
        site.page("/png", b"\x89PNG\r\n\x1a\n" + bytes(500))
        site.page("/binary", bytes(range(256)) * 20)
        site.page("/docx", b"PK\x03\x04" + bytes(500), type="application/msword")
        site.page("/pdf", b"%PDF-1.7\n" + b"1 0 obj\n" * 50, type="application/pdf")
        site.page("/mislabelled-pdf", b"%PDF-1.7\n" + b"1 0 obj\n" * 50)
        site.page("/text", "We sponsor J-1 visas only.", type="text/plain")
        site.page("/json", '{"visa": "J-1"}', type="application/json")
        site.page("/empty", b"")
        site.page("/no-words", "<html><body><img src='a.png'></body></html>")
        site.page("/mid-tag", PAGE + b'<p>More in our <a href="/handb')
        site.page("/gone", "gone", status=410)
        site.page("/missing", PAGE, status=404)
        site.page("/forbidden", "<p>No entry.</p>", status=403)
        site.page("/private", "<p>Who are you?</p>", status=401)
        site.page("/law", "<p>Not here.</p>", status=451)
        site.page("/teapot", "<p>Short and stout.</p>", status=418)
        site.page("/broken", "<p>Oops</p>", status=500)
        site.page("/challenge", "<title>Just a moment...</title>", status=403)
        site.page("/challenge-503", "<title>Just a moment...</title>", status=503)
        site.page(
            "/challenge-header", "<p>Hold on</p>", status=403, headers={"cf-mitigated": "challenge"}
        )
        site.redirect("/removed", "/")
        site.page("/", "<title>Larkspur</title><h1>Welcome</h1><p>A hospital for everybody.</p>")
        site.redirect("/sso", "/saml2/sso?SAMLRequest=1")
        site.page("/saml2/sso", "<title>Larkspur</title><p>Continue</p>")
        site.redirect("/for-good", "/for-good-2", status=301)
        site.redirect("/for-good-2", "/ok#visas", status=308)
        site.redirect("/for-now", "/ok", status=302)
        site.redirect("/mixed", "/for-now", status=301)
        site.page("/refreshing", '<meta http-equiv="refresh" content="0; URL=/ok"><p>Moved</p>')
        site.redirect("/loop", "/loop-2")
        site.redirect("/loop-2", "/loop")
        site.route("/endless", loop)
        site.redirect("/to-metadata", "http://169.254.169.254/latest/meta-data/")
        site.redirect("/to-private", "http://10.0.0.1/")
        site.redirect("/to-loopback", "http://127.0.0.1:1/")
        site.redirect("/to-file", "file:///etc/hostname")
        site.redirect("/to-localhost", f"http://localhost:{site.host.rpartition(':')[2]}/ok")
        site.route("/large", lambda visit: stream(visit, announced=True))
        site.route("/large-unannounced", lambda visit: stream(visit, announced=False))
        site.route("/drip", lambda visit: drip(visit, stopped))
        site.route("/silent", lambda visit: silent(visit, stopped))
        site.route("/reset", lambda visit: visit.reset())
        site.route("/hang-up", lambda visit: visit.close())
        cut = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
        site.route("/cut", lambda v: v.send_raw(cut + b"Content-Length: 5000\r\n\r\n" + PAGE))
        chunk = b"%x\r\n%s\r\n" % (len(PAGE), PAGE)
        chunked = cut + b"Transfer-Encoding: chunked\r\n\r\n" + chunk
        site.route("/cut-chunks", lambda v: v.send_raw(chunked))
        site.route("/garbage", lambda v: v.send_raw(b"SSH-2.0-OpenSSH_9.2\r\n"))
        site.route("/unmeasured", lambda v: v.send_raw(cut + b"\r\n" + PAGE))
        yield site
        stopped.set()


KINDS: dict[str, Health] = {
    "/ok": Health.OK,
    "/gzip": Health.OK,
    "/two-members": Health.OK,
    "/deflate": Health.OK,
    "/bare-deflate": Health.OK,
    "/br": Health.OK,
    "/zstd": Health.OK,
    "/not-really-gzip": Health.OK,
    "/cut-gzip": Health.TRUNCATED,
    "/gzip-bomb": Health.DECOMPRESSION_BOMB,
    "/br-bomb": Health.DECOMPRESSION_BOMB,
    "/zstd-bomb": Health.DECOMPRESSION_BOMB,
    "/nested-bomb": Health.DECOMPRESSION_BOMB,
    "/latin": Health.OK,
    "/png": Health.NOT_A_PAGE,
    "/binary": Health.NOT_A_PAGE,
    "/docx": Health.NOT_A_PAGE,
    "/pdf": Health.OK,
    "/mislabelled-pdf": Health.OK,
    "/text": Health.OK,
    "/json": Health.NOT_A_PAGE,
    "/empty": Health.EMPTY,
    "/no-words": Health.EMPTY,
    "/mid-tag": Health.TRUNCATED,
    "/gone": Health.GONE,
    "/missing": Health.GONE,
    "/forbidden": Health.FORBIDDEN,
    "/private": Health.FORBIDDEN,
    "/law": Health.FORBIDDEN,
    "/teapot": Health.HTTP_ERROR,
    "/broken": Health.SERVER_ERROR,
    "/challenge": Health.BOT_CHALLENGE,
    "/challenge-503": Health.BOT_CHALLENGE,
    "/challenge-header": Health.BOT_CHALLENGE,
    "/removed": Health.SOFT_404,
    "/": Health.OK,
    "/sso": Health.LOGIN_WALL,
    "/for-good": Health.OK,
    "/for-now": Health.OK,
    "/mixed": Health.OK,
    "/refreshing": Health.OK,
    "/loop": Health.REDIRECT_LOOP,
    "/endless": Health.REDIRECT_LOOP,
    "/to-metadata": Health.FORBIDDEN_ADDRESS,
    "/to-private": Health.FORBIDDEN_ADDRESS,
    "/to-loopback": Health.FORBIDDEN_ADDRESS,
    "/to-file": Health.FORBIDDEN_ADDRESS,
    "/to-localhost": Health.FORBIDDEN_ADDRESS,
    "/large": Health.TOO_LARGE,
    "/large-unannounced": Health.TOO_LARGE,
    "/drip": Health.TIMEOUT,
    "/silent": Health.TIMEOUT,
    "/reset": Health.UNREACHABLE,
    "/hang-up": Health.UNREACHABLE,
    "/cut": Health.TRUNCATED,
    "/cut-chunks": Health.TRUNCATED,
    "/garbage": Health.UNREACHABLE,
    "/unmeasured": Health.OK,
}


@pytest.fixture(scope="module")
def elsewhere(closed_port: int) -> dict[str, Health]:
    """Addresses outside the site."""
    return {
        f"http://127.0.0.2:{closed_port}/": Health.UNREACHABLE,
        "http://nowhere.invalid/": Health.UNREACHABLE,
        "http://169.254.169.254/latest/": Health.FORBIDDEN_ADDRESS,
        "http://10.0.0.1/": Health.FORBIDDEN_ADDRESS,
        "http://[::1]/": Health.FORBIDDEN_ADDRESS,
        "http://[::ffff:127.0.0.1]/": Health.FORBIDDEN_ADDRESS,
        "http://2130706433/": Health.FORBIDDEN_ADDRESS,
        "http://0x7f.1/": Health.FORBIDDEN_ADDRESS,
        f"http://localhost:{closed_port}/": Health.FORBIDDEN_ADDRESS,
        "http://someone:secret@larkspur.example/": Health.FORBIDDEN_ADDRESS,
        "ftp://larkspur.example/policy.html": Health.FORBIDDEN_ADDRESS,
        "javascript:alert(1)": Health.FORBIDDEN_ADDRESS,
        "no address at all": Health.FORBIDDEN_ADDRESS,
        "http://[broken/": Health.FORBIDDEN_ADDRESS,
    }


@pytest.fixture(scope="module")
def met(site: Site, elsewhere: dict[str, Health], closed_port: int) -> dict[str, Fetch]:
    """All pages of the site, from one crawl."""
    bounds = limits(
        site, max_bytes=MAX_BYTES, timeout_seconds=4, per_host=100, retries=0,
        allow_hosts=(site.host, f"127.0.0.2:{closed_port}"),
    )  # fmt: skip
    return fetch(bounds, *(site.url(path) for path in KINDS), *elsewhere)


@pytest.mark.parametrize("path", KINDS)
def test_page(path: str, site: Site, met: dict[str, Fetch]) -> None:
    page = met[site.url(path)]
    assert page.health is KINDS[path], page.detail
    assert (page.body is not None) == (page.health is Health.OK)
    if not page.health.is_page:
        assert site.host in page.detail or "127.0.0.1" in page.detail


def test_addresses_outside_the_site(elsewhere: dict[str, Health], met: dict[str, Fetch]) -> None:
    assert {url: met[url].health for url in elsewhere} == elsewhere
    assert all(met[url].detail for url in elsewhere)


def test_a_page_comes_with_its_bytes_and_headers(site: Site, met: dict[str, Fetch]) -> None:
    page = met[site.url("/ok")]
    assert page.body == PAGE
    assert page.targets == ("program",)
    assert page.final_url == site.url("/ok")
    assert page.status == 200
    assert page.content_type == "text/html; charset=utf-8"
    assert page.etag == '"v1"'
    assert page.last_modified == "Fri, 01 Jan 2027 00:00:00 GMT"
    assert page.title == "Visa policy"
    assert not page.discovered
    assert page.detail == ""


@pytest.mark.parametrize(
    "path", ["/gzip", "/deflate", "/bare-deflate", "/br", "/zstd", "/not-really-gzip"]
)
def test_packed_pages_come_unpacked(path: str, site: Site, met: dict[str, Fetch]) -> None:
    assert met[site.url(path)].body == PAGE


def test_all_members_of_a_gzip_stream_are_read(site: Site, met: dict[str, Fetch]) -> None:
    assert met[site.url("/two-members")].body == PAGE + b"<p>more</p>"


def test_windows_1252_that_claims_utf_8_passes_unchanged(site: Site, met: dict[str, Fetch]) -> None:
    page = met[site.url("/latin")]
    assert page.body == LATIN
    assert page.title == "R\u00e9sidence"


def test_a_large_page_is_not_downloaded_to_its_end(site: Site, met: dict[str, Fetch]) -> None:
    assert met[site.url("/large")].health is Health.TOO_LARGE
    for path in ("/large", "/large-unannounced"):
        (visit,) = site.visits_of(path)
        assert visit.bytes_sent < TWO_HUNDRED_MB / 10


@pytest.mark.parametrize(
    ("path", "permanent"),
    [
        ("/for-good", True),
        ("/for-now", False),
        ("/mixed", False),
        ("/refreshing", False),
        ("/ok", False),
    ],
)
def test_moves(path: str, permanent: bool, site: Site, met: dict[str, Fetch]) -> None:
    page = met[site.url(path)]
    assert page.url == site.url(path)
    assert page.final_url == site.url("/ok")
    assert page.body == PAGE
    assert page.moved_permanently is permanent


def test_redirects_end_after_ten(site: Site, met: dict[str, Fetch]) -> None:
    assert met[site.url("/endless")].health is Health.REDIRECT_LOOP
    assert sum(path.startswith("/endless") for path in site.paths()) == 11


def test_details_name_what_was_wrong(site: Site, met: dict[str, Fetch]) -> None:
    def detail(path: str) -> str:
        return met[site.url(path)].detail

    assert "169.254.169.254 is not a public address" in detail("/to-metadata")
    assert "status 500" in detail("/broken")
    assert "4 seconds" in detail("/drip")
    assert "more than 3,000,000" in detail("/gzip-bomb")
    assert "PNG image" in detail("/png")
    assert "localhost" in detail("/to-localhost")
    assert "nowhere.invalid" in met["http://nowhere.invalid/"].detail


def test_certificates_are_checked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trusted, other = trustme.CA(), trustme.CA()
    trusted.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    def context(authority: trustme.CA, name: str) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name).configure_cert(made)
        return made

    with (
        Site("127.0.0.1", context(trusted, "127.0.0.1")) as good,
        Site("127.0.0.2", context(other, "127.0.0.2")) as unknown,
        Site("127.0.0.3", context(trusted, "larkspur.example")) as wrong_name,
        Site("127.0.0.4") as plain,
    ):
        good.page("/", PAGE)
        no_tls = f"https://{plain.host}/"
        sites = (good, unknown, wrong_name)
        found = fetch(limits(*sites, plain), *(site.url() for site in sites), no_tls)
        assert found[good.url()].health is Health.OK
        assert found[unknown.url()].health is Health.TLS_ERROR
        assert "certificate verify failed" in found[unknown.url()].detail
        assert found[wrong_name.url()].health is Health.TLS_ERROR
        assert found[no_tls].health is Health.TLS_ERROR


def test_bytes_that_the_plan_knows_of_are_not_handed_on() -> None:
    body = PAGE
    with Site() as site:
        for path in ("/same", "/other"):
            site.page(path, body, headers={"ETag": '"v2"'})
        digest = hashlib.sha256(body).hexdigest()
        same = KnownPage(site.url("/same"), sha256=digest)
        other = KnownPage(site.url("/other"), sha256=hashlib.sha256(body + b"!").hexdigest())
        found = fetch(limits(site), same, other)
    assert {page.health for page in found.values()} == {Health.OK}
    assert {page.etag for page in found.values()} == {'"v2"'}
    assert (found[same.url].same, found[same.url].body) == (True, None)
    assert (found[other.url].same, found[other.url].body) == (False, body)


def test_unchanged_pages_are_not_sent_again() -> None:
    date = "Fri, 01 Jan 2027 00:00:00 GMT"
    asked = {"/tagged": ("If-None-Match", '"v1"'), "/dated": ("If-Modified-Since", date)}

    def answer(visit: Visit) -> None:
        name, value = asked[visit.path]
        unchanged = visit.headers.get(name) == value
        visit.send(b"" if unchanged else PAGE, 304 if unchanged else 200)

    with Site() as site:
        for path in asked:
            site.route(path, answer)
        site.page("/always", b"", status=304)
        tagged, dated = site.url("/tagged"), site.url("/dated")
        found = fetch(
            limits(site),
            KnownPage(tagged, etag='"v1"'),
            KnownPage(dated, last_modified=date),
            site.url("/always"),
        )
    assert found[tagged].health is found[dated].health is Health.NOT_MODIFIED
    assert found[tagged].body is None
    assert (found[tagged].etag, found[tagged].last_modified) == ('"v1"', None)
    assert (found[dated].etag, found[dated].last_modified) == (None, date)
    assert found[site.url("/always")].health is Health.HTTP_ERROR
