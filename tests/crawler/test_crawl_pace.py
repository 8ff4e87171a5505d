"""How politely hosts are asked: pauses, one at a time, robots.txt, waiting when told to."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from crawls import crawl, fetch, limits
from loopback import Site, Visit

from crawler import Health, KnownPage, Limits, Plan, Target
from crawler.middlewares.retry import retry_after
from crawler.settings import CONCURRENT_REQUESTS

DELAY = 0.2
PAGE = "<title>Visas</title><p>We sponsor J-1 visas only.</p>"
NOW = datetime(2027, 1, 1, tzinfo=UTC)


class Flaky:
    """Answers with each of some statuses in turn, then with a page."""

    def __init__(self, *statuses: int, headers: dict[str, str] | None = None) -> None:
        self._statuses = list(statuses)
        self._headers = headers

    def __call__(self, visit: Visit) -> None:
        if self._statuses:
            visit.send(b"<p>Not now</p>", self._statuses.pop(0), self._headers)
        else:
            visit.send(PAGE.encode())


def gaps(site: Site) -> list[float]:
    starts = [visit.started for visit in site.visits]
    return [later - earlier for earlier, later in pairwise(starts)]


def test_a_host_is_asked_slowly_and_hosts_side_by_side() -> None:
    with Site("127.0.0.1") as one, Site("127.0.0.2") as two:
        pages = []
        for site in (one, two):
            for number in range(4):
                site.page(f"/{number}", PAGE)
                pages.append(site.url(f"/{number}"))
        bounds = limits(one, two, delay_seconds=DELAY, per_host=1)
        found = fetch(bounds, *pages)
        assert {page.health for page in found.values()} == {Health.OK}
        for site in (one, two):
            assert site.paths()[0] == "/robots.txt"
            assert len(site.paths()) == 5
            assert min(gaps(site)) >= DELAY
        first_of_two, last_of_one = two.visits[0].started, one.visits[-1].started
        assert first_of_two < last_of_one - 2 * DELAY


def test_a_request_that_comes_late_does_not_shorten_the_pause_after_it() -> None:
    with Site(accepts_after=0.75 * DELAY) as site:
        for number in range(3):
            site.page(f"/{number}", PAGE)
        bounds = limits(site, delay_seconds=DELAY, per_host=1)
        fetch(bounds, *(site.url(f"/{number}") for number in range(3)))
        assert len(site.visits) == 4
        assert min(gaps(site)) >= DELAY


def test_a_request_without_an_answer_is_followed_by_a_whole_pause() -> None:
    with Site() as site:
        ended: list[float] = []

        def late_reset(visit: Visit) -> None:
            time.sleep(0.75 * DELAY)
            ended.append(time.monotonic())
            visit.reset()

        for path in ("/0", "/1"):
            site.route(path, late_reset)
        fetch(limits(site, delay_seconds=DELAY, per_host=1), site.url("/0"), site.url("/1"))
        # What went out on the connection kept from robots.txt is asked once more, in its time,
        # and not behind our back, as Twisted does.
        asked = site.paths()[1]
        assert sorted(site.paths()) == sorted([asked, "/0", "/1", "/robots.txt"])
        for before, visit in zip(ended, site.visits[2:], strict=False):
            assert visit.started >= before + DELAY


def test_the_pause_runs_while_an_answer_comes() -> None:
    delay = 0.8

    def slow(visit: Visit) -> None:
        visit.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 60\r\n\r\n")
        time.sleep(delay)
        visit.write(PAGE.encode()[:60].ljust(60))

    with Site() as site:
        for number in range(3):
            site.route(f"/{number}", slow)
        fetch(
            limits(site, delay_seconds=delay, per_host=1, timeout_seconds=20.0),
            *(site.url(f"/{number}") for number in range(3)),
        )
        assert min(gaps(site)) >= delay
        assert min(gaps(site)[1:]) < 1.9 * delay


def test_a_host_gets_one_request_at_a_time() -> None:
    def slow(visit: Visit) -> None:
        at_work.append(visit.path)
        most.append(len(at_work))
        visit.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 10\r\n\r\n<p>hel"
        )
        most.append(len(at_work))
        at_work.remove(visit.path)
        visit.write(b"lo</p")

    at_work: list[str] = []
    most: list[int] = []
    with Site() as site:
        for number in range(6):
            site.route(f"/{number}", slow)
        fetch(limits(site, per_host=1), *(site.url(f"/{number}") for number in range(6)))
        visits = [visit for visit in site.visits if visit.path != "/robots.txt"]
    assert len(visits) == 6
    assert max(most) == 1


def test_a_crawl_waits_for_no_host_while_another_may_be_asked() -> None:
    everything_asked = threading.Event()

    def stuck(visit: Visit) -> None:
        everything_asked.wait(10.0)
        visit.send(PAGE.encode())

    def last(visit: Visit) -> None:
        everything_asked.set()
        visit.send(PAGE.encode())

    with ExitStack() as stack:
        slow = [stack.enter_context(Site(f"127.0.0.{n}")) for n in range(2, 6)]
        large = stack.enter_context(Site("127.0.0.9"))
        pages = []
        for site in slow:
            # Together more than the downloader takes at a time, and listed first.
            for number in range(CONCURRENT_REQUESTS // 3):
                site.page(f"/{number}", PAGE)
                pages.append(site.url(f"/{number}"))
            site.route("/0", stuck)
        for number in range(40):
            large.page(f"/{number}", PAGE)
            pages.append(large.url(f"/{number}"))
        large.route("/39", last)
        found = fetch(limits(*slow, large, per_host=1), *pages)
        # Who waits for an answer of the slow hosts, before the large one has given all, times out.
        assert {page.health for page in found.values()} == {Health.OK}


def test_we_say_who_we_are() -> None:
    with Site() as site:
        site.page("/", PAGE)
        fetch(limits(site, contact="mailto:watch@larkspur.example"), site.url("/"))
        agents = {visit.headers["User-Agent"] for visit in site.visits}
        assert agents == {"VisaWatch/0.1 (+mailto:watch@larkspur.example)"}
        assert all("Cookie" not in visit.headers for visit in site.visits)


ROBOTS = """
User-agent: *
Disallow: /

