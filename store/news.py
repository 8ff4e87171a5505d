"""Changes as they are told: the newest ones first, and none that is of wording only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from store import changes
from store.database import Store, among
from store.records import Change


def newest(store: Store, most: int, only: Collection[str] | None = None) -> list[Change]:
    """The newest changes of each program, at most so many, less those of wording; oldest first.

    With `only`, of these programs.
    """
    where, values = among("program_id", only)
    return [
        changes.of_row(row)
        for row in store.rows(
            "SELECT * FROM (SELECT *, row_number() OVER"  # noqa: S608
            " (PARTITION BY program_id ORDER BY id DESC) AS age"
            f" FROM changes WHERE severity <> 'minor'{where}) WHERE age <= ? ORDER BY id",
            (*values, most),
        )
    ]


def nights(store: Store, most: int) -> list[list[int]]:
    """The changes less those of wording, by cycle and institution, that with the newest one first.
    What has no cycle goes by its moment.

    Each is a list of ids, the newest first. Of a program, only its newest `most` are there.
    """
    return store.once(("nights", most), lambda: _nights(store, most))


def _nights(store: Store, most: int) -> list[list[int]]:
    rows = store.rows(
        "SELECT c.id, coalesce(c.cycle_id, c.detected_at) AS night, p.institution_id"
        " FROM (SELECT id, program_id, cycle_id, detected_at, row_number() OVER"
        " (PARTITION BY program_id ORDER BY id DESC) AS age"
        " FROM changes WHERE severity <> 'minor') c JOIN programs p ON p.id = c.program_id"
        " WHERE c.age <= ? ORDER BY c.id DESC",
        (most,),
    )
    found: dict[tuple[int | str, int], list[int]] = {}
    for row in rows:
        found.setdefault((row["night"], row["institution_id"]), []).append(row["id"])
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Around:
    """When the nearest changes on both sides of a stretch of time were flagged, if any were."""

    before: str | None
    after: str | None


def between(
    store: Store, since: str, until: str, *, limit: int, offset: int = 0
) -> tuple[int, list[Change]]:
    """How many changes were flagged in that time, and a stretch of them, the newest night first.

    Those of wording are left out. Those of one institution stand together.
    """
    ids = store.once(("told between", since, until), lambda: _between(store, since, until))
    shown = ids[offset : offset + limit]
    by_id = {change.id: change for change in changes.some(store, shown)}
    return len(ids), [by_id[number] for number in shown]


def _between(store: Store, since: str, until: str) -> list[int]:
    # What is sorted is not the policies: they are read of those that are shown.
    rows = store.rows(
        "SELECT c.id FROM changes c JOIN programs p ON p.id = c.program_id"
        " WHERE severity <> 'minor' AND detected_at >= ? AND detected_at < ?"
        " ORDER BY substr(c.detected_at, 1, 10) DESC, c.cycle_id DESC,"
        " p.institution_id, c.id",
        (since, until),
    )
    return [row["id"] for row in rows]


@dataclass(frozen=True, slots=True)
class Sought:
    """Which changes are looked for; what is empty lets all through but those of wording.

    `since` and `until` are times as `stamp` writes them; the first belongs to it, the second not.
    """

    since: str = ""
    until: str = ""
    status: str = ""
    severity: str = ""
    kind: str = ""
    program_id: str = ""
    institution_id: int | None = None


def numbers_of(store: Store, sought: Sought, *, limit: int, before: int | None = None) -> list[int]:
    """The numbers of the changes that are sought, newest first, from before that number."""
    parts = [
        (sql, value)
        for sql, value in (
            ("id < ?", before),
            ("detected_at >= ?", sought.since),
            ("detected_at < ?", sought.until),
            ("status = ?", sought.status),
            ("severity = ?", sought.severity),
            ("kind = ?", sought.kind),
            ("program_id = ?", sought.program_id),
            (
                "program_id IN (SELECT id FROM programs WHERE institution_id = ?)",
                sought.institution_id,
            ),
        )
        if value not in (None, "")
    ]
    where = "".join(f" AND {sql}" for sql, _ in parts)
    rows = store.rows(
        f"SELECT id FROM changes WHERE severity <> 'minor'{where} ORDER BY id DESC LIMIT ?",  # noqa: S608
        (*(value for _, value in parts), limit),
    )
    return [row["id"] for row in rows]


def days_around(store: Store, since: str, until: str = "9999") -> Around:
    """When something was flagged last before a stretch of time, and first after it."""
    row = store.rows(
        "SELECT (SELECT max(detected_at) FROM changes WHERE severity <> 'minor'"
        " AND detected_at < ?) AS before, (SELECT min(detected_at) FROM changes"
        " WHERE severity <> 'minor' AND detected_at >= ?) AS after",
        (since, until),
    )[0]
    return Around(row["before"], row["after"])
