"""A lease: the right to run that one process has at a time.

A lease is held as long as its process lives, and is free at once when it was killed. On the
holder's own machine that is seen from the process itself (its id and start time), so that a
clock that jumps changes nothing; for a holder on another machine (a database on a shared disk)
only the time of its last renewal is known.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from store.database import Store
from store.records import stamp

STALE_AFTER = timedelta(minutes=15)  # without a renewal, for holders on other machines


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has taken a lease, and whether that process still runs."""

    lease: str
    host: str
    pid: int
    renewed_at: str
    alive: bool

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, which holds the lease '{self.lease}',"


def take(store: Store, name: str, now: datetime) -> str | None:
    """Takes the lease, or says in a sentence who holds it. Taking one's own again renews it."""
    host, pid, start = socket.gethostname(), os.getpid(), _process_start(os.getpid())
    with store.writing():
        rows = store.rows("SELECT * FROM leases WHERE name = ?", (name,))
        if rows:
            holder = (rows[0]["host"], rows[0]["pid"], rows[0]["process_start"])
            if holder != (host, pid, start) and _alive(*holder, rows[0]["renewed_at"], now):
                return f"process {holder[1]} on {holder[0]} is already running it"
        store.write(
            "INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?, ?)",
            (name, host, pid, start, stamp(now)),
        )
    return None


def holders(store: Store, now: datetime) -> list[Holder]:
    """Who has taken which lease and not given it back, alive or not."""
    if not store.rows("SELECT 1 FROM sqlite_schema WHERE name = 'leases'"):
        return []
    rows = store.rows("SELECT * FROM leases ORDER BY name")
    return [
        Holder(
            row["name"],
            row["host"],
            row["pid"],
            row["renewed_at"],
            _alive(row["host"], row["pid"], row["process_start"], row["renewed_at"], now),
        )
        for row in rows
    ]


def clear(store: Store) -> None:
    """Frees all leases, whoever holds them: they are those of a copy. Inside `writing()`."""
    store.write("DELETE FROM leases")


def give_back(store: Store, name: str) -> None:
    """Frees the lease, if it is this process's."""
    with store.writing():
        store.write(
            "DELETE FROM leases WHERE name = ? AND host = ? AND pid = ?",
            (name, socket.gethostname(), os.getpid()),
        )


def _alive(host: str, pid: int, start: str, renewed_at: str, now: datetime) -> bool:
    if host != socket.gethostname():
        return stamp(now - STALE_AFTER) < renewed_at
    return _process_start(pid) == start != ""


def _process_start(pid: int) -> str:
    """When a process of this machine began, as text to compare; empty if there is none."""
    try:
        # After the command's closing bracket: the state, ..., the start time (proc(5), stat).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        # Without /proc (macOS) a living process has no start time that we could compare.
        return "" if Path("/proc/self/stat").exists() or not _answers(pid) else "running"
    return "" if fields[0] in "ZX" else fields[19]


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
