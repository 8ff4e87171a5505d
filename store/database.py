"""Opens the database, and holds the one way to write to it."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from store.errors import StoreNewer, explained
from store.memory import Key, Memory, Value
from store.schema import migrations, names
from store.sqlite import Database

BUSY_SECONDS = 10  # how long to wait for another writer before saying so


class Store:
    """An open database. Belongs to the thread that opened it.

    Raises a `StoreError` (see store.errors) when the file cannot be used as it is: locked,
    read-only, damaged, or written by a later version. Reads may be done at any time; writes
    only inside `writing()`. With `read_only`, it may go from thread to thread and cannot be
    written through; the tables must be there.
    """

    def __init__(
        self, path: Path | str, *, busy_seconds: float = BUSY_SECONDS, read_only: bool = False
    ) -> None:
        self.path = Path(path)
        self.remembered: tuple[Memory, int] | None = None  # of a reader: see store.reading
        if not read_only:
            _make_private(self.path)
        with explained(self.path):
            connection = (_reader if read_only else sqlite3.connect)(
                self.path, timeout=busy_seconds
            )
            try:
                self.db = Database(connection, execute_plugins=False)
                if not read_only:
                    self._prepare(busy_seconds)
            except BaseException:
                connection.close()
                raise

    def _prepare(self, busy_seconds: float) -> None:
        connection = self.db.conn
        _use_wal(connection, busy_seconds)
        # NORMAL survives a killed process; a power cut can lose the last commits, never
        # damage the file (sqlite.org/wal.html): a cycle then fetches those pages again.
        connection.execute("PRAGMA synchronous = normal")
        connection.execute("PRAGMA foreign_keys = on")
        applied = {migration.name for migration in migrations.applied(self.db)}
        if unknown := applied.difference(names()):
            raise StoreNewer(
                f"{self.path}: written by a later version of VisaWatch "
                f"(it has {', '.join(sorted(unknown))}). Upgrade VisaWatch, or name another "
                "file with --db; nothing was changed."
            )
        if migrations.pending(self.db):
            with self.writing():  # so that two processes do not both create the tables
                migrations.apply(self.db)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction, which takes the write lock at once; nested, a part of the outer one.

        Raises StoreLocked after `BUSY_SECONDS`, StoreReadOnly or StoreFull; what was written
        inside is then rolled back as a whole.
        """
        connection = self.db.conn
        if connection.in_transaction:
            yield
            return
        with explained(self.path):
            # Not db.atomic(): its deferred BEGIN can meet "database is locked" at its first
            # write, however long the busy timeout is.
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                connection.execute("COMMIT")
            except BaseException:
                connection.rollback()
                raise

    def rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        """The rows of a SELECT, each readable by column name."""
        with explained(self.path):
            cursor = self.db.conn.cursor()
            cursor.row_factory = sqlite3.Row
            return cursor.execute(sql, parameters).fetchall()

    def tuples(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """The rows of a SELECT as plain tuples, which cost a third of what `rows` gives."""
        with explained(self.path):
            return self.db.conn.execute(sql, parameters).fetchall()

    def stream(self, sql: str, parameters: tuple[Any, ...] = ()) -> Iterator[Any]:
        """The same, one after the other: for tables that are too large to hold."""
        with explained(self.path):
            yield from self.db.conn.execute(sql, parameters)

    def once(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` gives, which must follow from the database and the key alone.

        One of `Readers` makes it once for as long as nothing is written to the database. The
        value is handed to all who ask: nobody may change it.
        """
        if self.remembered is None:
            return make()
        memory, moment = self.remembered
        return memory.get(moment, key, make)

    def each(
        self,
        kind: Hashable,
        keys: Collection[Key],
        make: Callable[[list[Key]], Mapping[Key, Value]],
    ) -> dict[Key, Value]:
        """By key, what `make` gives for some keys: the same as `once` for the rows of a list.

        Of the keys, `make` is given those that nobody has asked for since the last write.
        """
        if self.remembered is None:
            return dict(make(list(keys)))
        memory, moment = self.remembered
        return memory.each(moment, kind, keys, make)

    def write(self, sql: str, parameters: tuple[Any, ...] = ()) -> int:
        """Runs one statement inside `writing()`; gives back the new row's id, if any."""
        assert self.db.conn.in_transaction, "writes belong inside Store.writing()"  # noqa: S101
        return int(self.db.conn.execute(sql, parameters).lastrowid or 0)

    def write_many(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Runs one statement for many rows, inside `writing()`."""
        assert self.db.conn.in_transaction, "writes belong inside Store.writing()"  # noqa: S101
        self.db.conn.executemany(sql, rows)

    def close(self) -> None:
        """Closes the connection; a transaction that is open is rolled back."""
        self.db.conn.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def among(
    column: str, only: Collection[str] | Collection[int] | None
) -> tuple[str, tuple[str, ...]]:
    """SQL that narrows a WHERE to some values of a column, with its parameters; None: to all.

    >>> among("p.id", None), among("p.id", ["a"])
    (('', ()), (' AND p.id IN (SELECT value FROM json_each(?))', ('["a"]',)))
    """
    if only is None:
        return "", ()
    return f" AND {column} IN (SELECT value FROM json_each(?))", (json.dumps(list(only)),)  # noqa: S608


def _make_private(path: Path) -> None:
    """Makes a new file that only its owner may read: addresses and log-ins will be in it.

    SQLite gives the files beside it the same permissions. What is in the way, it says itself.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _reader(path: Path, timeout: float) -> sqlite3.Connection:
    """A connection that refuses every write, and that any thread may use."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=timeout, check_same_thread=False
    )
    connection.execute("PRAGMA query_only = on")
    return connection


def _use_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Makes a new file a write-ahead one; harmless when it is."""
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
        return
    until = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = wal")
        except sqlite3.OperationalError as error:
            # Of two processes that do this at once, one is turned away without any waiting.
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
