"""Differences that wait to be seen a second time, before they are flagged."""

from __future__ import annotations

import json
from collections.abc import Collection

from store.database import Store

UNCONFIRMED = "unconfirmed"  # the kind of a difference that the second look did not show
HELD = "held"  # and of one that goes back and forth (see monitor.flapping)
ELSEWHERE = "elsewhere"  # no difference: the same words, on another page


def wait(
    store: Store, program_id: str, kinds: Collection[str], cycle_id: int, *, forget: bool = True
) -> int:
    """Notes what was seen in this cycle, and gives the least number of cycles of any of it.

    A cycle counts once however often it is run. What else waited is no longer so, and is
    forgotten, unless the cycle could not tell. Inside `writing()`.
    """
    named = json.dumps(sorted(kinds))
    if forget:
        store.write(
            "DELETE FROM pending WHERE program_id = ?1"
            " AND kind NOT IN (SELECT value FROM json_each(?2))",
            (program_id, named),
        )
    store.write(
        "INSERT INTO pending SELECT ?1, value, ?3, ?3, 1 FROM json_each(?2) WHERE true"
        " ON CONFLICT DO UPDATE SET cycles = cycles + (last_cycle <> ?3), last_cycle = ?3",
        (program_id, named, cycle_id),
    )
    rows = store.rows(
        "SELECT min(cycles) AS n FROM pending WHERE program_id = ?1"
        " AND kind IN (SELECT value FROM json_each(?2))",
        (program_id, named),
    )
    return int(rows[0]["n"])


def waited(store: Store, program_id: str, kind: str) -> int:
    """In how many cycles this was seen."""
    rows = store.rows(
        "SELECT cycles FROM pending WHERE program_id = ? AND kind = ?", (program_id, kind)
    )
    return int(rows[0]["cycles"]) if rows else 0


def waiting(store: Store) -> list[str]:
    """The programs for which a difference waits to be seen again, by id."""
    return [
        row["program_id"]
        for row in store.rows(
            "SELECT DISTINCT program_id FROM pending WHERE kind <> ? ORDER BY 1", (ELSEWHERE,)
        )
    ]


def stop_waiting(store: Store, program_id: str) -> None:
    """The difference is gone, or was flagged. Inside `writing()`."""
    store.write("DELETE FROM pending WHERE program_id = ?", (program_id,))
