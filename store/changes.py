"""Flagged changes, their reviews, and the differences that wait to be seen a second time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from store.database import Store, among
from store.errors import NotFound
from store.records import Change, Review

UNCONFIRMED = "unconfirmed"  # the kind of a difference that the second look did not show
HELD = "held"  # and of one that goes back and forth (see monitor.flapping)
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


def listed(store: Store, status: str = "open", *, since_id: int = 0) -> list[Change]:
    """Changes oldest first; `status` is one of STATUSES or `all`."""
    return [
        _change(row)
        for row in store.rows(
            "SELECT * FROM changes WHERE (?1 = 'all' OR status = ?1) AND id > ?2 ORDER BY id",
            (status, since_id),
        )
    ]


@dataclass(frozen=True, slots=True)
class Brief:
    """A change and its program without what the policies say: enough to put many in order."""

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
        Brief(*row)
        for row in store.rows(
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


def of_cycle(store: Store, cycle_id: int) -> list[Change]:
    """The changes that one cycle flagged, oldest first."""
    rows = store.rows("SELECT * FROM changes WHERE cycle_id = ? ORDER BY id", (cycle_id,))
    return [_change(row) for row in rows]


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
    return [_change(row) for row in rows]


def of_program(store: Store, program_id: str) -> list[Change]:
    """All changes of one program, oldest first."""
    return [
        _change(row)
        for row in store.rows(
            "SELECT * FROM changes WHERE program_id = ? ORDER BY id", (program_id,)
        )
    ]


def newest(store: Store, most: int, only: Collection[str] | None = None) -> list[Change]:
    """The newest changes of each program, at most so many, less those of wording; oldest first.

    With `only`, of these programs.
    """
    where, values = among("program_id", only)
    return [
        _change(row)
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


def some(store: Store, change_ids: Collection[int]) -> list[Change]:
    """Those of these changes that there are, oldest first."""
    where, values = among("id", change_ids)
    rows = store.rows(f"SELECT * FROM changes WHERE true{where} ORDER BY id", values)  # noqa: S608
    return [_change(row) for row in rows]


def last_ids(store: Store) -> tuple[int, int]:
    """The last change and the last decision: as long as they are the same, so is all of both."""
    row = store.rows(
        "SELECT coalesce((SELECT max(id) FROM changes), 0) AS change,"
        " coalesce((SELECT max(id) FROM reviews), 0) AS review"
    )[0]
    return row["change"], row["review"]


@dataclass(frozen=True, slots=True)
class Around:
    """When the nearest changes on both sides of a stretch of time were flagged, if any were."""

    before: str | None
    after: str | None


_TOLD = "severity <> 'minor' AND detected_at >= ? AND detected_at < ?"


def told_between(
    store: Store, since: str, until: str, *, limit: int, offset: int = 0
) -> tuple[int, list[Change]]:
    """How many changes were flagged in that time, and a stretch of them, the newest night first.

    Those of wording are left out. Those of one institution stand together.
    """
    ids = store.once(("told between", since, until), lambda: _told_between(store, since, until))
    shown = ids[offset : offset + limit]
    by_id = {change.id: change for change in some(store, shown)}
    return len(ids), [by_id[number] for number in shown]


def _told_between(store: Store, since: str, until: str) -> list[int]:
    # What is sorted is not the policies: they are read of those that are shown.
    rows = store.rows(
        "SELECT c.id FROM changes c JOIN programs p ON p.id = c.program_id"  # noqa: S608
        f" WHERE {_TOLD} ORDER BY substr(c.detected_at, 1, 10) DESC, c.cycle_id DESC,"
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


def told_before(
    store: Store, sought: Sought, *, limit: int, before: int | None = None
) -> list[int]:
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


def last_reviews(store: Store, only: Collection[int]) -> dict[int, Review]:
    """By change, the decision that holds, for those of these that have one."""
    where, values = among("change_id", only)
    made: dict[int, list[Review]] = {}
    for row in store.rows(f"SELECT * FROM reviews WHERE true{where} ORDER BY id", values):  # noqa: S608
        made.setdefault(row["change_id"], []).append(_review(row))
    held = {number: holding(decisions) for number, decisions in made.items()}
    return {number: review for number, review in held.items() if review is not None}


def since(store: Store, detected_at: str) -> list[Change]:
    """The changes that were detected then or later, oldest first."""
    return [
        _change(row)
        for row in store.rows(
            "SELECT * FROM changes WHERE detected_at >= ? ORDER BY id", (detected_at,)
        )
    ]


def of_wave(store: Store, wave_id: int) -> list[Change]:
    """The changes of one wave, oldest first."""
    return [
        _change(row)
        for row in store.rows("SELECT * FROM changes WHERE wave_id = ? ORDER BY id", (wave_id,))
    ]


def get(store: Store, change_id: int) -> Change:
    """One change. Raises NotFound."""
    rows = store.rows("SELECT * FROM changes WHERE id = ?", (change_id,))
    if not rows:
        raise NotFound(f"no change {change_id}; `visawatch changes --status all` lists them")
    return _change(rows[0])


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
        holds = holding(reviews(store, review.change_id))
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


def reviews(store: Store, change_id: int) -> list[Review]:
    """All decisions on one change, oldest first."""
    rows = store.rows("SELECT * FROM reviews WHERE change_id = ? ORDER BY id", (change_id,))
    return [_review(row) for row in rows]


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


def reviews_of_reading(store: Store, program_id: str) -> list[Review]:
    """All decisions on what a program's pages say that no change led to, oldest first."""
    rows = store.rows("SELECT * FROM reviews WHERE program_id = ? ORDER BY id", (program_id,))
    return [_review(row) for row in rows]


def all_reviews(store: Store) -> list[Review]:
    """All decisions on all changes, oldest first."""
    rows = store.rows("SELECT * FROM reviews WHERE change_id IS NOT NULL ORDER BY id")
    return [_review(row) for row in rows]


def standing_reviews(store: Store, only: Collection[str]) -> dict[str, Review]:
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
            review = holding(reviews(store, row["change_id"]))
        stands_by = {"read": ("accepted",), "fused": ("accepted", "corrected")}.get(
            row["origin"], (row["origin"],)
        )
        if review is not None and review.verdict in stands_by:
            found[row["stands_for"]] = review
    return found


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
        for row in store.rows("SELECT DISTINCT program_id FROM pending ORDER BY 1")
    ]


def stop_waiting(store: Store, program_id: str) -> None:
    """The difference is gone, or was flagged. Inside `writing()`."""
    store.write("DELETE FROM pending WHERE program_id = ?", (program_id,))


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


def _change(row: sqlite3.Row) -> Change:
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
