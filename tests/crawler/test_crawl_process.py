"""The crawl's own process: errors, ends, and what happens when either side is killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from crawls import limits
from loopback import PATIENCE, Site, Visit

from crawler import CrawlError, Health, KnownPage, Plan, Target, crawling, standing_by

PAGE = b"<title>Visas</title><p>We sponsor J-1 visas only.</p>"
ROOT = Path(__file__).resolve().parents[2]


class Gate:
    """A page that is answered only when the test opens the gate."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def __call__(self, visit: Visit) -> None:
        self.opened.wait(PATIENCE)
        visit.send(PAGE)


def plan_of(site: Site, *paths: str, **changes: object) -> Plan:
    known = tuple(KnownPage(site.url(path)) for path in paths)
    return Plan((Target("program", pages=known),), limits(site, per_host=1, **changes))


def ended(pid: int) -> bool:
    """Whether a process ends within the patience of a test."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], PATIENCE)[0])
    finally:
        os.close(descriptor)


def test_a_killed_child_is_an_error_after_what_had_arrived() -> None:
    gate = Gate()
    with Site() as site:
        site.page("/first", PAGE)
        site.page("/second", PAGE)
        site.route("/third", gate)
        with crawling(plan_of(site, "/first", "/second", "/third")) as pages:
            site.wait_for("/third")
            os.kill(pages.pid, signal.SIGKILL)
            assert next(pages).url == site.url("/first")
            with pytest.raises(CrawlError, match="killed by signal 9"):
                list(pages)
            assert list(pages) == []
        gate.opened.set()


def test_a_killed_parent_ends_the_child() -> None:
    gate = Gate()
    program = textwrap.dedent(
        """
        import sys
        from crawler import KnownPage, Limits, Plan, Target, crawling

        url, host = sys.argv[1:]
        plan = Plan((Target("a", pages=(KnownPage(url),)),), Limits(allow_hosts=(host,)))
        with crawling(plan) as pages:
            print(pages.pid, flush=True)
            next(pages)
        """
    )
    with Site() as site:
        site.route("/visas", gate)
        parent = subprocess.Popen(
            [sys.executable, "-c", program, site.url("/visas"), site.host],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert parent.stdout is not None
        with parent.stdout:
            child = int(parent.stdout.readline())
        site.wait_for("/visas")
        parent.kill()
        parent.wait()
        assert ended(child)
        gate.opened.set()


def test_a_process_on_standby_crawls_again() -> None:
    with Site() as site, standing_by() as standby:
        site.page("/visas", PAGE)
        pids = []
        for n in range(3):
            site.page(f"/{n}", PAGE)
            with crawling(plan_of(site, "/visas", f"/{n}"), standby=standby) as pages:
                assert {page.url: page.health for page in pages} == {
                    site.url("/visas"): Health.OK,
                    site.url(f"/{n}"): Health.OK,
                }
            pids.append(pages.pid)
        assert len(set(pids)) == 1
    assert ended(pids[0])


def test_a_process_on_standby_crawls_within_the_limits_of_its_first_crawl() -> None:
    with Site() as site, standing_by() as standby:
        site.page("/visas", PAGE)
        pids = []
        for size in (100_000, 10, 100_000):
            plan = plan_of(site, "/visas", max_bytes=size)
            with crawling(plan, standby=standby) as pages:
                ok = [page.health is Health.OK for page in pages]
            assert ok == [size > 10]
            pids.append(pages.pid)
        assert pids[0] == pids[2] != pids[1]
        assert ended(pids[1])


def test_a_process_on_standby_that_was_left_early_is_replaced() -> None:
    gate = Gate()
    with Site() as site, standing_by() as standby:
        site.route("/never", gate)
        site.page("/visas", PAGE)
        with crawling(plan_of(site, "/never"), standby=standby) as left:
            site.wait_for("/never")
        assert ended(left.pid)
        with crawling(plan_of(site, "/visas"), standby=standby) as pages:
            assert [page.health for page in pages] == [Health.OK]
        gate.opened.set()


def test_a_process_that_has_crawled_much_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.process._MANY", 2)
    with Site() as site, standing_by() as standby:
        site.page("/visas", PAGE)
        site.page("/fellows", PAGE)
        pids = []
        for _ in range(3):
            with crawling(plan_of(site, "/visas", "/fellows"), standby=standby) as pages:
                assert len(list(pages)) == 2
            pids.append(pages.pid)
        assert pids[0] == pids[1] != pids[2]
        assert ended(pids[0])


def test_a_crawl_that_was_stopped_is_not_the_end_of_the_next_one() -> None:
    with Site() as site, standing_by() as standby:
        site.page("/visas", PAGE)
        with crawling(plan_of(site, "/visas"), standby=standby) as stopped:
            stopped.stop()
            list(stopped)
            stopped.stop()  # comes when there is nothing to stop
        with crawling(plan_of(site, "/visas"), standby=standby) as pages:
            assert [page.health for page in pages] == [Health.OK]
        assert pages.pid == stopped.pid


def test_a_process_that_died_on_standby_is_replaced() -> None:
    with Site() as site, standing_by() as standby:
        site.page("/visas", PAGE)
        waiting = standby._waiting
        assert waiting is not None
        os.kill(waiting.pid, signal.SIGKILL)
        assert ended(waiting.pid)
        with crawling(plan_of(site, "/visas"), standby=standby) as pages:
            assert [page.health for page in pages] == [Health.OK]


def test_a_process_on_standby_ends_when_it_is_not_needed() -> None:
    with standing_by() as standby:
        waiting = standby._waiting
        assert waiting is not None
        assert waiting.lives
    assert ended(waiting.pid)


def test_leaving_early_ends_the_child() -> None:
    gate = Gate()
    with Site() as site:
        site.route("/visas", gate)
        with crawling(plan_of(site, "/visas")) as pages:
            site.wait_for("/visas")
        assert ended(pages.pid)
        gate.opened.set()


def test_the_child_leaves_signals_to_its_parent() -> None:
    gate = Gate()
    with Site() as site:
        site.route("/visas", gate)
        with crawling(plan_of(site, "/visas")) as pages:
            site.wait_for("/visas")
            os.kill(pages.pid, signal.SIGINT)
            os.kill(pages.pid, signal.SIGTERM)
            gate.opened.set()
            assert [page.health for page in pages] == [Health.OK]


def test_stop_finishes_what_is_in_hand() -> None:
    gate = Gate()
    with Site() as site:
        site.route("/0", gate)
        for number in range(1, 50):
            site.page(f"/{number}", PAGE)
        with crawling(plan_of(site, *(f"/{number}" for number in range(50)))) as pages:
            site.wait_for("/0")
            pages.stop()
            pages.stop()
            # The child reads the stop in its event loop while the page is still in hand.
            threading.Timer(0.3, gate.opened.set).start()
            assert [page.url for page in pages] == [site.url("/0")]
            assert list(pages) == []
        assert site.paths() == ["/robots.txt", "/0"]


def test_stop_with_nothing_in_hand_ends_at_once() -> None:
    with Site() as site:
        for number in range(3):
            site.page(f"/{number}", PAGE)
        with crawling(plan_of(site, "/0", "/1", "/2", delay_seconds=1.0)) as pages:
            assert next(pages).health is Health.OK
            pages.stop()
            assert len(list(pages)) <= 1


def test_a_slow_reader_loses_nothing() -> None:
    body = PAGE + b"<p>We answer every question.</p>" * 8_000
    paths = [f"/{number}" for number in range(120)]  # 30 MB: more than all buffers hold
    with Site() as site:
        for path in paths:
            site.page(path, body)
        plan = plan_of(site, *paths)
        with crawling(plan) as pages:
            first = next(pages)
            # Not reading: the child fills its buffers and then begins no others.
            quiet = threading.Event()
            seen = -1
            while seen != len(site.visits):
                seen = len(site.visits)
                quiet.wait(0.3)
            assert seen < len(paths)
            rest = list(pages)
    assert first.body == body
    assert {page.body for page in rest} == {body}
    assert sorted(page.url for page in (first, *rest)) == sorted(map(site.url, paths))


def test_scrapy_crawl_pages(tmp_path: Path) -> None:
    with Site() as site:
        site.page("/visas", PAGE)
        shown = subprocess.run(
            [sys.executable, "-m", "scrapy", "crawl", "pages", "-a", f"url={site.url('/visas')}",
             "-s", f"ALLOW_HOSTS={site.host}", "-s", "DOWNLOAD_DELAY=0"],
            cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
    assert f"{site.url('/visas')}: ok" in shown.stderr
