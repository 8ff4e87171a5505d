"""Pages that need JavaScript, shown by the browsers of workers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browsers import APP, RENDER, SHELL, browser_or_skip
from fleet import PATIENCE, Fleet
from loopback import Visit
from redisserver import serving
from test_engine_crawl import stored

from crawler import RenderLimits
from store import changes, cycles, programs
from store.database import Store

J1, NONE = '["We sponsor only J-1 visas."]', '["We do not sponsor visas."]'
JSON = "application/json"


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Two hospitals, one of which has a page that is empty until its script has run."""
    browser_or_skip()
    with (
        serving(tmp_path / "redis") as server,
        Fleet(tmp_path, server.url, hosts=2, pages=1, delay=0.1) as fleet,
    ):
        site = fleet.sites[0]
        site.page("/0", SHELL, headers={"ETag": '"shell"'})
        site.page("/app.js", APP, type="text/javascript")
        site.page("/api/0.json", J1, type=JSON)
        yield fleet


def test_what_only_a_browser_shows_is_read_by_workers_as_by_one_machine(
    fleet: Fleet, tmp_path: Path
) -> None:
    site = fleet.sites[0]
    with fleet.store() as store, Store(tmp_path / "alone.db") as alone:
        with alone.writing():
            programs.save(alone, programs.listed(store))
        with fleet.working(2):
            assert fleet.cycle(store).failed == 0
            fleet.cycle(alone, engine=False)
            site.page("/api/0.json", NONE, type=JSON)
            fleet.turn()
            fleet.cycle(store)
            fleet.cycle(alone, engine=False)
        assert stored(store) == stored(alone)
        assert [(c.program_id, c.kind) for c in changes.listed(store, "all")] == [
            ("p0-0", "policy_changed")
        ]
        shown = store.tuples("SELECT url FROM pages WHERE rendered")
        assert shown == [(site.url("/0"),)]
    assert not any("If-None-Match" in visit.headers for visit in site.visits)
    assert fleet.gaps()[0] >= fleet.delay


def test_a_worker_that_dies_over_a_browser_is_followed_by_another(fleet: Fleet) -> None:
    def dying(visit: Visit) -> None:
        if first.poll() is None:
            first.kill()
            first.wait()
            fleet.worker()
        visit.send(J1.encode(), headers={"Content-Type": JSON})

    fleet.sites[0].route("/api/0.json", dying)
    first = fleet.worker()
    writer = fleet.crawl()
    _, said = writer.communicate(timeout=PATIENCE)
    assert writer.returncode == 0, said
    assert first.returncode == -9
    with fleet.store() as store:
        seen = [(o.attempt, o.health) for o in cycles.observations(store, 1)]
    assert sorted(seen) == [(0, "ok"), (0, "ok")]
    assert len(fleet.sites[0].visits_of("/api/0.json")) == 2


def test_the_browser_is_the_workers_own(fleet: Fleet) -> None:
    """What stands in Redis names no program that a worker's machine runs."""
    render = RenderLimits(browser="/nowhere/chromium", sandbox=RENDER.sandbox)
    with fleet.working(1, render=render):
        summary = fleet.cycle()
    assert (summary.fetched, summary.failed) == (1, 1)
    with fleet.working(1):
        fleet.turn()
        fleet.render = render
        assert fleet.cycle().failed == 0
