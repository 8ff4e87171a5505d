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
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, BinaryIO

from crawler import journal, wire
from crawler.agenda import Agenda, Feed, Listed
from crawler.errors import CrawlError
from crawler.values import Fetch, Limits, Plan

_PIPE_BYTES = 1 << 20  # what Linux allows everybody
_READ_BYTES = 1 << 18
# Of a process that has crawled more than this, what it holds counts for more, while its pages are
# judged, than loading it again does.
_MANY = 2_000  # pages
_GRACE_SECONDS = 10.0  # for a child that has closed its connection to exit


class Child:
    """The process that crawls, and the two ways to speak with it."""

    def __init__(
        self, process: subprocess.Popen[bytes], link: socket.socket, stream: BinaryIO
    ) -> None:
        self._process = process
        self._link = link
        self._stream = stream
        self._idle = True  # whether it has delivered all that was ordered
        self._came = 0  # pages

    @property
    def pid(self) -> int:
        """Its process, for logs and tests."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def order(self, order: wire.Order) -> None:
        """Tell it what to crawl. Raises `CrawlError` if it has died."""
        self._idle = False
        try:
            self._link.sendall(wire.frame(order))
        except ConnectionError:
            ending = _ending(self._process)
            raise CrawlError(f"the crawl did not start: its process {ending}") from None

    def tell(self, message: object) -> None:
        """Send a message. It is lost when the crawl has ended, which `receive` tells."""
        with suppress(OSError):
            self._link.sendall(wire.frame(message))

    def receive(self) -> Any:
        """Return its next message, None at the end; raise `CrawlError` if it broke off."""
        try:
            message = wire.receive(self._stream)
        except (EOFError, ConnectionError):
            raise CrawlError(
                f"the crawl broke off: its process {_ending(self._process)}; "
                "pages that it had not delivered were not fetched"
            ) from None
        if isinstance(message, str):
            raise CrawlError(f"the crawl broke off: {message}")
        self._idle = message is None
        self._came += isinstance(message, wire.Came)
        return message

    @property
    def fresh(self) -> bool:
        """Whether it may crawl again: it came to the end, and has not crawled much."""
        return self._idle and self._came <= _MANY

    def end(self) -> None:
        """End the process, which keeps nothing to lose."""
        self._process.kill()
        self._process.wait()


class Crawl(Iterator[Fetch]):
    """The pages of a crawl that is under way, in the order in which they arrive.

    As they come, it is given what is still to be done.
    """

    def __init__(self, child: Child, feed: Feed) -> None:
        self._child = child
        self._feed = feed
        self._sending = threading.Lock()
        self._stopping = False
        self._ended = False

    @property
    def pid(self) -> int:
        """The process that crawls, for logs and tests."""
        return self._child.pid

    def __next__(self) -> Fetch:
        """Return the next page; raise `CrawlError` if the crawl broke off."""
        if self._ended:
            raise StopIteration
        self._ended = True
        while (message := self._child.receive()) is not None:
            if isinstance(message, wire.Came):
                self._ended = False
                if work := self._feed.after(message.fetch):
                    self.give(work)
                return message.fetch
        raise StopIteration

    def give(self, work: wire.Work) -> None:
        """Tell it what else is to be done."""
        with self._sending:
            self._child.tell(work)
            if work.last:
                self._child.tell(wire.NoMore())
        if self._stopping:
            self.stop()

    def stop(self) -> None:
        """Ask the crawl to end: requests in hand are finished and yielded, others not begun.

        May be called from a signal handler, more than once, and after the end.
        """
        self._stopping = True
        # A signal may come amid a message: then it is told after that.
        if self._sending.acquire(blocking=False):
            try:
                self._child.tell(wire.Stop())
            finally:
                self._sending.release()

    def stored(self) -> None:
        """What was yielded so far need not be kept for another reader: there is none."""


class Errands:
    """A crawl that is given its work bit by bit, and borrows the hosts that it asks.

    Messages may be sent from any thread; one thread receives.
    """

    def __init__(self, child: Child) -> None:
        self._child = child
        self._sending = threading.Lock()

    @property
    def pid(self) -> int:
        """The process that crawls, for logs and tests."""
        return self._child.pid

    def tell(self, message: wire.Work | wire.NoMore | wire.Stop | wire.Lent | wire.Until) -> None:
        """Send a message."""
        with self._sending:
            self._child.tell(message)

    def receive(self) -> wire.Came | wire.Finished | wire.Wanted | wire.Left | wire.Paced | None:
        """Return the next message, None at the end; raise `CrawlError` if the crawl broke off."""
        message: wire.Came | wire.Finished | wire.Wanted | wire.Left | wire.Paced | None
        message = self._child.receive()
        return message

    def kill(self) -> None:
        """End it at once: nothing that it has not delivered is wanted."""
        self._child.end()


class Standby:
    """A process that has loaded Scrapy, and waits to be told what to crawl, once and again."""

    def __init__(self, waiting: Child | None) -> None:
        self._waiting = waiting
        self._limits: Limits | None = None  # of its first crawl, which are those of all

    @property
    def waits(self) -> bool:
        """Whether there is a process that a crawl could have."""
        return self._waiting is not None and self._waiting.lives

    def take(self, limits: Limits) -> Child | None:
        """The process, if it still lives, is not in use, and can crawl within these limits."""
        if self._limits not in (None, limits):
            return None
        waiting, self._waiting, self._limits = self._waiting, None, limits
        return waiting if waiting and waiting.lives else None

    def give_back(self, child: Child) -> None:
        """Another crawl may have it, if it is fresh; else it is ended."""
        if child.fresh:
            self._waiting = child
        else:
            child.end()


@contextmanager
def standing_by() -> Iterator[Standby]:
    """Start a process for crawls of which no plan is made yet, and end it in the end.

    Loading Scrapy takes half a second, in which the caller can load and plan.
    """
    with ExitStack() as stack:
        child = None
        with suppress(OSError):  # a crawl tries again, and says what is wrong
            child = stack.enter_context(_started())
        yield Standby(child)


@contextmanager
def crawling(plan: Plan | Agenda, *, standby: Standby | None = None) -> Iterator[Crawl]:
    """Crawl `plan` in a process of its own; yield an iterator of its `Fetch`es.

    Every known page of it comes exactly once (unless the crawl is stopped), whatever
    happens to it; a discovered page comes as soon as it was seen. Leaving the context early
    ends the crawl. The process is that of `standby`, unless another crawl has it, left it early
    or had other limits. It logs as this one does.
    """
    feed = Feed(Listed(plan) if isinstance(plan, Plan) else plan)
    work = feed.begin()
    first = next(work)
    order = wire.Order(plan.limits, journal.current(), (first,), more=not first.last)
    with _ordered(order, standby) as child:
        crawl = Crawl(child, feed)
        for more in work:
            crawl.give(more)
        yield crawl


@contextmanager
def errands(limits: Limits, until: float, *, standby: Standby | None = None) -> Iterator[Errands]:
    """Start a crawl that is given its work as it goes, in a process of its own.

    It asks only hosts that it was lent, and ends by itself when the machine's monotonic clock
    has passed `until`, unless it is told of another moment before. `standby` is as above.
    """
    with _ordered(wire.Order(limits, journal.current(), more=True, until=until), standby) as child:
        yield Errands(child)


@contextmanager
def _ordered(order: wire.Order, standby: Standby | None) -> Iterator[Child]:
    """A process that was told what to crawl, that of `standby` if it is there.

    In the end that is given back, and another one ended.
    """
    with ExitStack() as stack:
        child = standby.take(order.limits) if standby else None
        if child is None:
            child = stack.enter_context(_started())
        elif standby:
            stack.callback(standby.give_back, child)
        child.order(order)
        yield child


@contextmanager
def _started() -> Iterator[Child]:
    """A process that waits for its order; ended, whatever it does, in the end."""
    with ExitStack() as ours:
        here, there = socket.socketpair()
        ours.enter_context(here)
        with there:
            stream, pages = _pipe()
            ours.enter_context(stream)
            with pages:
                process = _start(there, pages)
        child = Child(process, here, stream)
        ours.callback(child.end)
        yield child


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
