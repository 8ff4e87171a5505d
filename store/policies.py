"""Each program's policy, with its history; the last row of a program stands."""

from __future__ import annotations

import json
import sqlite3

from store.database import Store
from store.records import Standing


def record(store: Store, standing: Standing) -> None:
    """From now on this policy stands for its program. Inside `writing()`."""
    store.write(
        "INSERT INTO policies (program_id, cycle_id, since, origin, policy, reading,"
        " inherited_from) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            standing.program_id,
            standing.cycle_id,
            standing.since,
            standing.origin,
            json.dumps(standing.policy, ensure_ascii=False),
            json.dumps(standing.reading, ensure_ascii=False),
            standing.inherited_from,
        ),
    )


def standing(store: Store) -> dict[str, Standing]:
    """By program id, the policy that stands for each watched program that has one."""
    return {
        row["program_id"]: _standing(row)
        for row in store.rows(
            "SELECT * FROM policies WHERE id IN (SELECT max(id) FROM policies GROUP BY program_id)"
            " AND program_id IN (SELECT id FROM programs WHERE removed_at IS NULL)"
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


def _standing(row: sqlite3.Row) -> Standing:
    return Standing(
        program_id=row["program_id"],
        since=row["since"],
        origin=row["origin"],
        policy=json.loads(row["policy"]),
        reading=json.loads(row["reading"]),
        inherited_from=row["inherited_from"],
        cycle_id=row["cycle_id"],
    )
