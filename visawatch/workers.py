"""Several processes that do the same, as children of this one."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
SOON = 1.0  # seconds: a child that ends sooner than this has not got anywhere


def run(count: int, work: Callable[[], None]) -> int:
    """Does `work` in so many processes until SIGINT or SIGTERM, and gives the exit status.

    A process that dies is replaced; one that dies at once ends all of them, with status 1. Call it
    before there are threads or open databases: both are of no use in a child.
    """
    parent = _Parent(work)
    before = {n: signal.signal(n, parent.stop) for n in _SIGNALS}
    try:
        for _ in range(count):
            parent.begin()
        return parent.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Parent:
    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._children: dict[int, float] = {}  # by process, when it began
        self._stopping = self._failed = False
        self._alive, self._held = os.pipe()  # nobody writes: it ends when this process does

    def begin(self) -> None:
        """One more child, unless all are to end."""
        if self._stopping:
            return
        sys.stderr.flush()
        sys.stdout.flush()
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # none is for a child with our handlers
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for number in _SIGNALS:
                    signal.signal(number, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
                os.close(self._held)
                threading.Thread(target=_end_with, args=(self._alive,), daemon=True).start()
                self._work()
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
        self._children[child] = time.monotonic()
        if self._stopping:  # since the first line
            os.kill(child, signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)

    def stop(self, number: int, frame: FrameType | None) -> None:
        """Tells all children to end in good order."""
        self._stopping = True
        for child in self._children:
            with suppress(ProcessLookupError):  # it has ended this very moment
                os.kill(child, signal.SIGTERM)

    def wait(self) -> int:
        """Until all children have ended."""
        while self._children:
            child, _ = os.wait()
            began = self._children.pop(child, None)
            if began is None or self._stopping:
                continue
            if time.monotonic() - began < SOON:
                self._failed = True
                self.stop(signal.SIGTERM, None)
            else:
                self.begin()
        return int(self._failed)


def _end_with(parent: int) -> None:
    """Waits for the other end of a pipe to close, and ends this process in good order."""
    os.read(parent, 1)
    os.kill(os.getpid(), signal.SIGTERM)
