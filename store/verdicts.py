"""Maintainers' decisions: on changes, and on what a program's pages say."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable

from store.database import Store, among
from store.records import Review


def decide(store: Store, review: Review) -> int:
    """Files a review; of a change, sets its status. Gives the review's id. Inside `writing()`."""
    new_id = store.write(
        "INSERT INTO reviews (change_id, program_id, verdict, by, note, at, policy)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            review.change_id,
            review.program_id or None,
            review.verdict,
            review.by,
            review.note,
            review.at,
            None if review.policy is None else json.dumps(review.policy, ensure_ascii=False),
        ),
    )
    if review.change_id is not None:
        holds = holding(of_change(store, review.change_id))
        store.write(
            "UPDATE changes SET status = ? WHERE id = ?",
            (holds.verdict if holds else "open", review.change_id),
        )
    return new_id


def holding(made: Iterable[Review]) -> Review | None:
    """Of the decisions on one change, oldest first, the one that holds: the last not undone."""
    standing: list[Review] = []
    for review in made:
        if review.verdict != "undone":
            standing.append(review)
        elif standing:
            standing.pop()
    return standing[-1] if standing else None


def versions(store: Store, change_ids: Collection[int]) -> dict[int, int]:
    """By change id, the number of the last decision on it; 0 when there was none."""
    rows = store.rows(
        "SELECT c.id, (SELECT max(id) FROM reviews WHERE change_id = c.id) AS version"
        " FROM changes c WHERE c.id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(change_ids)),),
    )
    return {row["id"]: row["version"] or 0 for row in rows}


def of_change(store: Store, change_id: int) -> list[Review]:
    """All decisions on one change, oldest first."""
    rows = store.rows("SELECT * FROM reviews WHERE change_id = ? ORDER BY id", (change_id,))
    return [_review(row) for row in rows]


def of_reading(store: Store, program_id: str) -> list[Review]:
    """All decisions on what a program's pages say that no change led to, oldest first."""
    rows = store.rows("SELECT * FROM reviews WHERE program_id = ? ORDER BY id", (program_id,))
    return [_review(row) for row in rows]


def ever(store: Store, program_id: str) -> bool:
    """Whether there is a decision on a change of a program, or on what its pages say."""
    rows = store.tuples(
        "SELECT EXISTS (SELECT 1 FROM reviews WHERE program_id = ?1) OR EXISTS"
        " (SELECT 1 FROM changes c JOIN reviews r ON r.change_id = c.id WHERE c.program_id = ?1)",
        (program_id,),
    )
    return bool(rows[0][0])


def on_changes(store: Store) -> list[Review]:
    """All decisions on all changes, oldest first."""
    rows = store.rows("SELECT * FROM reviews WHERE change_id IS NOT NULL ORDER BY id")
    return [_review(row) for row in rows]


def that_hold(store: Store, only: Collection[int]) -> dict[int, Review]:
    """By change, the decision that holds, for those of these that have one."""
    where, values = among("change_id", only)
    made: dict[int, list[Review]] = {}
    for row in store.rows(f"SELECT * FROM reviews WHERE true{where} ORDER BY id", values):  # noqa: S608
        made.setdefault(row["change_id"], []).append(_review(row))
    held = {number: holding(decisions) for number, decisions in made.items()}
    return {number: review for number, review in held.items() if review is not None}


def standing(store: Store, only: Collection[str]) -> dict[str, Review]:
    """By program id, the decision by which a program's policy stands, for those with one."""
    where, values = among("y.program_id", only)
    rows = store.rows(
        "SELECT y.program_id AS stands_for, y.origin, r.* FROM policies y"  # noqa: S608
        " JOIN reviews r ON r.id = y.review_id WHERE y.id ="
        f" (SELECT max(id) FROM policies WHERE program_id = y.program_id){where}",
        values,
    )
    found = {}
    for row in rows:
        review: Review | None = _review(row)
        if row["verdict"] == "undone":  # the one before holds again
            review = holding(of_change(store, row["change_id"]))
        stands_by = {"read": ("accepted",), "fused": ("accepted", "corrected")}.get(
            row["origin"], (row["origin"],)
        )
        if review is not None and review.verdict in stands_by:
            found[row["stands_for"]] = review
    return found


def decided_in(store: Store, reviewer: str, cycle_id: int) -> list[Review]:
    """The decisions of a reviewer on changes since a cycle began, and before the next one did."""
    rows = store.rows(
        "SELECT r.* FROM reviews r JOIN cycles c ON c.id = ?2 WHERE r.by = ?1"
        " AND r.change_id IS NOT NULL AND r.at >= c.started_at AND NOT EXISTS"
        " (SELECT 1 FROM cycles n WHERE n.id > c.id AND n.started_at <= r.at) ORDER BY r.id",
        (reviewer, cycle_id),
    )
    return [_review(row) for row in rows]


def decided_by(store: Store, reviewer: str) -> set[int]:
    """The changes on which a reviewer has decided, whether or not that holds."""
    rows = store.rows(
        "SELECT change_id FROM reviews WHERE by = ? AND change_id IS NOT NULL", (reviewer,)
    )
    return {row["change_id"] for row in rows}


def closed_by(store: Store, reviewer: str) -> list[tuple[str, str]]:
    """The notes of all decisions of a reviewer, each with when its change was detected."""
    rows = store.rows(
        "SELECT r.note, c.detected_at FROM reviews r JOIN changes c ON c.id = r.change_id"
        " WHERE r.by = ?",
        (reviewer,),
    )
    return [(row["note"], row["detected_at"]) for row in rows]


def _review(row: sqlite3.Row) -> Review:
    return Review(
        change_id=row["change_id"],
        verdict=row["verdict"],
        by=row["by"],
        note=row["note"],
        at=row["at"],
        policy=None if row["policy"] is None else json.loads(row["policy"]),
        id=row["id"],
        program_id=row["program_id"] or "",
    )
