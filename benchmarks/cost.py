"""What a command costs: time, processor, and the memory of it and all processes that it starts."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a command that has ended, and what it printed."""

    seconds: float
    processor: float  # seconds, of all its processes
    memory: int  # bytes that all of them had at one time, the most
    output: str


def cost_of(command: Sequence[str]) -> Cost:
    """Runs a command. Raises CalledProcessError when it fails."""
    began = time.monotonic()
    ended = threading.Event()
    most = [0]

    def look() -> None:
        while not ended.wait(_LOOK_SECONDS):
            most.append(max(most.pop(), sum(map(_resident, _family(child.pid)))))

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        looking = threading.Thread(target=look)
        looking.start()
        try:
            assert child.stdout is not None
            output = child.stdout.read()
            # It has waited for its own children, so that what these took is in this, too.
            _, status, used = os.wait4(child.pid, 0)
        finally:
            ended.set()
            looking.join()
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command, output)
    took = time.monotonic() - began
    return Cost(took, used.ru_utime + used.ru_stime, most[0], output)


def _family(pid: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield pid
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has ended
            for child in thread.read_text().split():
                yield from _family(int(child))


def _resident(pid: int) -> int:
    with suppress(OSError):
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) * 1024 if found else 0
    return 0
