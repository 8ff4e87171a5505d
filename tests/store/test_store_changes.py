"""Changes, reviews, and differences that wait to be seen again."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from store import changes, cycles, pending, programs, verdicts
from store.database import Store
from store.errors import NotFound
from store.records import Change, Program, Review

NOW = "2026-11-25T02:00:00Z"
IDS = ("larkspur", "sorrel")


@pytest.fixture
def store(store: Store) -> Store:
    """A database with two programs and three cycles."""
    with store.writing():
        programs.save(store, [Program(i, "Hospital", "Neurology", website_url="x") for i in IDS])
        for _ in range(3):
            cycle, _ = cycles.open_one(store, NOW)
            cycles.finish(store, cycle.id, NOW, {})
    return store


def change(program_id: str = "larkspur", cycle_id: int = 1, **columns: str) -> Change:
    policies = {"before": {"category": "j1_only"}, "after": {"category": "unstated"}}
    given = {"kind": "policy_changed", "severity": "critical", "status": "open", **columns}
    return Change(0, program_id, cycle_id, **given, **policies, detected_at=NOW)  # type: ignore[arg-type]


def flag(store: Store, flagged: Change) -> Change | None:
    with store.writing():
        return changes.flag(store, flagged)


def test_a_program_is_flagged_once_in_a_cycle(store: Store) -> None:
    first = flag(store, change())
    assert first == replace(change(), id=1)
    assert flag(store, change(kind="conflict")) is None
    assert flag(store, change("sorrel")) is not None
    assert flag(store, change(cycle_id=2)) is not None
    assert changes.of_cycle(store, 1) == [first, replace(change("sorrel"), id=2)]


def test_changes_are_listed_oldest_first_by_status(store: Store) -> None:
    for cycle_id in (1, 2, 3):
        flag(store, change(cycle_id=cycle_id))
    with store.writing():
        verdicts.decide(store, Review(2, "dismissed", "ada", "a typo", NOW))
    assert [c.id for c in changes.listed(store)] == [1, 3]
    assert [c.id for c in changes.listed(store, "dismissed")] == [2]
    assert [c.id for c in changes.listed(store, "all")] == [1, 2, 3]
    assert [c.id for c in changes.listed(store, "all", since_id=2)] == [3]


def test_a_change_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(NotFound, match="no change 7"):
        changes.get(store, 7)


def test_every_review_is_kept_in_its_order(store: Store) -> None:
    flag(store, change())
    decided = [
        Review(1, "dismissed", "ada", "looks like a typo", NOW),
        Review(1, "corrected", "grace", "rang them up", NOW, {"category": "j1_only"}),
    ]
    with store.writing():
        for review in decided:
            verdicts.decide(store, review)
    assert verdicts.of_change(store, 1) == decided
    assert changes.get(store, 1).status == "corrected"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE reviews SET note = 'never said'",
        "DELETE FROM reviews",
        "REPLACE INTO reviews VALUES (1, 1, NULL, 'accepted', 'eve', '', '2027-01-01', NULL)",
    ],
)
def test_a_review_cannot_be_rewritten(store: Store, sql: str) -> None:
    flag(store, change())
    review = Review(1, "dismissed", "ada", "a typo", NOW)
    with store.writing():
        verdicts.decide(store, review)
    with pytest.raises(sqlite3.IntegrityError, match="kept for good"), store.writing():
        store.write(sql)
    assert verdicts.of_change(store, 1) == [review]


def test_a_difference_is_counted_once_a_cycle(store: Store) -> None:
    seen = []
    for cycle_id in (1, 1, 2, 2, 3):
        with store.writing():
            seen.append(pending.wait(store, "larkspur", ["statement_withdrawn"], cycle_id))
    assert seen == [1, 1, 2, 2, 3]
    assert pending.waited(store, "larkspur", "statement_withdrawn") == 3
    assert pending.waited(store, "sorrel", "statement_withdrawn") == 0


def test_another_kind_of_difference_starts_the_count_anew(store: Store) -> None:
    with store.writing():
        pending.wait(store, "larkspur", ["statement_withdrawn"], 1)
        assert pending.wait(store, "larkspur", ["page_gone"], 2) == 1
        assert pending.wait(store, "larkspur", ["page_gone"], 3) == 2
    assert pending.waited(store, "larkspur", "statement_withdrawn") == 0


def test_of_several_things_the_latest_decides_how_long_all_have_waited(store: Store) -> None:
    both = ["silent on H-1B", "silent on J-1"]
    with store.writing():
        pending.wait(store, "larkspur", both[:1], 1)
        pending.wait(store, "larkspur", ["page_gone"], 2, forget=False)
        assert pending.wait(store, "larkspur", both, 3) == 1
        assert pending.wait(store, "larkspur", both, 4) == 2
    assert pending.waited(store, "larkspur", "silent on H-1B") == 3
    assert pending.waiting(store) == ["larkspur"]


def test_a_difference_that_went_away_is_forgotten(store: Store) -> None:
    with store.writing():
        pending.wait(store, "larkspur", ["page_gone"], 1)
        pending.stop_waiting(store, "larkspur")
        assert pending.wait(store, "larkspur", ["page_gone"], 2) == 1
