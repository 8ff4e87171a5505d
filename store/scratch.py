"""A database for a replay: the programs and pages of another one, as they were at its first cycle.

It is a file in a folder of its own, and goes with it. Bytes of pages are not copied: what a
page states is put beside its hash, so that nobody asks for them.
"""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import pages
from store.database import Store
from store.records import Cycle


@dataclass(frozen=True, slots=True)
class Watched:
    """A page that a program (`program_id`) or an institution (its row) was or is watched on."""

    page_id: int
    program_id: str | None
    institution_id: int | None
    found: str


@contextmanager
def beside(source: Store) -> Iterator[Store]:
    """An empty scratch database, which is deleted at the end of the block.

    Its programs are not watched yet (see `join`), and its pages have not answered.
    """
    with (
        tempfile.TemporaryDirectory(prefix="visawatch-replay-") as folder,
        Store(Path(folder) / "replay.db") as scratch,
    ):
        scratch.db.conn.execute("PRAGMA synchronous = off")  # nobody needs it after a crash
        with scratch.writing():
            for table in ("institutions", "programs"):
                _copy(source, scratch, table)
            scratch.write("UPDATE programs SET removed_at = ''")
            scratch.write_many("INSERT INTO pages (id, url) VALUES (?, ?)", _first_places(source))
        yield scratch


def watches(source: Store) -> list[Watched]:
    """Every watch, also of programs that were removed; and of pages that were merged into others.

    A page that moved to the place of another one gave its watches away; those of the page that
    took it over are given to it as well.
    """
    rows = source.rows("SELECT page_id, program_id, institution_id, found FROM watches")
    found = {Watched(*row) for row in rows}
    for move in reversed(pages.moves(source)):
        heirs = [w for w in found if w.page_id == move.heir and move.heir != move.page_id]
        found |= {Watched(move.page_id, w.program_id, w.institution_id, w.found) for w in heirs}
    return sorted(found, key=lambda w: (w.page_id, w.program_id or "", w.institution_id or 0))


def watch(scratch: Store, watched: Collection[Watched]) -> None:
    """From now on these are watched. Inside `writing()`."""
    scratch.write_many(
        "INSERT OR IGNORE INTO watches (page_id, program_id, institution_id, found)"
        " VALUES (?, ?, ?, ?)",
        [(w.page_id, w.program_id, w.institution_id, w.found) for w in watched],
    )


def memberships(source: Store) -> dict[str, tuple[int, str | None]]:
    """By program id, the cycle in which it was first seen (0: never), and when it was removed."""
    rows = source.rows(
        "SELECT id, removed_at, (SELECT coalesce(min(cycle_id), 0) FROM policies"
        " WHERE program_id = programs.id) AS first FROM programs"
    )
    return {row["id"]: (row["first"], row["removed_at"]) for row in rows}


def join(scratch: Store, program_ids: Collection[str]) -> None:
    """From now on these programs are watched. Inside `writing()`."""
    scratch.write_many(
        "UPDATE programs SET removed_at = NULL WHERE id = ?", [(i,) for i in program_ids]
    )


def leave(scratch: Store, program_id: str, at: str) -> None:
    """This program is watched no more; harmless when it is not. Inside `writing()`."""
    scratch.write(
        "UPDATE programs SET removed_at = ? WHERE id = ? AND removed_at IS NULL", (at, program_id)
    )


def begin(scratch: Store, cycle: Cycle) -> None:
    """A cycle of the other database begins here. Inside `writing()`."""
    scratch.write(
        "INSERT INTO cycles (id, night, started_at) VALUES (?, ?, ?)",
        (cycle.id, cycle.night, cycle.started_at),
    )


def lacking(scratch: Store, snapshot_ids: Collection[int]) -> list[int]:
    """Which of these snapshots are not here yet."""
    rows = scratch.rows(
        "SELECT value AS id FROM json_each(?) WHERE value NOT IN (SELECT id FROM snapshots)",
        (json.dumps(sorted(snapshot_ids)),),
    )
    return [row["id"] for row in rows]


def put(
    source: Store,
    scratch: Store,
    stated: Mapping[int, list[dict[str, Any]]],
    rules: str,
) -> None:
    """Puts the source's snapshots here, without their bytes, with what rules read in them.

    Inside `writing()` of the scratch.
    """
    rows = source.rows(
        "SELECT id, sha256, content_type, size FROM snapshots"
        " WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(stated)),),
    )
    scratch.write_many(
        "INSERT INTO snapshots (id, sha256, content_type, size, body) VALUES (?, ?, ?, ?, x'')",
        [tuple(row) for row in rows],
    )
    scratch.write_many(
        "INSERT INTO readings VALUES (?, ?, ?)",
        [(i, rules, json.dumps(said, ensure_ascii=False)) for i, said in stated.items()],
    )


def _first_places(source: Store) -> list[tuple[int, str]]:
    """Each page with its first address."""
    moved: dict[int, list[pages.Move]] = defaultdict(list)
    for move in pages.moves(source):
        moved[move.page_id].append(move)
    found: dict[str, int] = {}
    for page in pages.listed(source):
        url = pages.was_at(page.url, moved[page.id], 0)
        # Moves in circles can seem to begin at one place; it is the first page's.
        found[url if url not in found else f"{page.url}#{page.id}"] = page.id
    return [(page_id, url) for url, page_id in found.items()]


def _copy(source: Store, scratch: Store, table: str) -> None:
    rows = [tuple(row) for row in source.rows(f"SELECT * FROM {table}")]  # noqa: S608 (ours)
    if rows:
        places = ", ".join("?" * len(rows[0]))
        scratch.write_many(f"INSERT INTO {table} VALUES ({places})", rows)  # noqa: S608 (ours)
