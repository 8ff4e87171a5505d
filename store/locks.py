"""Who has a database open, and who writes to it, as seen from the locks that SQLite keeps on it.

They are those of the operating system (fcntl): a process that dies has none. While a process
uses a database in WAL mode it holds a shared lock on the file, and while it writes an exclusive
one on the file that all of them share (sqlite.org/lockingv3.html, sqlite.org/walformat.html).

Nobody may call this in a process that has the database open itself: POSIX locks are a process's,
and end when it closes any descriptor of the file.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BYTES = (0x40000000, 512)  # of the database: its pending, reserved and shared locks
_WRITER = (120, 1)  # of the shared file: the lock of who writes
_FLOCK = "hhqqi4x"  # struct flock on Linux: kind, whence, start, length, process


def user(path: Path) -> str | None:
    """Another process that has the database open, in words; None: there is none."""
    return _holder(path, *_BYTES)


def writer(path: Path) -> str | None:
    """Another process that is in a transaction that writes, in words; None: there is none."""
    shared = path.with_name(path.name + "-shm")
    return _holder(shared, *_WRITER) if shared.exists() else None


@contextmanager
def exclusively(path: Path) -> Iterator[str | None]:
    """Keeps all others from a file while inside; or says who has it open.

    For files that SQLite cannot lock by itself, because it cannot read them. Raises OSError.
    """
    with path.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, _BYTES[1], _BYTES[0])
        except BlockingIOError:
            yield user(path) or "another process"
            return
        yield None


def _holder(path: Path, start: int, length: int) -> str | None:
    if sys.platform != "linux":
        return None  # struct flock is another one elsewhere
    try:
        # For writing, if we may: a lock that excludes others can be asked about only so.
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, asked)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    kind, _, _, _, process = struct.unpack(_FLOCK, answer)
    return None if kind == fcntl.F_UNLCK else _described(process)


def _described(process: int) -> str:
    """A process with what it runs, as far as we may see that."""
    if process <= 0:
        return "a process of another container or machine"
    try:
        words = Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        words = []
    command = " ".join(Path(word).name if n == 0 else word for n, word in enumerate(words))
    return f"process {process}" + (f" ({command.strip()[:80]})" if command.strip() else "")
