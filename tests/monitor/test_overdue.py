"""A night that was due and was not run is told of, and none that was left out or has just begun."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from monitor.overdue import overdue
from monitor.vitals import vitals
from store import cycles
from store.database import Store
from store.outbox import enqueue
from store.records import Mail, stamp

LAST = datetime(2027, 2, 10, 2, tzinfo=UTC)


@pytest.fixture
def watched(store: Store) -> Store:
    """A store whose last night was LAST."""
    with store.writing():
        cycle, _ = cycles.open_one(store, stamp(LAST), f"{LAST:%Y-%m-%dT%H:%MZ}")
        cycles.finish(store, cycle.id, stamp(LAST), {})
    return store


def each(days: int) -> Callable[[Store, datetime], bool]:
    return lambda store, night: (night - LAST).days >= days


@pytest.mark.parametrize(
    ("hours", "every", "missed"),
    [(29, 1, None), (30, 1, 1), (100, 1, 1), (77, 3, None), (78, 3, 3), (-9000, 1, None)],
)
def test_after_so_many_hours(watched: Store, hours: int, every: int, missed: int | None) -> None:
    found = overdue(watched, LAST + timedelta(hours=hours), "02:00", each(every))
    assert found == (None if missed is None else LAST + timedelta(days=missed))


def test_without_a_cycle_none_is_overdue(store: Store) -> None:
    assert overdue(store, LAST, "02:00", each(1)) is None


def test_it_is_measured_for_those_who_watch_the_watch(watched: Store) -> None:
    with watched.writing():
        enqueue(watched, Mail(0, "<m>", "a@inbox.example", "News", b"x", stamp(LAST)), {})
    soon, late = (vitals(watched, LAST + timedelta(days=days)) for days in (1, 2))
    assert (soon.overdue, soon.oldest_mail) == (0.0, 86400.0)
    assert (late.overdue, late.oldest_mail) == (86400.0, 172800.0)
