"""Runs a crawl in a process of its own and yields its pages here.

A Twisted reactor cannot run twice in one process, and pages are parsed on this side: with the
crawl in a child, the second core parses while the first downloads, and the next cycle can start
another. Pages come through a pipe: one of 1 MB keeps this side busy, where a socket holds two
pages and both sides wait for each other. Back-pressure needs no thread: while this side is busy
the pipe fills, then the child's buffer, then its Scrapy engine starts no new requests.
"""

from __future__ import annotations

import fcntl
import io
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO

from crawler import journal, wire
from crawler.errors import CrawlError
from crawler.values import Fetch, Plan

_PIPE_BYTES = 1 << 20  # what Linux allows everybody
_READ_BYTES = 1 << 18
_GRACE_SECONDS = 10.0  # for a child that has closed its connection to exit


class Crawl(Iterator[Fetch]):
    """The pages of a crawl that is under way, in the order in which they arrive."""

    def __init__(
        self, child: subprocess.Popen[bytes], link: socket.socket, stream: BinaryIO
    ) -> None:
        self._child = child
        self._link = link
        self._stream = stream
        self._ended = False

    @property
    def pid(self) -> int:
        """The process that crawls, for logs and tests."""
        return self._child.pid

    @property
    def lives(self) -> bool:
        """Whether the process has not ended."""
        return self._child.poll() is None

    def __next__(self) -> Fetch:
        """Return the next page; raise `CrawlError` if the crawl broke off."""
        if self._ended:
            raise StopIteration
        try:
            message = wire.receive(self._stream)
        except (EOFError, ConnectionError):
            self._ended = True
            raise CrawlError(
                f"the crawl broke off: its process {_ending(self._child)}; "
                "pages that it had not delivered were not fetched"
            ) from None
        if isinstance(message, Fetch):
            return message
        self._ended = True
        if message is None:
            raise StopIteration
        raise CrawlError(f"the crawl broke off: {message}")

    def stop(self) -> None:
        """Ask the crawl to end: requests in hand are finished and yielded, others not begun.

        May be called from a signal handler, more than once, and after the end.
        """
        try:
            self._link.sendall(wire.STOP)
        except OSError:
            # It has ended already: what `stop` is for is done.
            return

    def _order(self, order: wire.Order) -> None:
        try:
            self._link.sendall(wire.frame(order))
        except ConnectionError:
            ending = _ending(self._child)
            raise CrawlError(f"the crawl did not start: its process {ending}") from None

    def _end(self) -> None:
        self._ended = True
        # It has said its last word, or nobody wants to hear it; and it keeps nothing to lose.
        self._child.kill()
        self._child.wait()


class Standby:
    """A process that has loaded Scrapy, and waits to be told what to crawl."""

    def __init__(self, waiting: Crawl | None) -> None:
        self._waiting = waiting

    def take(self) -> Crawl | None:
        """The process, once, and if it still lives."""
        waiting, self._waiting = self._waiting, None
        return waiting if waiting and waiting.lives else None


@contextmanager
def standing_by() -> Iterator[Standby]:
    """Start a process for a crawl of which the plan is not made yet, and end it in the end.

    Loading Scrapy takes half a second, in which the caller can load and plan.
    """
    with ExitStack() as stack:
        crawl = None
        with suppress(OSError):  # a crawl tries again, and says what is wrong
            crawl = stack.enter_context(_started())
        yield Standby(crawl)


@contextmanager
def crawling(plan: Plan, *, standby: Standby | None = None) -> Iterator[Crawl]:
    """Crawl `plan` in a process of its own; yield an iterator of its `Fetch`es.

    Every known page of the plan comes exactly once (unless the crawl is stopped), whatever
    happens to it; a discovered page comes as soon as it was seen. Leaving the context early
    ends the crawl. The process is that of `standby`, unless an earlier crawl took it. It logs as
    this one does.
    """
    with ExitStack() as stack:
        crawl = standby.take() if standby else None
        if crawl is None:
            crawl = stack.enter_context(_started())
        stack.callback(crawl._end)
        crawl._order(wire.Order(plan, journal.current()))
        yield crawl


@contextmanager
def _started() -> Iterator[Crawl]:
    """A process that waits for its order; ended, whatever it does, in the end."""
    with ExitStack() as ours:
        here, there = socket.socketpair()
        ours.enter_context(here)
        with there:
            stream, pages = _pipe()
            ours.enter_context(stream)
            with pages:
                child = _start(there, pages)
        crawl = Crawl(child, here, stream)
        ours.callback(crawl._end)
        yield crawl


def _pipe() -> tuple[BinaryIO, BinaryIO]:
    """Both ends of the pipe through which pages come."""
    out, into = os.pipe()
    if sys.platform == "linux":
        with suppress(OSError):  # who has many pipes may not have large ones: slower, no more
            fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return io.BufferedReader(io.FileIO(out), _READ_BYTES), io.FileIO(into, "wb")


def _start(link: socket.socket, pages: BinaryIO) -> subprocess.Popen[bytes]:
    # A session of its own keeps Ctrl-C and a hang-up of the terminal away from the child: only
    # this process decides when it ends. The path makes `crawler` importable wherever it was
    # imported from here.
    fds = (link.fileno(), pages.fileno())
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(  # noqa: S603  # our own module, with three numbers
        [sys.executable, "-m", "crawler.child", *map(str, fds), str(os.getpid())],
        pass_fds=fds,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )


def _ending(child: subprocess.Popen[bytes]) -> str:
    """Say how a process ended: "was killed by signal 9", "exited with status 1"."""
    try:
        status = child.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        return "closed its connection"
    return f"was killed by signal {-status}" if status < 0 else f"exited with status {status}"
