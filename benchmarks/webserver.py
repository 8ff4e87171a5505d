"""A fast web server on many loopback addresses, for benchmarks: `python -m benchmarks.webserver`.

Pages are made before it says that it is ready, so that serving them costs next to nothing.
It prints its port, and serves until its standard input closes. Arguments: pages, hosts, how many
of 100 pages state something, and how many milliseconds each answer takes.
"""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, cast

import uvloop

from benchmarks.classify import make_page

VARIETY = 40  # different pages; every other one differs in its last line only


def addresses(hosts: int) -> list[str]:
    """The loopback addresses of that many hosts."""
    return [f"127.0.{1 + n // 250}.{1 + n % 250}" for n in range(hosts)]


@contextmanager
def served(
    pages: int, hosts: int, stating: int, answer_ms: int = 0, *, by: str = "benchmarks.webserver"
) -> Iterator[list[str]]:
    """Serves the pages from another process, and gives their URLs, dealt out over the hosts.

    `by` is the module that makes them.
    """
    command = [sys.executable, "-m", by]
    command += map(str, (pages, hosts, stating, answer_ms))
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        where = addresses(hosts)
        yield [f"http://{where[n % hosts]}:{port}/page/{n}" for n in range(pages)]
        server.communicate()


MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def fresh(etag: bytes, body: bytes) -> bytes:
    """The response with a page."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nETag: "
    return head + etag + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def unchanged(etag: bytes) -> bytes:
    """The response to who has the page."""
    return b"HTTP/1.1 304 Not Modified\r\nETag: " + etag + b"\r\n\r\n"


class Pages:
    """The answers, by path: `/page/N`."""

    def __init__(self, pages: int, stating: int) -> None:
        """`stating` of 100 pages have a visa statement; the others have no visa word."""
        bodies = {
            kind: [make_page(seed, statement=kind) for seed in range(VARIETY)]
            for kind in (True, False)
        }
        self._fresh: dict[bytes, tuple[bytes, bytes]] = {}
        for n in range(pages):
            kind = n % 100 < stating
            body = bodies[kind][n % VARIETY] + f"<!-- page {n} -->".encode()
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'.encode()
            self._fresh[b"/page/%d" % n] = (etag, fresh(etag, body))

    def answer(self, request: bytes) -> bytes:
        """The response to one request."""
        path = request.split(b" ", 2)[1]
        if path == b"/robots.txt":
            return MISSING
        etag, response = self._fresh[path]
        return unchanged(etag) if etag in request else response


class Answers(Protocol):
    """Who knows all answers."""

    def answer(self, request: bytes) -> bytes:
        """The response to one request."""


class Connection(asyncio.Protocol):
    """HTTP/1.1 with connections kept alive; requests have no bodies."""

    def __init__(self, pages: Answers, seconds: float) -> None:
        self._pages = pages
        self._seconds = seconds
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass

    def data_received(self, data: bytes) -> None:
        *requests, self._rest = (self._rest + data).split(b"\r\n\r\n")
        for request in requests:
            answer = self._pages.answer(request)
            if self._seconds:
                asyncio.get_running_loop().call_later(self._seconds, self._transport.write, answer)
            else:
                self._transport.write(answer)


async def serve(pages: Answers, hosts: int, seconds: float) -> None:
    """Serves until standard input closes; each answer takes so many seconds."""
    loop = asyncio.get_running_loop()
    names = addresses(hosts)
    first = await loop.create_server(lambda: Connection(pages, seconds), names[0], 0)
    port = first.sockets[0].getsockname()[1]
    for name in names[1:]:
        await loop.create_server(lambda: Connection(pages, seconds), name, port)
    print(port, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    page_count, host_count, stating_share, milliseconds = map(int, [*sys.argv[1:], "0"][:4])
    uvloop.run(serve(Pages(page_count, stating_share), host_count, milliseconds / 1000))
