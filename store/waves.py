"""Waves: changes of many institutions in the same direction."""

from __future__ import annotations

import json
from collections.abc import Collection

from store.database import Store
from store.records import Wave


def begin(store: Store, visa: str, way: str, cycle_id: int) -> int:
    """A wave is recognised in this cycle; gives its id, the same one again. Inside `writing()`."""
    store.write(
        "INSERT OR IGNORE INTO waves (visa, way, cycle_id) VALUES (?, ?, ?)", (visa, way, cycle_id)
    )
    rows = store.rows(
        "SELECT id FROM waves WHERE visa = ? AND way = ? AND cycle_id = ?", (visa, way, cycle_id)
    )
    return int(rows[0]["id"])


def join(store: Store, wave_id: int, change_ids: Collection[int]) -> None:
    """These changes belong to the wave; one that is in another stays there. Inside `writing()`."""
    store.write(
        "UPDATE changes SET wave_id = ? WHERE wave_id IS NULL"
        " AND id IN (SELECT value FROM json_each(?))",
        (wave_id, json.dumps(sorted(change_ids))),
    )


def listed(store: Store) -> list[Wave]:
    """All waves with their members, oldest first."""
    members: dict[int, list[int]] = {}
    for row in store.rows(
        "SELECT id, wave_id FROM changes WHERE wave_id IS NOT NULL ORDER BY wave_id, id"
    ):
        members.setdefault(row["wave_id"], []).append(row["id"])
    return [
        Wave(row["id"], row["visa"], row["way"], row["cycle_id"], tuple(members.get(row["id"], ())))
        for row in store.rows("SELECT * FROM waves ORDER BY id")
    ]
