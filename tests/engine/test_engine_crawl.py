"""A cycle through Redis: the same as without, shared by workers, and refused where it must be."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from fleet import J1_ONLY, PATIENCE, ROOT, Fleet
from loopback import Visit
from redisserver import RedisServer, serving

from crawler import Health, KnownPage, Limits, Plan, Target
from monitor.cycle import CycleStopped, Stop
from monitor.engine import board
from monitor.engine.errors import EngineError
from monitor.engine.turn import MOST_TRIES
from monitor.engine.worker import Worker
from monitor.engine.writer import crawling
from store import cycles, programs
from store.database import Store
from store.records import Program

DELAY = 0.1
ONCE = ["/0", "/1", "/2"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with serving(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def fleet(tmp_path: Path, server: RedisServer) -> Iterator[Fleet]:
    with Fleet(tmp_path, server.url, hosts=4, pages=3, delay=DELAY) as fleet:
        yield fleet


def asked_once(fleet: Fleet) -> bool:
    return all(sorted(paths) == ONCE for paths in fleet.visits().values())


def test_workers_share_the_pages_and_the_writer_flags_what_changed(
    fleet: Fleet, server: RedisServer
) -> None:
    with fleet.working(2):
        first = fleet.cycle()
        assert (first.fetched, first.failed, first.changes) == (12, 0, 0)
        assert asked_once(fleet)
        fleet.turn("p0-0", "p3-2")
        second = fleet.cycle()
        assert (second.fetched, second.failed, second.changes) == (12, 0, 2)
    assert fleet.gaps()[0] >= DELAY
    with server.client() as client:
        left = set(client.scan_iter()) - set(client.scan_iter(f"{board.HOST}*"))
    assert left == {board.RUN, board.RUNS, board.TOKENS}


def stored(store: Store) -> list[tuple[object, ...]]:
    """All that cycles have stored of pages, without ids and times."""
    return store.tuples(
        "SELECT p.url, p.etag, o.health, o.detail, hex(s.sha256), s.body, r.statements"
        " FROM observations o JOIN pages p ON p.id = o.page_id"
        " LEFT JOIN snapshots s ON s.id = o.snapshot_id"
        " LEFT JOIN readings r ON r.snapshot_id = s.id ORDER BY p.url, o.cycle_id, o.attempt"
    )


def test_what_is_stored_is_the_same_with_and_without_an_engine(
    fleet: Fleet, tmp_path: Path
) -> None:
    site = fleet.sites[0]
    site.page("/", '<a href="/new-visas">Eligibility and visas</a>')
    site.page("/new-visas", J1_ONLY)
    site.page("/0", "<p>No such page</p>", status=404)
    site.page("/1", b"%PDF-1.4 broken", type="application/pdf")
    fleet.sites[1].page("/0", "<p>Busy</p>", status=500)
    looked_for = Program("found", "Hospital 0", "Surgery", website_url=site.url("/"))
    with fleet.store() as store, Store(tmp_path / "alone.db") as alone:
        with store.writing():
            programs.save(store, [looked_for])
        with alone.writing():
            programs.save(alone, programs.listed(store))
        with fleet.working(1):
            fleet.cycle(store)
        fleet.cycle(alone, engine=False)
        found = stored(store)
        assert found == stored(alone)
    healths = {str(url).partition("127.")[2][4:]: health for url, _, health, *_ in found}
    assert {"gone", "server_error", "unreadable", "ok"} == set(healths.values())
    assert any(url.endswith("/new-visas") for url in healths)


def test_bytes_that_are_stored_do_not_come_again(
    fleet: Fleet, server: RedisServer, tmp_path: Path
) -> None:
    chance = random.Random(7)
    bodies = {}
    for site in fleet.sites:
        for path in ONCE:
            # Such as no compression makes small, and without an ETag.
            bodies[site, path] = f"{J1_ONLY}<!--{chance.randbytes(50_000).hex()}-->"
            site.page(path, bodies[site, path])

    def through_redis() -> int:
        with server.client() as client:
            return int(client.info()["total_net_input_bytes"])

    sizes = []
    with fleet.store() as store, Store(tmp_path / "alone.db") as alone, fleet.working(1):
        with alone.writing():
            programs.save(alone, programs.listed(store))
        for _ in range(3):
            before = through_redis()
            summary = fleet.cycle(store)
            sizes.append(through_redis() - before)
            assert (summary.fetched, summary.not_modified, summary.changes) == (12, 0, 0)
            fleet.cycle(alone, engine=False)
            fleet.turn()
            # In the last night one is another: it comes whole.
            if fleet.night == 2:
                fleet.sites[0].page("/0", bodies[fleet.sites[0], "/0"] + "<p>More</p>")
        assert stored(store) == stored(alone)
    assert sizes[0] > 12 * 50_000
    assert sizes[1] < 4 * 50_000
    assert 50_000 < sizes[2] < 6 * 50_000


def test_a_drained_worker_gives_its_hosts_to_another(fleet: Fleet) -> None:
    with ExitStack() as stack:

        def on_first(visit: Visit) -> None:
            if not first.draining:
                stack.enter_context(fleet.working(1))
                first.drain()
            visit.send(J1_ONLY.encode())

        (first,) = stack.enter_context(fleet.working(1))
        fleet.sites[0].route("/0", on_first)
        assert fleet.cycle().fetched == 12
    assert asked_once(fleet)


def test_a_stopped_writer_leaves_the_rest_for_the_next_run(fleet: Fleet) -> None:
    stop = Stop()

    def stopping(visit: Visit) -> None:
        stop.request()
        visit.send(J1_ONLY.encode())

    for path in ONCE:
        fleet.sites[0].route(path, stopping)
    with fleet.working(1):
        with pytest.raises(CycleStopped, match="the next run goes on from here"):
            fleet.cycle(stop=stop)
        with fleet.store() as store:
            assert 0 < len(cycles.observed(store, 1)) < 12
        assert fleet.cycle().cycle == 1
    with fleet.store() as store:
        assert len(cycles.observed(store, 1)) == 12
    assert asked_once(fleet)


def test_a_worker_of_another_version_refuses_by_name(fleet: Fleet, server: RedisServer) -> None:
    theirs = "visawatch 9.9.9, wire 7, rules other"
    run = {"id": "1", "open": "1", "stop": "0", "writer": "elsewhere:v.db", "versions": theirs}
    with server.client() as client:
        client.hset(board.RUN, mapping=run)
    ours = "visawatch 0.1.0, wire 2, rules .*"
    with pytest.raises(EngineError, match=f"elsewhere:v.db is {theirs}, and this worker is {ours}"):
        Worker(fleet.connected).serve()


def test_a_host_over_which_workers_die_is_given_up(fleet: Fleet, server: RedisServer) -> None:
    urls = [site.url(path) for site in fleet.sites[:2] for path in ONCE]
    target = Target("program:a", pages=tuple(map(KnownPage, urls)))
    plan = Plan((target,), Limits(delay_seconds=DELAY, allow_hosts=fleet.allowed))
    with crawling(fleet.connected, "v.db", plan) as pages, server.client() as client:
        work = board.work(str(client.hget(board.RUN, "id")))
        ((_, units),) = client.xreadgroup(board.GROUP, "dead", {work: ">"})
        for entry, fields in units:
            tries = MOST_TRIES if fields["host"] == "127.0.0.2" else 1
            client.xclaim(work, board.GROUP, "dead", 0, [entry], idle=60_000, retrycount=tries)
        with fleet.working(1):
            fetched = {page.url: page for page in pages if page is not None}
    assert set(fetched) == set(urls)
    for url, page in fetched.items():
        given_up = url in urls[:3]
        assert page.health is (Health.UNREACHABLE if given_up else Health.OK)
        assert page.targets == ("program:a",)
    said = f"{MOST_TRIES} workers ended while they fetched the pages of 127.0.0.2"
    assert fetched[urls[0]].detail == said
    assert fleet.visits()[fleet.sites[0].host] == []


def test_redis_is_not_loaded_without_an_engine(fleet: Fleet) -> None:
    program = (
        "import sys; from visawatch.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "print(sorted(name for name in sys.modules if 'redis' in name or 'engine.' in name))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program, "--db", "v.db", "--config", "visawatch.toml", "crawl"],
        cwd=fleet.folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    loaded = shown.stdout.splitlines()[-1]
    assert "redis" not in loaded
    assert "monitor.engine.link" not in loaded
