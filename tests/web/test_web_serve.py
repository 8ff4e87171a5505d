"""`visawatch serve` as it is started and stopped."""

from __future__ import annotations

import re
import signal
import socket
import subprocess

import httpx
import pytest
from shell import Shell


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_serves_and_stops_in_good_order(
    shell: Shell, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        shell.command("serve", "--port", "0"),
        stderr=subprocess.PIPE,
        text=True,
        env=shell.environment(),
        cwd=shell.folder,
    )
    try:
        assert process.stderr is not None
        said = process.stderr.readline()
        found = re.match(r"(http://127\.0\.0\.1:\d+/) is served; ", said)
        assert found, said
        assert "No programs are watched yet" in httpx.get(found[1], trust_env=False).text
        process.send_signal(number)
        rest = process.communicate(timeout=30)[1]
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
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
