"""The demo's server answers as the cast says, over real HTTP."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlsplit

import pypdfium2
import pytest

from visawatch.demo import NIGHTS, DemoSite
from visawatch.demo.cast import institutions


@dataclass(frozen=True)
class Got:
    status: int
    headers: Message
    body: bytes


def get(url: str, method: str = "GET", **headers: str) -> Got:
    """One request, redirects not followed; `If_None_Match` stands for `If-None-Match`."""
    host, slash, path = url.removeprefix("http://").partition("/")
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, slash + path, headers=sent)
        response = connection.getresponse()
        return Got(response.status, response.headers, response.read())
    finally:
        connection.close()


@pytest.fixture(scope="module")
def opened() -> Iterator[DemoSite]:
    with DemoSite() as site:
        yield site


@pytest.fixture
def site(opened: DemoSite) -> DemoSite:
    opened.night = 1
    return opened


def url(site: DemoSite, program_id: str) -> str:
    """The eligibility page of a program, or its website where none is known."""
    program = next(p for p in site.programs if p.program_id == program_id)
    return program.eligibility_url or program.website_url


def at(site: DemoSite, program_id: str, path: str) -> str:
    """A path of the site that a program's pages are on."""
    parts = urlsplit(url(site, program_id))
    return f"http://{parts.netloc}{path}"


def test_every_first_page_of_every_program_is_there(site: DemoSite) -> None:
    for program in site.programs:
        for address in (program.website_url, program.eligibility_url, program.gme_url):
            if address:
                assert get(address).status == 200, address


def test_each_institution_is_a_host(site: DemoSite) -> None:
    served = {urlsplit(url(site, p.program_id)).hostname for p in site.programs}
    assert served == set(site.hosts)
    assert all(host.startswith("127.") for host in site.hosts)


