"""Other processes that use a database at the same time, for tests of the store."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

NOBODY = 65534  # the user without any rights
ROOT = Path(__file__).resolve().parents[2]


def start(script: str, *args: str) -> subprocess.Popen[str]:
    """Starts Python on a script, and returns when it has printed a line.

    The script prints when it is ready, and goes on when its standard input is closed.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", dedent(script), *args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline(), "the process ended before it was ready"
    return process


def let_go(process: subprocess.Popen[str]) -> int:
    """Lets a process go on, and gives its exit status."""
    process.communicate()
    return process.returncode


@contextmanager
def running(script: str, *args: str) -> Iterator[subprocess.Popen[str]]:
    """A process that is ready and waits; it ends at the end of the block."""
    process = start(script, *args)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def powerless() -> Iterator[None]:
    """While inside, permissions bind this process too, if it is root's."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
