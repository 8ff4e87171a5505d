"""Runs a crawl in a process of its own and yields its pages here.

A Twisted reactor cannot run twice in one process, and pages are parsed on this side: with the
crawl in a child, the second core parses while the first downloads, and the next cycle can start
another. Back-pressure needs no thread: while this side is busy the socket fills, then the
child's buffer, then its Scrapy engine starts no new requests.
"""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from crawler import wire
from crawler.errors import CrawlError
from crawler.values import Fetch, Plan

_GRACE_SECONDS = 10.0  # for a child that has closed its connection to exit


class Crawl(Iterator[Fetch]):
    """The pages of a crawl that is under way, in the order in which they arrive."""

    def __init__(self, child: subprocess.Popen[bytes], link: socket.socket) -> None:
        self._child = child
        self._link = link
        self._stream: BinaryIO = io.BufferedReader(socket.SocketIO(link, "r"), 1 << 18)
        self._ended = False

    @property
    def pid(self) -> int:
        """The process that crawls, for logs and tests."""
        return self._child.pid

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

    def _close(self) -> None:
        self._ended = True
        self._stream.close()
        self._link.close()
        # It has said its last word, or nobody wants to hear it; and it keeps nothing to lose.
        self._child.kill()
        self._child.wait()


@contextmanager
def crawling(plan: Plan, *, verbose: bool = False) -> Iterator[Crawl]:
    """Crawl `plan` in a process of its own; yield an iterator of its `Fetch`es.

    Every known page of the plan comes exactly once (unless the crawl is stopped), whatever
    happens to it; a discovered page comes as soon as it was seen. Leaving the context early
    ends the crawl. `verbose` lets the child log at INFO instead of WARNING, on stderr.
    """
    here, there = socket.socketpair()
    try:
        child = _start(there)
    except BaseException:
        here.close()
        raise
    finally:
        there.close()
    crawl = Crawl(child, here)
    try:
        try:
            here.sendall(wire.frame(wire.Order(plan, verbose)))
        except ConnectionError:
            raise CrawlError(f"the crawl did not start: its process {_ending(child)}") from None
        yield crawl
    finally:
        crawl._close()


def _start(link: socket.socket) -> subprocess.Popen[bytes]:
    # A session of its own keeps Ctrl-C and a hang-up of the terminal away from the child: only
    # this process decides when it ends. The path makes `crawler` importable wherever it was
    # imported from here.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return subprocess.Popen(  # noqa: S603  # our own module, with two numbers
        [sys.executable, "-m", "crawler.child", str(link.fileno()), str(os.getpid())],
        pass_fds=[link.fileno()],
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
