"""Serves a simulated web from a process of its own, on a loopback address per site.

    with serving(seed=1, programs=40, nights=12) as web:
        web.go(night=2, look=1)

`python -m benchmarks.simweb.server SEED PROGRAMS NIGHTS` prints its port; each line `NIGHT LOOK`
on its standard input sets the clock, and is answered by what was asked for since the one before.
It ends when the input does. `SEED PROGRAMS INSTITUTIONS PAGES` are those of a whole country.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import IO, cast

import uvloop

from benchmarks.simweb import country, world
from benchmarks.simweb.answers import Answer, Answers, Web, address
from benchmarks.simweb.country_answers import CountryWeb

_TLS_HANDSHAKE = 0x16
_MANY = 40  # requests


@dataclass(slots=True)
class Asked:
    """What was asked for."""

    requests: int = 0
    sent: int = 0  # bytes, with the heads
    pause: float = float(
        "inf"
    )  # seconds between two requests at the host that was asked most often


@dataclass(slots=True)
class Served:
    """A web that is being served."""

    port: int
    _input: IO[str]
    _output: IO[str]

    def go(self, night: int, look: int = 1) -> Asked:
        """Goes on to a night, and to the first or the fresh look of it: what was asked before."""
        self._input.write(f"{night} {look}\n")
        self._input.flush()
        return Asked(**json.loads(self._output.readline()))

    def url(self, site: int, path: str) -> str:
        """The address of a path at a site."""
        return f"http://{address(site)}:{self.port}{path}"


@contextmanager
def serving(seed: int, programs: int, *others: int) -> Iterator[Served]:
    """Serves the simulated web of a seed while the context is open.

    `others` are its nights; or, of a whole country, its institutions and pages.
    """
    command = [sys.executable, "-m", "benchmarks.simweb.server"]
    command += map(str, (seed, programs, *others))
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        yield Served(int(child.stdout.readline()), child.stdin, child.stdout)
        child.stdin.close()


@dataclass(slots=True)
class _Counter:
    """Counts what is asked for, and how often each host is asked."""

    sent: int = 0
    _times: dict[int, tuple[int, float, float]] = field(default_factory=dict)  # count, first, last

    def note(self, site: int) -> None:
        """One request more."""
        now = time.monotonic()
        count, first, _ = self._times.get(site, (0, now, now))
        self._times[site] = (count + 1, first, now)

    def begin_anew(self) -> Asked:
        """What was counted up to now. A few requests say nothing of how often a host is asked."""
        times = list(self._times.values())
        pauses = [(last - first) / (count - 1) for count, first, last in times if count >= _MANY]
        pause = min(pauses, default=float("inf"))
        asked = Asked(sum(count for count, *_ in times), self.sent, pause)
        self.sent = 0
        self._times.clear()
        return asked


class _Protocol(asyncio.Protocol):
    """HTTP/1.1 with connections kept alive; requests have no bodies."""

    def __init__(self, web: Answers, site: int, counter: _Counter) -> None:
        self._web = web
        self._site = site
        self._counter = counter
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
            self._counter.note(self._site)
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
        whole = f"HTTP/1.1 {answer.status} -\r\n{head}\r\n".encode() + answer.body
        if answer.how == "short":
            whole = whole[: len(whole) - len(answer.body) // 3]
        self._counter.sent += len(whole)
        self._transport.write(whole)
        if answer.how == "short":
            self._transport.close()


async def _serve(web: Answers) -> None:
    loop = asyncio.get_running_loop()
    port = 0
    counter = _Counter()
    for site in range(web.sites):
        server = await loop.create_server(
            lambda site=site: _Protocol(web, site, counter),  # type: ignore[misc]
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
        print(json.dumps(asdict(counter.begin_anew())), flush=True)


def main() -> None:
    """Serves what the command line says."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # each site listens on a socket
    chosen = list(map(int, sys.argv[1:]))
    web = Web(world.build(*chosen)) if len(chosen) == 3 else CountryWeb(country.build(*chosen))
    uvloop.run(_serve(web))


if __name__ == "__main__":
    main()
