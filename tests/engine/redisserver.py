"""A Redis server of a test's own, on a port of its own, that can be killed and started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

NEEDED = "ENGINE_NEEDED"  # set in CI: then a server must be there
PATIENCE = 20.0  # seconds


class RedisServer:
    """`redis-server` in a folder, which keeps all that it was told."""

    def __init__(self, folder: Path, *options: str) -> None:
        self._folder, self._options = folder, options
        self.port = _free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = {
            "port": str(self.port), "bind": "127.0.0.1", "dir": str(self._folder), "save": "",
            "appendonly": "yes", "appendfsync": "always", "logfile": "redis.log",
        }  # fmt: skip
        line = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(["redis-server", *line, *self._options])
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with self.client() as client:
                    client.ping()
                return
            except redis.exceptions.AuthenticationError:
                return
            except redis.exceptions.ConnectionError:
                assert time.monotonic() < until, (self._folder / "redis.log").read_text()
                time.sleep(0.02)

    def kill(self) -> None:
        """End it without a chance to write anything."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def client(self) -> redis.Redis:
        """A client of the test's own."""
        return redis.Redis(port=self.port, decode_responses=True)


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[RedisServer]:
    """A server, while the test runs."""
    if shutil.which("redis-server") is None:
        if os.environ.get(NEEDED):
            pytest.fail(f"redis-server is not installed, and {NEEDED} is set")
        pytest.skip("redis-server is not installed")
    folder.mkdir(exist_ok=True)
    server = RedisServer(folder, *options)
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """A server that gives one answer to everything but PING."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                while asked := connection.recv(4096):
                    connection.sendall(b"+PONG\r\n" if b"PING" in asked else answer)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
