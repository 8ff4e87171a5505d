"""Lists are read by index, however many programs, pages and changes there are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.load_data import generate
from monitor import queue
from monitor.feeds import feed
from monitor.status import statuses
from store import changes, cycles, news, programs, search, waves
from store.database import Store
from store.news import Sought
from store.search import Wish
from web.views import views

BIG = ("programs p", "standings s", "pages g", "observations o", "policies y", "changes c",
       "reviews r", "watches w")  # fmt: skip
SINCE, UNTIL = "2025-06-01", "2026-01-01"


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plans") / "load.db"
    generate(path, count=300)
    return path


def plans(path: Path, ask: Callable[[Store], Any]) -> dict[str, list[str]]:
    """By statement that something runs, its steps as SQLite explains them."""
    statements: list[str] = []
    with Store(path) as store:
        store.db.conn.set_trace_callback(statements.append)
        ask(store)
        store.db.conn.set_trace_callback(None)
        assert statements
        return {
            sql: [row["detail"] for row in store.rows(f"EXPLAIN QUERY PLAN {sql}")]
            for sql in statements
        }


def scans(found: dict[str, list[str]]) -> list[tuple[str, str]]:
    """Steps that go through a whole table; not those in the order of a list, which end with it."""
    names = {name for table in BIG for name in table.split()}
    return [
        (step, sql)
        for sql, steps in found.items()
        for step in steps
        if step.startswith("SCAN ")
        and step.split()[1] in names
        and "INDEX" not in step
        and not (" LIMIT " in sql and sorts(steps) == [])
    ]


def sorts(steps: list[str]) -> list[str]:
    return [step for step in steps if step.startswith("USE TEMP B-TREE")]


@pytest.mark.parametrize("sort", search.SORTS)
def test_a_page_of_programs_is_read_in_the_order_of_an_index(large: Path, sort: str) -> None:
    for ask in (
        lambda store: search.find(store, Wish(), sort=sort, limit=50),
        lambda store: search.following(store, Wish(), sort=sort, limit=50),
    ):
        found = plans(large, ask)
        assert not scans(found)
        assert not [step for steps in found.values() for step in sorts(steps)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: statuses(store, only=[f"p{n:05}" for n in range(50)]),
        lambda store: views(store, [f"p{n:05}" for n in range(50)], stale_after_cycles=3),
        lambda store: search.in_doubt(store, limit=50),
        lambda store: search.find(store, Wish(state="AL", visa="J-1"), limit=50),
        lambda store: search.find(store, Wish(specialty="Surgery", condition="paused"), limit=50),
        lambda store: search.find(store, Wish(category="j1_only"), sort="changed", limit=50),
        lambda store: news.between(store, SINCE, UNTIL, limit=100),
        lambda store: news.numbers_of(store, Sought(), limit=50),
        lambda store: news.numbers_of(store, Sought(status="open"), limit=50),
        lambda store: news.days_around(store, SINCE, UNTIL),
        lambda store: changes.briefly(store, "open"),
        lambda store: changes.some(store, range(1, 50)),
        lambda store: queue.entries(store, range(1, 50)),
        lambda store: queue.doubts(store, 50),
        lambda store: feed(store, "program/p00007.atom"),
        lambda store: cycles.with_health(store, ["login_wall"]),
        lambda store: programs.institution(store, 7),
        lambda store: waves.listed(store),
    ],
)
def test_no_list_goes_through_a_whole_table(large: Path, ask: Callable[[Store], Any]) -> None:
    assert not scans(plans(large, ask))
