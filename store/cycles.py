"""Cycles, what was observed in them, and the lease that lets one run at a time."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from store import search
from store.database import Store, among
from store.records import Cycle, Observation


def open_one(store: Store, started_at: str, night: str | None = None) -> tuple[Cycle, bool]:
    """The cycle that was begun and not finished, to go on with it; else a new one.

    The second value says that it is gone on with. Inside `writing()`.
    """
    rows = store.rows("SELECT * FROM cycles WHERE finished_at IS NULL ORDER BY id LIMIT 1")
    if rows:
        if night is not None and rows[0]["night"] is None:
            store.write("UPDATE cycles SET night = ? WHERE id = ?", (night, rows[0]["id"]))
        return _cycle(rows[0]), True
    new_id = store.write(
        "INSERT INTO cycles (night, started_at) VALUES (?, ?)", (night, started_at)
    )
    return Cycle(new_id, started_at, night=night), False


def finish(store: Store, cycle_id: int, finished_at: str, summary: dict[str, Any]) -> None:
    """The cycle is done. Inside `writing()`."""
    store.write(
        "UPDATE cycles SET finished_at = ?, summary = ? WHERE id = ?",
        (finished_at, json.dumps(summary), cycle_id),
    )
    search.note_checks(store)


def of_night(store: Store, night: str) -> Cycle | None:
    """The cycle that was run for a planned night, if any."""
    rows = store.rows("SELECT * FROM cycles WHERE night = ?", (night,))
    return _cycle(rows[0]) if rows else None


def listed(store: Store) -> list[Cycle]:
    """All cycles, oldest first."""
    return [_cycle(row) for row in store.rows("SELECT * FROM cycles ORDER BY id")]


def first(store: Store) -> Cycle | None:
    """The first of all, if there was one."""
    rows = store.rows("SELECT * FROM cycles ORDER BY id LIMIT 1")
    return _cycle(rows[0]) if rows else None


def last_finished(store: Store) -> Cycle | None:
    """The last cycle that is done, if there was one."""
    rows = store.rows("SELECT * FROM cycles WHERE finished_at IS NOT NULL ORDER BY id DESC LIMIT 1")
    return _cycle(rows[0]) if rows else None


def under_way(store: Store) -> bool:
    """Whether a cycle was begun and is not finished."""
    return bool(store.rows("SELECT 1 FROM cycles WHERE finished_at IS NULL LIMIT 1"))


def waiting(store: Store) -> bool:
    """Whether a difference waits to be seen in another cycle."""
    return bool(store.rows("SELECT 1 FROM pending LIMIT 1"))


def observe(store: Store, observations: Sequence[Observation]) -> None:
    """Files observations; one that is there is replaced. Inside `writing()`."""
    store.write_many(
        "INSERT OR REPLACE INTO observations VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (o.page_id, o.cycle_id, o.attempt, o.at, o.health, o.snapshot_id, o.detail)
            for o in observations
        ],
    )


def observations(store: Store, cycle_id: int) -> list[Observation]:
    """All attempts of a cycle, the first ones first, by page id."""
    rows = store.rows(
        "SELECT o.* FROM pages g CROSS JOIN observations o"
        " ON o.page_id = g.id AND o.cycle_id = ? ORDER BY o.attempt, o.page_id",
        (cycle_id,),
    )
    return [_observation(row) for row in rows]


def of_page(store: Store, page_id: int) -> list[Observation]:
    """All observations of a page, oldest first."""
    rows = store.rows(
        "SELECT * FROM observations WHERE page_id = ? ORDER BY cycle_id, attempt", (page_id,)
    )
    return [_observation(row) for row in rows]


def first_sights(store: Store) -> dict[int, int]:
    """By page id, the first cycle that observed it."""
    rows = store.rows("SELECT page_id, min(cycle_id) AS first FROM observations GROUP BY page_id")
    return {row["page_id"]: row["first"] for row in rows}


def observed(
    store: Store, cycle_id: int, only: Collection[int] | None = None
) -> dict[int, Observation]:
    """By page id, the latest attempt of each page that this cycle has observed.

    With `only`, of these pages.
    """
    where, values = among("g.id", only)
    rows = store.rows(
        "SELECT o.* FROM pages g CROSS JOIN observations o"  # noqa: S608
        f" ON o.page_id = g.id AND o.cycle_id = ? WHERE true{where}"
        " ORDER BY o.page_id, o.attempt",
        (cycle_id, *values),
    )
    return {row["page_id"]: _observation(row) for row in rows}


def seen_pages(store: Store, cycle_id: int, only: Collection[int]) -> set[int]:
    """Those of these pages whose latest attempt in this cycle saw the page itself."""
    found = observed(store, cycle_id, only)
    return {page for page, o in found.items() if o.snapshot_id is not None}


def answered_pages(store: Store, cycle_id: int, only: Collection[int]) -> set[int]:
    """Those whose latest attempt in this cycle saw the page, or saw that it is gone."""
    return {
        page
        for page, o in observed(store, cycle_id, only).items()
        if o.snapshot_id is not None or o.health in ("gone", "soft_404")
    }


def unseen_pages(store: Store, cycle_id: int) -> dict[int, Observation]:
    """By page id, the latest attempt of each page that this cycle has asked for and not seen."""
    asked = [
        row[0]
        for row in store.stream(
            # `health` is that of the last observation.
            "SELECT g.id FROM pages g CROSS JOIN observations o ON o.page_id = g.id"
            " AND o.cycle_id = ? WHERE g.health NOT IN ('ok', 'not_modified') GROUP BY g.id",
            (cycle_id,),
        )
    ]
    return observed(store, cycle_id, asked)


def gone(store: Store, cycles: int, only: Collection[int] | None = None) -> set[int]:
    """The pages that were gone in so many cycles, or more, since they were last seen.

    With `only`, those of them with these ids.
    """
    where, values = among("g.id", only)
    rows = store.rows(
        "SELECT g.id FROM pages g CROSS JOIN observations o ON o.page_id = g.id AND o.cycle_id >"  # noqa: S608
        " coalesce((SELECT cycle_id FROM observations WHERE page_id = g.id"
        " AND health IN ('ok', 'not_modified') ORDER BY cycle_id DESC LIMIT 1), 0)"
        f" WHERE o.health IN ('gone', 'soft_404'){where}"
        " GROUP BY g.id HAVING count(DISTINCT o.cycle_id) >= ?",
        (*values, cycles),
    )
    return {row["id"] for row in rows}


def gone_of_late(store: Store, only: Collection[int] | None = None) -> set[int]:
    """The pages that were gone when they were last asked for; with `only`, of these ids."""
    where, values = among("id", only)
    sql = f"SELECT id FROM pages WHERE health IN ('gone', 'soft_404'){where}"  # noqa: S608
    return {row[0] for row in store.tuples(sql, values)}


def unseen_of_late(store: Store) -> set[int]:
    """The pages that were not seen when they were last asked for, whatever kept them from it."""
    rows = store.tuples("SELECT id FROM pages WHERE health NOT IN ('ok', 'not_modified')")
    return {row[0] for row in rows}


_WATCHED = (
    "EXISTS (SELECT 1 FROM watches w LEFT JOIN programs p ON p.id = w.program_id"
    " WHERE w.page_id = pages.id AND (w.institution_id IS NOT NULL OR p.removed_at IS NULL))"
)


def healths(store: Store) -> dict[str, int]:
    """How many watched pages had which health last; `never_seen`: none yet."""

    def counted() -> dict[str, int]:
        rows = store.rows(
            f"SELECT health, count(*) AS n FROM pages WHERE {_WATCHED} GROUP BY health"  # noqa: S608
        )
        return {row["health"]: row["n"] for row in rows}

    return store.once("healths", counted)


def with_health(store: Store, healths: Collection[str]) -> list[str]:
    """The URLs of the watched pages that had one of these healths last."""
    where, values = among("health", healths)
    rows = store.rows(f"SELECT url FROM pages WHERE {_WATCHED}{where}", values)  # noqa: S608
    return [row["url"] for row in rows]


def latest(store: Store, only: Collection[int] | None = None) -> dict[int, Observation]:
    """By page id, the last observation of each page; with `only`, of these pages."""
    return _last_of_each(store, only, good=False)


def latest_good(store: Store, only: Collection[int] | None = None) -> dict[int, Observation]:
    """By page id, the last observation in which the page itself was seen; `only` as above."""
    return _last_of_each(store, only, good=True)


def good_snapshots(store: Store, page_ids: Collection[int], cycle_id: int) -> dict[int, int]:
    """By page id, the snapshot that each of these pages was last seen with, up to a cycle."""
    rows = store.rows(
        "SELECT g.id, (SELECT snapshot_id FROM observations WHERE page_id = g.id"
        " AND cycle_id <= ?2 AND health IN ('ok', 'not_modified')"
        " ORDER BY cycle_id DESC, attempt DESC LIMIT 1) AS snapshot_id"
        " FROM pages g WHERE g.id IN (SELECT value FROM json_each(?1))",
        (json.dumps(sorted(page_ids)), cycle_id),
    )
    return {row["id"]: row["snapshot_id"] for row in rows if row["snapshot_id"] is not None}


def snapshots_before_last(store: Store, page_ids: Collection[int]) -> dict[int, int]:
    """By page id, the snapshot with which each of these pages was seen the time before the last."""
    rows = store.rows(
        "SELECT g.id, (SELECT snapshot_id FROM observations WHERE page_id = g.id"
        " AND health IN ('ok', 'not_modified')"
        " ORDER BY cycle_id DESC, attempt DESC LIMIT 1 OFFSET 1) AS snapshot_id"
        " FROM pages g WHERE g.id IN (SELECT value FROM json_each(?1))",
        (json.dumps(sorted(page_ids)),),
    )
    return {row["id"]: row["snapshot_id"] for row in rows if row["snapshot_id"] is not None}


def unhealthy_cycles(store: Store, page_id: int) -> int:
    """In how many cycles, up to the last, the page was not seen."""
    row = store.rows(
        "SELECT count(DISTINCT cycle_id) AS n FROM observations WHERE page_id = ?1 AND cycle_id >"
        " coalesce((SELECT max(cycle_id) FROM observations WHERE page_id = ?1"
        " AND health IN ('ok', 'not_modified')), 0)",
        (page_id,),
    )[0]
    return int(row["n"])


def answered_since(store: Store, program_id: str, cycle_id: int) -> int:
    """In how many later cycles a page that speaks for the program was seen, or seen to be gone."""
    row = store.rows(
        "SELECT count(DISTINCT o.cycle_id) AS n FROM observations o WHERE o.cycle_id > ?2"
        " AND (o.snapshot_id IS NOT NULL OR o.health IN ('gone', 'soft_404')) AND o.page_id IN"
        " (SELECT page_id FROM watches WHERE program_id = ?1 UNION SELECT w.page_id FROM watches w"
        " JOIN programs p ON p.institution_id = w.institution_id WHERE p.id = ?1)",
        (program_id, cycle_id),
    )[0]
    return int(row["n"])


# The programs for which pages in the table `news` speak, removed ones among them.
_SPOKEN_FOR = (
    "SELECT program_id FROM watches WHERE page_id IN news AND program_id IS NOT NULL"
    " UNION SELECT p.id FROM watches w JOIN programs p"
    " ON p.institution_id = w.institution_id WHERE w.page_id IN news"
)


def moved_programs(store: Store, cycle_id: int) -> list[str]:
    """The programs for which this cycle may have news, by id; for all others nothing moved.

    One of their pages has new bytes, or is gone; or the program has no policy yet; or it waits
    for a difference to be seen again.
    """
    rows = store.rows(
        "WITH news(id) AS (SELECT g.id FROM pages g WHERE g.changed_cycle = ?1 UNION"  # noqa: S608
        " SELECT g.id FROM pages g CROSS JOIN observations o ON o.page_id = g.id"
        " AND o.cycle_id = ?1 WHERE o.health IN ('gone', 'soft_404')),"
        f" moved(id) AS ({_SPOKEN_FOR}"
        " UNION SELECT program_id FROM pending"
        " UNION SELECT id FROM programs WHERE id NOT IN (SELECT program_id FROM policies))"
        " SELECT id FROM programs WHERE removed_at IS NULL AND id IN moved ORDER BY id",
        (cycle_id,),
    )
    return [row["id"] for row in rows]


def renewed_programs(store: Store, cycle_id: int) -> list[str]:
    """The programs one of whose pages got new bytes after this cycle's first look, by id."""
    rows = store.rows(
        "WITH news(id) AS (SELECT g.id FROM pages g WHERE g.changed_cycle = ?1"  # noqa: S608
        " AND g.snapshot_id IS NOT (SELECT snapshot_id FROM observations"
        " WHERE page_id = g.id AND cycle_id = ?1 AND attempt = 0)),"
        f" renewed(id) AS ({_SPOKEN_FOR})"
        " SELECT id FROM programs WHERE removed_at IS NULL AND id IN renewed ORDER BY id",
        (cycle_id,),
    )
    return [row["id"] for row in rows]


