"""Serves a simulated web from a process of its own, on a loopback address per site.

    with serving(seed=1, programs=40, nights=12) as web:
        web.go(night=2, look=1)

`python -m benchmarks.simweb.server SEED PROGRAMS NIGHTS` prints its port; each line `NIGHT LOOK`
on its standard input sets the clock, and is answered by `ok`. It ends when the input does.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, cast

import uvloop

from benchmarks.simweb.answers import Answer, Web, address
from benchmarks.simweb.world import build

_TLS_HANDSHAKE = 0x16


@dataclass(slots=True)
class Served:
    """A web that is being served."""

    port: int
    _input: IO[str]
    _output: IO[str]

    def go(self, night: int, look: int = 1) -> None:
        """Goes on to a night, and to the first or the fresh look of it."""
        self._input.write(f"{night} {look}\n")
        self._input.flush()
        assert self._output.readline() == "ok\n"

    def url(self, site: int, path: str) -> str:
        """The address of a path at a site."""
        return f"http://{address(site)}:{self.port}{path}"


@contextmanager
def serving(seed: int, programs: int, nights: int) -> Iterator[Served]:
    """Serves the simulated web of a seed while the context is open."""
    command = [sys.executable, "-m", "benchmarks.simweb.server"]
    command += [str(seed), str(programs), str(nights)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        yield Served(int(child.stdout.readline()), child.stdin, child.stdout)
        child.stdin.close()


class _Protocol(asyncio.Protocol):
    """HTTP/1.1 with connections kept alive; requests have no bodies."""

    def __init__(self, web: Web, site: int) -> None:
        self._web = web
        self._site = site
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass

    def data_received(self, data: bytes) -> None:
        if not self._rest and data[0] == _TLS_HANDSHAKE:
            # Answered like a server whose certificate cannot be used: a fatal alert.
            self._transport.write(b"\x15\x03\x03\x00\x02\x02\x2a")
            self._transport.close()
            return
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for request in requests:
            lines = request.decode("latin-1").split("\r\n")
            headers = {
                name.lower(): value
                for name, _, value in (line.partition(": ") for line in lines[1:])
            }
            self._send(self._web.answer(self._site, lines[0].split(" ")[1], headers))

    def _send(self, answer: Answer) -> None:
        if answer.how == "hang":
            return
        if answer.how == "reset":
            self._transport.abort()
            return
        length = [] if answer.status == 304 else [("Content-Length", str(len(answer.body)))]
        head = "".join(f"{n}: {v}\r\n" for n, v in (*answer.headers, *length))
        self._transport.write(f"HTTP/1.1 {answer.status} -\r\n{head}\r\n".encode())
        if answer.how == "short":
            self._transport.write(answer.body[: len(answer.body) * 2 // 3])
            self._transport.close()
            return
        self._transport.write(answer.body)


async def _serve(web: Web) -> None:
    loop = asyncio.get_running_loop()
    port = 0
    for site in range(len(web.world.sites)):
        server = await loop.create_server(
            lambda site=site: _Protocol(web, site),  # type: ignore[misc]
            address(site),
            port,
        )
        port = server.sockets[0].getsockname()[1]
    web.port = port
    web.go(1, 1)
    print(port, flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        night, look = map(int, line.split())
        web.go(night, look)
        print("ok", flush=True)


def main() -> None:
    """Serves what the command line says."""
    seed, programs, nights = map(int, sys.argv[1:])
    uvloop.run(_serve(Web(build(seed, programs, nights))))


if __name__ == "__main__":
    main()
