"""Each program's policy, with its history; the last row of a program stands."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from store.database import Store, among
from store.records import Standing


def record(store: Store, standing: Standing) -> None:
    """From now on this policy stands for its program. Inside `writing()`."""
    store.write(
        "INSERT INTO policies (program_id, cycle_id, since, origin, policy, reading,"
        " inherited_from, review_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            standing.program_id,
            standing.cycle_id,
            standing.since,
            standing.origin,
            json.dumps(standing.policy, ensure_ascii=False),
            json.dumps(standing.reading, ensure_ascii=False),
            standing.inherited_from,
            standing.review_id,
        ),
    )


def standing(store: Store, only: Collection[str] | None = None) -> dict[str, Standing]:
    """By program id, the policy that stands for each watched program that has one.

    With `only`, for those of them with these ids.
    """
    where, values = among("program_id", only)
    return {
        row["program_id"]: _standing(row)
        for row in store.rows(
            "SELECT y.* FROM policies y JOIN programs p ON p.id = y.program_id WHERE y.id IN"  # noqa: S608
            f" (SELECT max(id) FROM policies WHERE true{where} GROUP BY program_id)"
            " AND p.removed_at IS NULL ORDER BY y.id",
            values,
        )
    }


def history(store: Store, program_id: str) -> list[Standing]:
    """All policies that stood for one program, oldest first."""
    return [
        _standing(row)
        for row in store.rows(
            "SELECT * FROM policies WHERE program_id = ? ORDER BY id", (program_id,)
        )
    ]


def ever_of_origin(store: Store, origin: str) -> list[str]:
    """The programs for which a policy of this origin ever stood, by id."""
    rows = store.rows(
        "SELECT DISTINCT program_id AS id FROM policies WHERE origin = ? ORDER BY 1", (origin,)
    )
    return [row["id"] for row in rows]


def _standing(row: sqlite3.Row) -> Standing:
    policy = json.loads(row["policy"])
    return Standing(
        program_id=row["program_id"],
        since=row["since"],
        origin=row["origin"],
        policy=policy,
        # Mostly the same, and to read it costs more than to find it.
        reading=policy if row["reading"] == row["policy"] else json.loads(row["reading"]),
        inherited_from=row["inherited_from"],
        cycle_id=row["cycle_id"],
        review_id=row["review_id"],
    )
