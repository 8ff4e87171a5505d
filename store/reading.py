"""Connections that only read, for a server that answers many at once."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

from store.database import Store
from store.errors import StoreDamaged
from store.memory import Memory

MOST_IDLE = 16  # connections that are kept for the next reader


class Readers:
    """Lends connections to the database at `path`, each to one thread at a time.

    Every loan sees the database as it was at one moment, however much is written meanwhile
    (sqlite.org/isolation.html). What `Store.once` makes is kept for all of them until something
    is written, by whatever process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: queue.LifoQueue[Store] = queue.LifoQueue(MOST_IDLE)
        self._memory = Memory()
        self._lock = Lock()
        self._watcher: Store | None = None
        self._seen, self._moment = -1, 0

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """A store that cannot be written through. Raises StoreError."""
        try:
            store = self._idle.get_nowait()
        except queue.Empty:
            store = Store(self.path, read_only=True)
        try:
            before = self._now()
            store.db.conn.execute("BEGIN")
            store.rows("SELECT 1 FROM sqlite_schema LIMIT 1")  # BEGIN alone sees no moment yet
            # When something was written in between, nobody knows which moment it is.
            unsure = self._now() != before
            store.remembered = None if unsure else (self._memory, before)
            yield store
        except StoreDamaged:
            # Whoever puts a whole file in its place is not to meet this one again.
            store.close()
            self.close()
            raise
        except BaseException:
            self._back(store)
            raise
        else:
            self._back(store)

    def _back(self, store: Store) -> None:
        store.db.conn.rollback()
        try:
            self._idle.put_nowait(store)
        except queue.Full:
            store.close()

    def _now(self) -> int:
        """The moment: a number that rises whenever the database was written to."""
        with self._lock:
            if self._watcher is None:
                self._watcher = Store(self.path, read_only=True)
            # Only numbers of one connection can be compared (sqlite.org/pragma.html).
            seen = self._watcher.rows("PRAGMA data_version")[0][0]
            if seen != self._seen:
                self._seen, self._moment = seen, self._moment + 1
            return self._moment

    def close(self) -> None:
        """Closes the idle connections."""
        with self._lock:
            if self._watcher is not None:
                self._watcher.close()
                self._watcher, self._seen = None, -1
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()