def test_an_etag_answers_304_without_a_body(site: DemoSite) -> None:
    address = url(site, "lantern-hill-surgery")
    first = get(address)
    again = get(address, If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert get(address, If_None_Match='"another"').status == 200


def test_a_date_answers_304_unless_an_etag_differs(site: DemoSite) -> None:
    address = url(site, "lantern-hill-surgery")
    date = get(address).headers["Last-Modified"]
    assert get(address, If_Modified_Since=date).status == 304
    assert get(address, If_Modified_Since=date, If_None_Match='"another"').status == 200
    assert get(address, If_Modified_Since="Thu, 01 Jan 2026 00:00:00 GMT").status == 200


@pytest.mark.parametrize("date", ["yesterday", "", "Mon, 23 Nov 2026 06:00:00 -0000"])
def test_a_date_that_is_none_is_not_heeded(site: DemoSite, date: str) -> None:
    assert get(url(site, "lantern-hill-surgery"), If_Modified_Since=date).status == 200


def test_a_noisy_page_changes_every_night_and_a_quiet_one_does_not(site: DemoSite) -> None:
    noisy, quiet = (
        url(site, name) for name in ("lantern-hill-surgery", "thistledown-geriatric-medicine")
    )
    first_noisy, first_quiet = (get(page).headers["ETag"] for page in (noisy, quiet))
    site.night = 2
    assert get(noisy, If_None_Match=first_noisy).status == 200
    assert get(quiet, If_None_Match=first_quiet).status == 304
    assert get(quiet).headers["Last-Modified"] == "Mon, 23 Nov 2026 06:00:00 GMT"
    site.night = 3
    assert get(quiet, If_None_Match=first_quiet).status == 200


def test_head_has_the_headers_and_no_body(site: DemoSite) -> None:
    address = url(site, "lantern-hill-surgery")
    head = get(address, "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(get(address).body))


def test_a_session_token_leads_to_the_same_page(site: DemoSite) -> None:
    address = url(site, "lantern-hill-surgery")
    assert get(f"{address}?sid=0123").body == get(address).body


def test_one_page_moves_in_night_2(site: DemoSite) -> None:
    old = url(site, "quillwater-neurology")
    new = at(site, "quillwater-neurology", "/neurology/international-applicants")
    assert (get(old).status, get(new).status) == (200, 404)
    for night in (2, 3):
        site.night = night
        moved = get(old)
        assert (moved.status, moved.headers["Location"]) == (301, new)
        assert get(new).status == 200


def test_one_page_vanishes_in_night_2_and_is_linked_elsewhere(site: DemoSite) -> None:
    old = url(site, "thistledown-internal-medicine")
    path = "/residencies/internal-medicine/international-graduates"
    new = at(site, "thistledown-internal-medicine", path)
    website = at(site, "thistledown-internal-medicine", "/residencies/internal-medicine/")
    text = get(old).body
    assert get(new).status == 404
    for night in (2, 3):
        site.night = night
        assert get(old).status == 404
        assert get(new).body == text
        assert f'href="{path}"'.encode() in get(website).body


def test_one_site_is_down_in_night_2_alone(site: DemoSite) -> None:
    down = {p.program_id for p in site.programs if p.program_id.startswith("saint-odile")}
    for night in NIGHTS:
        site.night = night
        assert {get(url(site, name)).status for name in down} == {503 if night == 2 else 200}
    site.night = 2
    robots = get(at(site, "saint-odile-surgery", "/robots.txt"))
    assert (robots.status, robots.headers["Retry-After"]) == (503, None)


def test_one_page_is_a_bot_challenge_in_night_3(site: DemoSite) -> None:
    address = url(site, "lantern-hill-pediatrics")
    for night in NIGHTS:
        site.night = night
        assert (b"Checking your browser" in get(address).body) is (night == 3)


def test_one_policy_is_a_pdf(site: DemoSite) -> None:
    got = get(url(site, "thistledown-geriatric-medicine"))
    assert got.headers["Content-Type"] == "application/pdf"
    assert got.body.startswith(b"%PDF-1.4\n")
    document = pypdfium2.PdfDocument(got.body)
    try:
        page = document[0]
        lines = page.get_textpage().get_text_bounded().splitlines()
    finally:
        document.close()
    assert lines[0] == "THISTLEDOWN MEMORIAL HOSPITAL"
    assert "2. The fellowship sponsors J-1 visas only." in lines
    assert "3. Costs of travel (and of translations) are not paid back." in lines


def test_one_page_says_utf8_and_is_not(site: DemoSite) -> None:
    got = get(url(site, "saint-odile-radiology"))
    assert got.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Zoë".encode("windows-1252") in got.body
    with pytest.raises(UnicodeDecodeError):
        got.body.decode("utf-8")


def test_one_page_is_only_in_the_sitemap(site: DemoSite) -> None:
    home = url(site, "crooked-beech-psychiatry")
    path = "/psychiatry-residency/international-medical-graduates"
    page = at(site, "crooked-beech-psychiatry", path)
    robots = get(at(site, "crooked-beech-psychiatry", "/robots.txt")).body.decode()
    sitemap = robots.partition("Sitemap: ")[2].strip()
    assert f"<loc>{page}</loc>".encode() in get(sitemap).body
    assert b"psychiatry-residency" not in get(home).body


def test_one_page_is_three_links_deep(site: DemoSite) -> None:
    steps = ["/", "/education/", "/education/residency/", "/education/residency/how-to-apply"]
    for night in NIGHTS:
        site.night = night
        for index, step in enumerate(steps[:-1]):
            body = get(at(site, "gullwing-point-dermatology", step)).body.decode()
            assert f'href="{steps[index + 1]}"' in body
            assert not any(f'href="{later}"' in body for later in steps[index + 2 :])


def test_robots_lets_every_page_of_the_cast_be_read(site: DemoSite) -> None:
    robots = get(at(site, "lantern-hill-surgery", "/robots.txt"))
    assert robots.headers["Content-Type"].startswith("text/plain")
    forbidden = [
        line.removeprefix("Disallow: ")
        for line in robots.body.decode().splitlines()
        if line.startswith("Disallow: ")
    ]
    assert forbidden
    for institution in institutions():
        assert not any(path.startswith(tuple(forbidden)) for path in institution.pages)


@pytest.mark.parametrize("path", ["/nowhere", "/../cast.toml", "/_site.html", "/a//[b", "/%00"])
def test_what_is_not_in_the_cast_is_not_found(site: DemoSite, path: str) -> None:
    assert get(at(site, "lantern-hill-surgery", path)).status == 404


@pytest.mark.parametrize("night", [0, 4])
def test_there_are_three_nights(site: DemoSite, night: int) -> None:
    with pytest.raises(ValueError, match="nights"):
        site.night = night
    assert site.night == 1


def test_closing_leaves_nothing_open() -> None:
    before = set(threading.enumerate())
    with DemoSite() as site:
        address = url(site, "lantern-hill-surgery")
        assert get(address).status == 200
    assert set(threading.enumerate()) <= before
    assert (site.hosts, site.programs) == ((), [])
    with pytest.raises(ConnectionRefusedError):
        get(address)
