"""Several processes that serve the connections of one listening socket, as children of this one.

Connections are dealt out in turns. Were the socket shared, the first process to wake would take
all that wait: of eight clients that come at once, eight (measured), while the others are idle.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
SOON = 1.0  # seconds: a child that ends sooner than this has not got anywhere


class Dealt(socket.socket):
    """What a child serves: a socket that listens, but for its connections coming from the parent.

    For asyncio, which calls its methods; uvloop would listen by itself.
    """

    def listen(self, backlog: int = 0, /) -> None:
        """The parent does."""

    def accept(self) -> tuple[socket.socket, object]:
        """The next connection. Raises ConnectionAbortedError when the parent is gone."""
        _, handles, _, _ = socket.recv_fds(self, 1, 1)
        if not handles:
            raise ConnectionAbortedError
        connection = socket.socket(fileno=handles[0])
        return connection, connection.getpeername()


def run(count: int, listener: socket.socket, work: Callable[[socket.socket], None]) -> int:
    """Does `work` in so many processes until SIGINT or SIGTERM, and gives the exit status.

    `work` gets the socket that it is to serve, with asyncio's own event loop. A process that dies
    is replaced; one that dies at once ends all of them, with status 1. Call it before there are
    threads or open databases: both are of no use in a child.
    """
    parent = _Parent(listener, work)
    before = {n: signal.signal(n, parent.stop) for n in _SIGNALS}
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)  # so that it wakes
    try:
        for _ in range(count):
            parent.begin()
        return parent.wait()
    finally:
        signal.set_wakeup_fd(-1)
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass(frozen=True, slots=True)
class _Child:
    began: float
    channel: socket.socket  # connections go to it through this


class _Parent:
    def __init__(self, listener: socket.socket, work: Callable[[socket.socket], None]) -> None:
        self._listener, self._work = listener, work
        listener.setblocking(False)
        self._children: dict[int, _Child] = {}  # by process
        self._turns: deque[socket.socket] = deque()  # whose is the next connection
        self._stopping = self._failed = False
        self._alive, self._held = os.pipe()  # nobody writes: it ends when this process does
        self._woken, waker = os.pipe()  # a signal writes
        for end in (self._woken, waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)

    def begin(self) -> None:
        """One more child, unless all are to end."""
        if self._stopping:
            return
        sys.stderr.flush()
        sys.stdout.flush()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # none is for a child with our handlers
        child = os.fork()
        if child == 0:
            ours.close()
            self._be_a_child(theirs)
        theirs.close()
        self._children[child] = _Child(time.monotonic(), ours)
        self._turns.append(ours)
        if self._stopping:  # since the first line
            os.kill(child, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def _be_a_child(self, channel: socket.socket) -> None:
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            for number in (*_SIGNALS, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            os.close(self._held)
            self._listener.close()
            for other in self._turns:
                other.close()
            threading.Thread(target=_end_with, args=(self._alive,), daemon=True).start()
            self._work(Dealt(fileno=channel.detach()))
            status = 0
        except SystemExit as ending:
            status = ending.code if isinstance(ending.code, int) else 1
        except KeyboardInterrupt:
            status = 0
        except Exception:  # noqa: BLE001 (told, as the interpreter would)
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)  # what the parent has to clean up is not the child's

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Tells all children to end in good order."""
        self._stopping = True
        for child in self._children:
            with suppress(ProcessLookupError):  # it has ended this very moment
                os.kill(child, signal.SIGTERM)

    def wait(self) -> int:
        """Deals connections out until all children have ended."""
        while self._children:
            new = self._listener.fileno()
            wanted = [self._woken] if self._stopping else [self._woken, new]
            ready, _, _ = select.select(wanted, [], [])
            if self._woken in ready:
                with suppress(BlockingIOError):
                    os.read(self._woken, 1000)
                self._replace_the_dead()
            if new in ready:
                self._deal()
        return int(self._failed)

    def _deal(self) -> None:
        """Gives a connection to the child whose turn it is, or else to another one."""
        try:
            connection, _ = self._listener.accept()
        except OSError:  # whoever it was is gone
            return
        with connection:
            for _ in self._children:
                channel = self._turns[0]
                self._turns.rotate(-1)
                with suppress(OSError):  # it is dead, or has more than it can take
                    socket.send_fds(channel, [b"."], [connection.fileno()])
                    return

    def _replace_the_dead(self) -> None:
        while self._children:
            process, _ = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                return
            child = self._children.pop(process, None)
            if child is None:
                continue
            self._turns.remove(child.channel)
            child.channel.close()
            if not self._stopping and time.monotonic() - child.began < SOON:
                self._failed = True
                self.stop(signal.SIGTERM, None)
            self.begin()


def _end_with(parent: int) -> None:
    """Waits for the other end of a pipe to close, and ends this process in good order."""
    os.read(parent, 1)
    os.kill(os.getpid(), signal.SIGTERM)
