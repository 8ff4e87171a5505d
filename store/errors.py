"""What can be wrong with the database; every message says what to do about it.

StoreError
├── StoreLocked       another process holds the database
├── StoreReadOnly     the file or its folder may not be written
├── StoreNewer        written by a later version of VisaWatch
├── StoreDamaged      not a SQLite database, or a broken one
├── StoreFull         the disk is full
├── StoreExists       a copy would take the place of something
└── NotFound          no such program, change, subscription ...
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StoreError(Exception):
    """A fault of the database, in words for a maintainer."""


class StoreLocked(StoreError):
    """Another process holds the database."""


class StoreReadOnly(StoreError):
    """The database cannot be written."""


class StoreNewer(StoreError):
    """The database was written by a later version."""


class StoreDamaged(StoreError):
    """The file is not a database, or a broken one."""


class StoreFull(StoreError):
    """The disk is full."""


class StoreExists(StoreError):
    """What is there would be overwritten."""


class NotFound(StoreError):
    """There is no such row."""


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns SQLite's errors about the file at `path` into ours; others pass as they are."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        ours = _explain(path, error)
        if ours is None:
            raise
        raise ours from error


def _explain(path: Path, error: sqlite3.DatabaseError) -> StoreError | None:
    text = str(error)
    # The extended code's low byte is the primary one (sqlite.org/rescode.html).
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return StoreLocked(
            f"{path}: another process holds the database; nothing was written. "
            "Wait until it has finished, or stop it, and run the command again."
        )
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_DBMOVED:
        return StoreReadOnly(
            f"{path}: another database was put in its place while it was opened; nothing was "
            "written. Run the command again."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return StoreReadOnly(
            f"{path}: the database cannot be written ({text}). "
            "Give this user write access to the file and its folder, or name another with --db."
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return StoreReadOnly(
            f"{path}: the database cannot be opened ({text}). "
            "Its folder must exist and be writable; name another file with --db."
        )
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return StoreDamaged(
            f"{path}: not a SQLite database, or a damaged one ({text}). "
            "Name another file with --db, or put a backup in its place."
        )
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return StoreFull(
            f"{path}: the disk is full or failing ({text}); the last step was rolled back. "
            "Free some space and run the command again: it goes on where it stopped."
        )
    return None
