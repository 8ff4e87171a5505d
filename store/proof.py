"""Whether a database is whole: its file, its rows, the bytes of its pages, and its tables' version.

Works on every `Store`, best on a read-only one: nothing is repaired, upgraded or written here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from store import snapshots
from store.database import Store
from store.errors import StoreDamaged, StoreNewer
from store.schema import names

MOST_FAULTS = 5  # of a kind that are named
_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Version:
    """Which migrations a database has had, beside those that this program knows."""

    last: str  # the last one it has had; empty: it is none of ours, or a new one
    missing: tuple[str, ...]  # the next command that opens it brings them
    unknown: tuple[str, ...]  # a later program has brought them


def version(store: Store) -> Version:
    """How old a database is."""
    known = names()
    tables = "SELECT 1 FROM sqlite_schema WHERE name = '_sqlite_migrations'"
    applied: list[str] = []
    if store.rows(tables):
        rows = store.rows(
            "SELECT name FROM _sqlite_migrations WHERE migration_set = 'visawatch' ORDER BY id"
        )
        applied = [row["name"] for row in rows]
    return Version(
        last=applied[-1] if applied else "",
        missing=tuple(name for name in known if name not in applied),
        unknown=tuple(name for name in applied if name not in known),
    )


def faults(store: Store) -> list[str]:
    """What is damaged, a few of each kind; nothing: every page, row and snapshot is whole."""
    found = [row[0] for row in store.rows(f"PRAGMA integrity_check({MOST_FAULTS})")]
    if found != ["ok"]:
        return [" ".join(words.split()) for words in found]
    return [*_orphans(store), *_spoilt_snapshots(store)]


def _orphans(store: Store) -> Iterator[str]:
    rows = store.rows("PRAGMA foreign_key_check")
    for row in rows[:MOST_FAULTS]:
        yield f"row {row['rowid']} of {row['table']} names a row of {row['parent']} that is missing"


def _spoilt_snapshots(store: Store) -> Iterator[str]:
    """SQLite does not see a changed byte in a row: of snapshots, their hash tells."""
    if not store.rows("SELECT 1 FROM sqlite_schema WHERE name = 'snapshots'"):
        return
    left = MOST_FAULTS
    for row in store.rows("SELECT id FROM snapshots ORDER BY id"):
        try:
            snapshots.get(store, row["id"])
        except StoreDamaged as error:
            yield str(error)
            left -= 1
        if not left:
            return


def prove(store: Store) -> None:
    """Raises StoreDamaged or StoreNewer for what cannot be relied on, or is no database of ours."""
    found = version(store)
    if found.unknown:
        raise StoreNewer(
            f"{store.path}: written by a later version of VisaWatch "
            f"(it has {', '.join(found.unknown)}); upgrade VisaWatch first"
        )
    if not found.last:
        raise StoreDamaged(f"{store.path}: not a database of VisaWatch: it has none of its tables")
    if damage := faults(store):
        raise StoreDamaged(f"{store.path}: damaged: {'; '.join(damage)}")


def cut(path: Path) -> tuple[int, int] | None:
    """The bytes that a file has and should have, when it has fewer: it was truncated.

    A log (`-wal`) may hold the rest; with one, SQLite itself has to say.
    """
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        return None
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100 or not head.startswith(_MAGIC) or head[24:28] != head[92:96]:
        return None  # no database, or its head does not know its length (fileformat2, 1.3.7)
    size = int.from_bytes(head[16:18], "big")
    whole = (65536 if size == 1 else size) * int.from_bytes(head[28:32], "big")
    there = path.stat().st_size
    return (there, whole) if there < whole else None


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many rows each table has."""
    tables = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%'"
        " ESCAPE '~' ORDER BY name"
    )
    return {
        name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])  # noqa: S608
        for (name,) in tables.fetchall()
    }
