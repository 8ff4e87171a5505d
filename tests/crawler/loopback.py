"""A small web site on loopback for tests: routes set by the test, and a log of what was asked.

    with Site() as site:
        site.page("/visa", "<h1>Visa policy</h1><p>We sponsor J-1 visas.</p>")
        site.redirect("/old", "/visa", status=301)
        site.route("/odd", lambda visit: visit.send_raw(b"HTTP/1.1 200 OK\\r\\n\\r\\n..."))
        ...
        assert site.paths() == ["/robots.txt", "/visa"]

Every request is answered in a thread of its own. A path without a route is a 404; `/robots.txt`
and `/sitemap.xml` are too, unless set.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

PATIENCE = 20.0  # seconds that a test waits for something that should happen at once


@dataclass(slots=True)
class Visit:
    """One request: what it asked for, when it came and when it was answered; and its answer."""

    path: str
    headers: Mapping[str, str]
    started: float
    ended: float | None = None
    bytes_sent: int = 0
    _server: _Handler | None = field(default=None, repr=False)

    @property
    def client(self) -> tuple[str, int]:
        """The address that it came from: another one for each connection."""
        assert self._server is not None
        address: tuple[str, int] = self._server.client_address
        return address

    def send(
        self, body: bytes = b"", status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer with a whole response."""
        assert self._server is not None
        lines = {"Content-Type": "text/html; charset=utf-8", "Content-Length": str(len(body))}
        lines.update(headers or {})
        self._server.send_response(status)
        for name, value in lines.items():
            self._server.send_header(name, value)
        self._server.end_headers()
        self.write(body)

    def send_raw(self, data: bytes) -> None:
        """Answer with these bytes and close the connection."""
        self.write(data)
        self.close()

    def write(self, data: bytes) -> bool:
        """Send bytes as they are; return False if the client has gone."""
        assert self._server is not None
        try:
            self._server.wfile.write(data)
        except OSError:
            self.close()
            return False
        self.bytes_sent += len(data)
        return True

    def close(self) -> None:
        """Close the connection after this answer."""
        assert self._server is not None
        self._server.close_connection = True

    def reset(self) -> None:
        """Break the connection off (RST)."""
        assert self._server is not None
        linger = struct.pack("ii", 1, 0)
        self._server.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._server.connection.close()
        self.close()


Handler = Callable[[Visit], None]


class Site:
    """A web site on a loopback address with a port of its own."""

    def __init__(
        self,
        address: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        *,
        accepts_after: float = 0.0,
    ) -> None:
        """`accepts_after` are the seconds for which it leaves each new connection waiting."""
        self._scheme = "https" if tls else "http"
        self._routes: dict[str, Handler] = {}
        self._otherwise: Handler = _not_found
        self._changed = threading.Condition()
        self.visits: list[Visit] = []
        self._httpd = _Server((address, 0), _Handler)
        self._httpd.site = self
        self._httpd.tls = tls
        self._httpd.accepts_after = accepts_after
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.01,))

    def __enter__(self) -> Site:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._httpd.shutdown()
        self._thread.join()
        self._httpd.server_close()

    @property
    def host(self) -> str:
        """Its host and port, as `Limits.allow_hosts` takes them."""
        address, port = self._httpd.server_address[:2]
        return f"{address}:{port}"

    def url(self, path: str = "/") -> str:
        """Return the address of a path."""
        return f"{self._scheme}://{self.host}{path}"

    def route(self, path: str, handler: Handler) -> None:
        """Answer a path (without its query) with a function."""
        self._routes[path] = handler

    def otherwise(self, handler: Handler) -> None:
        """Answer every path that has no route with a function."""
        self._otherwise = handler

    def page(
        self,
        path: str,
        body: str | bytes,
        *,
        status: int = 200,
        type: str = "text/html; charset=utf-8",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer a path with a page."""
        content = body.encode() if isinstance(body, str) else body
        lines = {"Content-Type": type, **(headers or {})}
        self.route(path, lambda visit: visit.send(content, status, lines))

    def redirect(self, path: str, to: str, status: int = 302) -> None:
        """Answer a path with a redirect."""
        self.route(path, lambda visit: visit.send(b"", status, {"Location": to}))

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        with self._changed:
            return [visit.path for visit in self.visits]

    def visits_of(self, path: str) -> list[Visit]:
        """Return the requests for one path."""
        with self._changed:
            return [visit for visit in self.visits if visit.path == path]

    def wait_for(self, path: str) -> None:
        """Wait until a path was asked for."""
        with self._changed:
            seen = self._changed.wait_for(
                lambda: any(visit.path == path for visit in self.visits), PATIENCE
            )
        assert seen, f"{path} was not asked for"

    def _answer(self, handler: _Handler) -> None:
        visit = Visit(handler.path, handler.headers, time.monotonic(), _server=handler)
        with self._changed:
            self.visits.append(visit)
            self._changed.notify_all()
        route = self._routes.get(handler.path.partition("?")[0], self._otherwise)
        route(visit)
        visit.ended = time.monotonic()


def _not_found(visit: Visit) -> None:
    visit.send(b"<title>Not here</title><p>No such page.</p>", 404)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    site: Site
    tls: ssl.SSLContext | None
    accepts_after: float

    def get_request(self) -> tuple[Any, Any]:
        """Take a connection, for TLS if the site has a certificate."""
        time.sleep(self.accepts_after)
        connection, client = super().get_request()
        if self.tls is not None:
            # The handshake comes with the first read, in the connection's own thread.
            connection = self.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, client

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests want."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Answer as the site's routes say."""
        self.server.site._answer(self)

    def log_message(self, format: str, *args: object) -> None:
        """The site keeps its own log."""
