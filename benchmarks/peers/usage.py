"""Runs processes and measures what they cost, their children included. Linux only."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from benchmarks.peers.values import PeerError, Usage, last_words

SAMPLE_SECONDS = 0.1


def run(
    command: Sequence[str], usage: Usage, *, env: dict[str, str], timeout: float, ok: Sequence[int]
) -> str:
    """The standard output of a command. Raises PeerError when it ends in none of `ok`."""
    pipe = subprocess.PIPE
    with metered(command, usage, env=env, stdout=pipe, stderr=pipe) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise PeerError(f"{command[0]} did not end in {timeout:.0f} s") from None
    if process.returncode not in ok:
        told = f"{command[0]} ended with {process.returncode}"
        raise PeerError(f"{told}:\n{last_words(errors or output)}")
    return output


@contextmanager
def metered(
    command: Sequence[str],
    usage: Usage,
    *,
    env: dict[str, str] | None = None,
    stdin: int | None = None,
    stdout: int | IO[str] | None = None,
    stderr: int | IO[str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """A process, to be ended inside; what it used is added to `usage` after it.

    Its CPU is known when it and its children have been waited for, so nothing else may be started
    and waited for meanwhile.
    """
    before, began = _reaped(), time.monotonic()
    with (
        subprocess.Popen(
            command, env=env, stdin=stdin, stdout=stdout, stderr=stderr, text=True
        ) as process,
        _sampled(process.pid, usage),
    ):
        yield process
    usage.cpu += _reaped() - before
    usage.wall += time.monotonic() - began


def spent(root: int) -> float:
    """The CPU seconds so far of a process that runs, its children's included."""
    ticks = 0
    for pid in _tree(root):
        with suppress(OSError):  # it has just ended, and is in its parent's account
            stat = Path(f"/proc/{pid}/stat").read_text()
            ticks += sum(map(int, stat.rpartition(")")[2].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def _reaped() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


@contextmanager
def _sampled(root: int, usage: Usage) -> Iterator[None]:
    over = threading.Event()

    def sample() -> None:
        while not over.wait(SAMPLE_SECONDS):
            usage.peak = max(usage.peak, sum(map(_memory, _tree(root))))

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _tree(root: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        children[int(fields[1])].append(int(path.parent.name))
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def _memory(pid: int) -> int:
    """Bytes; of what is shared with other processes, a process's part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
