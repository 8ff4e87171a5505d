"""Connections that only read, for a server that answers many at once."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from store.database import Store

MOST_IDLE = 16  # connections that are kept for the next reader


class Readers:
    """Lends connections to the database at `path`, each to one thread at a time.

    Every loan sees the database as it was at one moment, however much is written meanwhile
    (sqlite.org/isolation.html).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: queue.LifoQueue[Store] = queue.LifoQueue(MOST_IDLE)

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """A store that cannot be written through. Raises StoreError."""
        try:
            store = self._idle.get_nowait()
        except queue.Empty:
            store = Store(self.path, read_only=True)
        try:
            store.db.conn.execute("BEGIN")
            yield store
        finally:
            store.db.conn.rollback()
            try:
                self._idle.put_nowait(store)
            except queue.Full:
                store.close()

    def close(self) -> None:
        """Closes the idle connections."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()
