"""`visawatch serve` as it is started and stopped."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from shell import PATIENCE, Shell

from visawatch import workers


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_serves_and_stops_in_good_order(
    shell: Shell, number: signal.Signals
) -> None:
    with shell.serving() as serving:
        assert "No programs are watched yet" in httpx.get(serving.address, trust_env=False).text
        serving.process.send_signal(number)
        serving.process.wait(PATIENCE)
    assert serving.process.returncode == 0
    first, rest = serving.log.split("\n", 1)
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/ is served; .*", first)
    assert re.fullmatch("The review room, /review, is open at this machine only: .*\n", rest)


def test_a_port_that_is_taken_is_named(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = shell("serve", "--port", port, status=1).err
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in said
    assert "--port" in said


def test_a_database_of_no_use_is_named(shell: Shell) -> None:
    shell.db.write_bytes(b"not a database" * 100)
    assert "not a SQLite database" in shell("serve", "--port", "0", status=1).err


@pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")
def test_a_process_that_dies_is_replaced_and_none_is_left_behind(shell: Shell) -> None:
    with shell.serving("--workers", "2") as serving:
        until = time.monotonic() + 60
        served_since = time.monotonic()
        process = serving.process
        while len(children(process)) < 2 or time.monotonic() - served_since < workers.SOON + 0.5:
            assert httpx.get(serving.address, trust_env=False).status_code == 200
            assert time.monotonic() < until
        killed, other = children(process)
        os.kill(killed, signal.SIGKILL)
        while killed in (now := children(process)) or len(now) < 2:
            assert time.monotonic() < until
        assert other in now
        assert httpx.get(serving.address, trust_env=False).status_code == 200
        process.kill()  # nobody tells the children
        while served(serving.address):
            assert time.monotonic() < until


def children(process: subprocess.Popen[str]) -> list[int]:
    text = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    return [int(number) for number in text.split()]


def served(address: str) -> bool:
    try:
        return httpx.get(address, trust_env=False).is_success
    except httpx.TransportError:
        return False