User-agent: VisaWatch
Disallow: /private/
Allow: /private/visas
"""


def test_robots_txt_is_obeyed() -> None:
    with Site() as site:
        site.page("/robots.txt", ROBOTS, type="text/plain")
        for path in ("/visas", "/private/visas", "/private/plans"):
            site.page(path, PAGE)
        site.redirect("/moved", "/private/plans")
        paths = ("/visas", "/private/visas", "/private/plans", "/moved")
        found = fetch(limits(site), *map(site.url, paths))
        assert found[site.url("/visas")].health is Health.OK
        assert found[site.url("/private/visas")].health is Health.OK
        assert found[site.url("/private/plans")].health is Health.ROBOTS
        assert found[site.url("/moved")].health is Health.ROBOTS
        assert site.host in found[site.url("/moved")].detail
        assert site.paths().count("/robots.txt") == 1
        assert "/private/plans" not in site.paths()


def test_answers_that_are_no_robots_txt() -> None:
    kinds = {
        404: Health.OK,
        403: Health.OK,
        500: Health.SERVER_ERROR,
        503: Health.SERVER_ERROR,
        429: Health.RATE_LIMITED,
    }
    with ExitStack() as stack:
        sites = {
            status: stack.enter_context(Site(f"127.0.0.{number}"))
            for number, status in enumerate(kinds, start=1)
        }
        for status, site in sites.items():
            site.page("/visas", PAGE)
            site.page("/robots.txt", "Nothing", status=status)
        found = fetch(limits(*sites.values()), *(site.url("/visas") for site in sites.values()))
        for status, site in sites.items():
            page = found[site.url("/visas")]
            assert page.health is kinds[status]
            assert ("/visas" in site.paths()) == (page.health is Health.OK)
            if page.health is not Health.OK:
                assert "robots.txt" in page.detail
                assert str(status) in page.detail


def test_a_robots_txt_that_redirects() -> None:
    with Site("127.0.0.1") as private, Site("127.0.0.2") as circle, Site("127.0.0.3") as moved:
        for site in (private, circle, moved):
            site.page("/visas", PAGE)
        private.redirect("/robots.txt", "http://192.168.0.1/robots.txt")
        circle.redirect("/robots.txt", "/robots.txt")
        moved.redirect("/robots.txt", "/robots-2.txt", status=301)
        moved.page("/robots-2.txt", "User-agent: *\nDisallow: /visas", type="text/plain")
        sites = (private, circle, moved)
        found = fetch(limits(*sites), *(site.url("/visas") for site in sites))
        assert found[private.url("/visas")].health is Health.FORBIDDEN_ADDRESS
        assert "/visas" not in private.paths()
        assert found[circle.url("/visas")].health is Health.OK
        assert found[moved.url("/visas")].health is Health.ROBOTS


def test_a_crawl_delay_is_kept() -> None:
    with Site() as site:
        site.page("/robots.txt", "User-agent: *\nCrawl-delay: 0.3\n", type="text/plain")
        for number in range(3):
            site.page(f"/{number}", PAGE)
        fetch(limits(site), *(site.url(f"/{number}") for number in range(3)))
        assert min(gaps(site)) >= 0.3


def test_what_may_pass_is_tried_again() -> None:
    def reset_once(visit: Visit) -> None:
        if len(site.visits_of("/reset")) == 1:
            visit.reset()
        else:
            visit.send(PAGE.encode())

    with Site() as site:
        for status in (500, 502, 503, 429):
            site.route(f"/{status}", Flaky(status, status))
        site.route("/reset", reset_once)
        paths = ("/500", "/502", "/503", "/429", "/reset")
        found = fetch(limits(site, retries=2), *map(site.url, paths))
        assert {page.health for page in found.values()} == {Health.OK}
        assert {page.detail for page in found.values()} == {""}
        assert [site.paths().count(path) for path in paths] == [3, 3, 3, 3, 2]


def test_retries_end_and_back_off() -> None:
    with Site() as site:
        site.route("/visas", Flaky(*[503] * 9))
        bounds = limits(site, retries=2, delay_seconds=0.1, per_host=1)
        page = fetch(bounds, site.url("/visas"))[site.url("/visas")]
        assert page.health is Health.SERVER_ERROR
        assert "3 attempts" in page.detail
        assert site.paths().count("/visas") == 3
        assert gaps(site)[2] >= 0.2


def test_retry_after_holds_the_whole_host_back() -> None:
    with Site("127.0.0.1") as one, Site("127.0.0.2") as two:
        for site, status in ((one, 429), (two, 503)):
            site.route("/visas", Flaky(status, headers={"Retry-After": "1"}))
            site.page("/apply", PAGE)
        pages = [site.url(path) for site in (one, two) for path in ("/visas", "/apply")]
        found = fetch(limits(one, two, per_host=1, retries=1), *pages)
        assert {page.health for page in found.values()} == {Health.OK}
        for site in (one, two):
            assert site.paths() == ["/robots.txt", "/visas", "/visas", "/apply"]
            assert gaps(site)[1] >= 1


def test_a_host_that_asks_for_longer_is_left_alone() -> None:
    with Site() as site:
        site.route("/visas", Flaky(*[503] * 5, headers={"Retry-After": "3600"}))
        site.page("/apply", PAGE)
        bounds = limits(site, per_host=1, retries=2, retry_after_seconds=10.0)
        found = fetch(bounds, site.url("/visas"), site.url("/apply"))
        assert {page.health for page in found.values()} == {Health.RATE_LIMITED}
        assert "3600 seconds" in found[site.url("/apply")].detail
        assert site.paths() == ["/robots.txt", "/visas"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"120", 120.0),
        (b" 5 ", 5.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True).encode(), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True).encode(), 0.0),
        (b"soon", 0.0),
        (b"-3", 0.0),
        (b"", 0.0),
        (None, 0.0),
        (b"Fri, 99 Jan 2027 00:00:00 GMT", 0.0),
    ],
)
def test_retry_after(value: bytes | None, seconds: float) -> None:
    assert retry_after(value, NOW) == seconds


def test_a_page_of_several_targets_is_fetched_once() -> None:
    with Site() as site:
        site.page("/visas", PAGE)
        url = site.url("/visas")
        tracked = f"{url}?utm_source=mail"
        plan = Plan(
            (
                Target("surgery", pages=(KnownPage(url),)),
                Target("medicine", pages=(KnownPage(url),)),
                Target("pediatrics", pages=(KnownPage(tracked),)),
            ),
            limits(site),
        )
        found = {page.url: page for page in crawl(plan)}
        assert len(found) == 2
        assert found[url].targets == ("surgery", "medicine")
        assert found[tracked].targets == ("pediatrics",)
        assert site.paths().count("/visas") + site.paths().count("/visas?utm_source=mail") == 1


def test_validators_that_differ_are_not_sent() -> None:
    with Site() as site:
        site.page("/visas", PAGE)
        url = site.url("/visas")
        targets = (
            Target("surgery", pages=(KnownPage(url, etag='"a"'),)),
            Target("medicine", pages=(KnownPage(url, etag='"b"'),)),
        )
        crawl(Plan(targets, limits(site)))
        assert "If-None-Match" not in site.visits_of("/visas")[0].headers


def test_an_empty_plan_ends() -> None:
    assert crawl(Plan((), Limits())) == []


def test_a_kept_connection_that_is_closed_costs_no_attempt() -> None:
    broken: list[str] = []

    def hanging_up(visit: Visit) -> None:
        if not broken:  # this came on the connection kept from robots.txt
            broken.append(visit.path)
            visit.reset()
        else:
            visit.send(PAGE.encode())
            visit.close()  # without a word of it: the answer reads as if it were kept

    with Site() as site:
        for path in ("/0", "/1"):
            site.route(path, hanging_up)
        fetched = fetch(
            limits(site, delay_seconds=DELAY, per_host=1, retries=0), site.url("/0"), site.url("/1")
        )
        assert {f.health for f in fetched.values()} == {Health.OK}
        robots, first, *_ = site.visits
        assert (first.path, first.client) == (broken[0], robots.client)
        assert min(gaps(site)) >= DELAY


def test_hosts_that_are_slow_to_answer_are_asked_side_by_side() -> None:
    most: list[int] = []
    asked: list[str] = []
    together = threading.Event()

    def slow(visit: Visit) -> None:
        asked.append(visit.path)
        most.append(len(asked))
        if len(asked) == 40:
            together.set()
        together.wait(10.0)
        visit.send(PAGE.encode())

    with ExitStack() as stack:
        sites = [stack.enter_context(Site(f"127.0.1.{n}")) for n in range(1, 41)]
        for site in sites:
            site.route("/visas", slow)
        began = time.monotonic()
        found = fetch(limits(*sites), *(site.url("/visas") for site in sites))
    # Far more than a crawl begins with: none of them answers before all have been asked.
    assert max(most) == 40
    assert time.monotonic() - began < 10.0
    assert {page.health for page in found.values()} == {Health.OK}
