"""Has the C library keep less memory that nobody uses, in the processes of a crawl.

By itself glibc has a heap for each thread, and after a large block was freed it keeps up to 64 MB
of what is free: a page, its tree and its diff come and go, and what a night held at its height
would stay until the morning. What is free between blocks that are not it keeps in any case, unless
it is asked for. Elsewhere (macOS, musl) nothing is to be done.
"""

from __future__ import annotations

import ctypes
from contextlib import suppress

_M_TRIM_THRESHOLD, _M_ARENA_MAX = -1, -8  # malloc.h
_KEPT = 1 << 20  # bytes that are free at the end of the heap: more go back


_libc: ctypes.CDLL | None = None  # of a process that keeps small


def keep_small() -> None:
    """From now on, have this process give back what it frees. Before it starts any thread."""
    global _libc
    with suppress(OSError, AttributeError):  # there is no glibc
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, 1)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT)
        _libc = libc


def give_back() -> None:
    """What is free goes back to the system, if this process keeps small: in about a millisecond."""
    if _libc is not None:
        _libc.malloc_trim(0)
