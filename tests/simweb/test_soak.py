"""Night after night in one process: what is held is level, and what is not is found out."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from benchmarks.soak import HEAD, ROOT, Round, faults


def test_a_few_nights_hold_no_more_than_the_first_ones() -> None:
    """`make soak` runs a thousand."""
    command = [sys.executable, "-m", "benchmarks.soak"]
    command += ["--cycles", "6", "--nights", "2", "--programs", "3"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 2 + 3), done.stdout + done.stderr


@pytest.mark.parametrize("name", [*HEAD, "database", "log"])
def test_what_grows_is_found_out(name: str) -> None:
    second = Round(100, (180_000_000, 10, 3, 100_000_000, 13, 3, 4_000_000), 7000.0, 2000.0, 1.0)
    rounds = [replace(second, cycles=50), second, replace(second, cycles=150)]
    assert [*faults(rounds)] == []
    if name in HEAD:
        more = [v * 3 if n == name else v for n, v in zip(HEAD, second.held, strict=True)]
        rounds.append(replace(second, cycles=200, held=tuple(more)))
    elif name == "log":
        rounds.append(replace(second, cycles=200, log=6000.0))
    else:
        rounds.append(replace(second, cycles=200, database=21_000.0))
    (said,) = faults(rounds)
    assert said.startswith(f"{name}: ")
