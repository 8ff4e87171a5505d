"""Flagged changes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from store.database import Store, among
from store.errors import NotFound
from store.records import Change

STATUSES = ("open", "accepted", "dismissed", "corrected")


def flag(store: Store, change: Change) -> Change | None:
    """Files `change` (its id is ignored) and gives it back with its id.

    None when this program was already flagged in this cycle: a cycle that was killed and
    goes on flags nothing twice. What has no cycle is always filed. Inside `writing()`.
    """
    new_id = store.write(
        "INSERT OR IGNORE INTO changes (program_id, cycle_id, kind, severity, status, before,"
        " after, url, detected_at, channel) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            change.program_id,
            change.cycle_id,
            change.kind,
            change.severity,
            change.status,
            json.dumps(change.before, ensure_ascii=False),
            json.dumps(change.after, ensure_ascii=False),
            change.url,
            change.detected_at,
            change.channel,
        ),
    )
    if store.rows("SELECT changes() AS n")[0]["n"] == 0:
        return None
    return replace(change, id=new_id)


def get(store: Store, change_id: int) -> Change:
    """One change. Raises NotFound."""
    rows = store.rows("SELECT * FROM changes WHERE id = ?", (change_id,))
    if not rows:
        raise NotFound(f"no change {change_id}; `visawatch changes --status all` lists them")
    return of_row(rows[0])


def listed(store: Store, status: str = "open", *, since_id: int = 0) -> list[Change]:
    """Changes oldest first; `status` is one of STATUSES or `all`."""
    return [
        of_row(row)
        for row in store.rows(
            "SELECT * FROM changes WHERE (?1 = 'all' OR status = ?1) AND id > ?2 ORDER BY id",
            (status, since_id),
        )
    ]


def some(store: Store, change_ids: Collection[int]) -> list[Change]:
    """Those of these changes that there are, oldest first."""
    where, values = among("id", change_ids)
    rows = store.rows(f"SELECT * FROM changes WHERE true{where} ORDER BY id", values)  # noqa: S608
    return [of_row(row) for row in rows]


def since(store: Store, detected_at: str) -> list[Change]:
    """The changes that were detected then or later, oldest first."""
    return [
        of_row(row)
        for row in store.rows(
            "SELECT * FROM changes WHERE detected_at >= ? ORDER BY id", (detected_at,)
        )
    ]


def of_cycle(store: Store, cycle_id: int) -> list[Change]:
    """The changes that one cycle flagged, oldest first."""
    rows = store.rows("SELECT * FROM changes WHERE cycle_id = ? ORDER BY id", (cycle_id,))
    return [of_row(row) for row in rows]


def of_program(store: Store, program_id: str) -> list[Change]:
    """All changes of one program, oldest first."""
    return [
        of_row(row)
        for row in store.rows(
            "SELECT * FROM changes WHERE program_id = ? ORDER BY id", (program_id,)
        )
    ]


def of_wave(store: Store, wave_id: int) -> list[Change]:
    """The changes of one wave, oldest first."""
    return [
        of_row(row)
        for row in store.rows("SELECT * FROM changes WHERE wave_id = ? ORDER BY id", (wave_id,))
    ]


def beside(store: Store, change: Change) -> list[Change]:
    """The changes of its institution that were flagged with it, itself among them, oldest first.

    That is in the same cycle, or at the same moment when it has none.
    """
    rows = store.rows(
        "SELECT * FROM changes WHERE cycle_id IS ?1 AND (?1 IS NOT NULL OR detected_at = ?2)"
        " AND program_id IN (SELECT id FROM programs WHERE institution_id ="
        " (SELECT institution_id FROM programs WHERE id = ?3)) ORDER BY id",
        (change.cycle_id, change.detected_at, change.program_id),
    )
    return [of_row(row) for row in rows]


class Brief(NamedTuple):
    """A change and its program without what the policies say: enough to put many in order.

    A tuple, as it is made of every change that waits, which takes a fifth of the time so.
    """

    id: int
    program_id: str
    cycle_id: int | None
    detected_at: str
    severity: str
    status: str
    wave_id: int | None
    institution: str
    specialty: str


def briefly(store: Store, status: str = "open") -> list[Brief]:
    """Changes oldest first, in brief; `status` is one of STATUSES or `all`."""
    where, values = ("c.status = ?", (status,)) if status != "all" else ("true", ())
    return [
        Brief._make(row)
        for row in store.tuples(
            "SELECT c.id, c.program_id, c.cycle_id, c.detected_at, c.severity, c.status,"  # noqa: S608
            " c.wave_id, i.name, p.specialty FROM changes c JOIN programs p ON p.id = c.program_id"
            f" JOIN institutions i ON i.id = p.institution_id WHERE {where} ORDER BY c.id",
            values,
        )
    ]


def open_by_severity(store: Store) -> dict[str, int]:
    """How many changes wait for a decision."""
    rows = store.rows(
        "SELECT severity, count(*) AS n FROM changes WHERE status = 'open' GROUP BY severity"
    )
    return {row["severity"]: row["n"] for row in rows}


def last_ids(store: Store) -> tuple[int, int]:
    """The last change and the last decision: as long as they are the same, so is all of both."""
    row = store.rows(
        "SELECT coalesce((SELECT max(id) FROM changes), 0) AS change,"
        " coalesce((SELECT max(id) FROM reviews), 0) AS review"
    )[0]
    return row["change"], row["review"]


def of_row(row: sqlite3.Row) -> Change:
    return Change(
        id=row["id"],
        program_id=row["program_id"],
        cycle_id=row["cycle_id"],
        kind=row["kind"],
        severity=row["severity"],
        status=row["status"],
        before=json.loads(row["before"]),
        after=json.loads(row["after"]),
        detected_at=row["detected_at"],
        url=row["url"],
        wave_id=row["wave_id"],
        channel=row["channel"],
    )