def discovered(store: Store, target: str, cycle_id: int, fetched: int, kept: int) -> None:
    """A search for a target's pages was made in this cycle. Inside `writing()`."""
    store.write(
        "INSERT OR REPLACE INTO discoveries VALUES (?, ?, ?, ?)",
        (target, cycle_id, fetched, kept),
    )


def last_discovery(store: Store, targets: Iterable[str]) -> dict[str, int]:
    """By target, the last cycle that looked for the pages of it, of these targets."""
    where, values = among("target", list(targets))
    rows = store.tuples(
        f"SELECT target, max(cycle_id) FROM discoveries WHERE true{where} GROUP BY target",  # noqa: S608
        values,
    )
    return dict(rows)


def _last_of_each(
    store: Store, only: Collection[int] | None, *, good: bool
) -> dict[int, Observation]:
    where, values = among("g.id", only)
    rows = store.rows(
        "SELECT o.* FROM pages g CROSS JOIN observations o ON o.page_id = g.id"  # noqa: S608
        " AND (o.cycle_id, o.attempt) = (SELECT cycle_id, attempt FROM observations"
        " WHERE page_id = g.id AND (NOT ? OR health IN ('ok', 'not_modified'))"
        f" ORDER BY cycle_id DESC, attempt DESC LIMIT 1) WHERE true{where}",
        (good, *values),
    )
    return {row["page_id"]: _observation(row) for row in rows}


def _cycle(row: sqlite3.Row) -> Cycle:
    summary = None if row["summary"] is None else json.loads(row["summary"])
    return Cycle(row["id"], row["started_at"], row["finished_at"], row["night"], summary)


def _observation(row: sqlite3.Row) -> Observation:
    return Observation(
        page_id=row["page_id"],
        cycle_id=row["cycle_id"],
        attempt=row["attempt"],
        at=row["at"],
        health=row["health"],
        snapshot_id=row["snapshot_id"],
        detail=row["detail"],
    )
