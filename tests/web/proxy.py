"""A reverse proxy under a path, as a web server in front of the site is one."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

HOP = {"connection", "keep-alive", "transfer-encoding"}


class Proxy(ThreadingHTTPServer):
    """Passes what is asked below `path` on to `origin`, cutting the path off where told to."""

    daemon_threads = True

    def __init__(self, path: str, *, cuts: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.path, self.cuts, self.origin = path, cuts, ""

    @property
    def url(self) -> str:
        """Where visitors reach the site."""
        return f"http://127.0.0.1:{self.server_address[1]}{self.path}"


@contextmanager
def proxying(path: str, *, cuts: bool) -> Iterator[Proxy]:
    """A proxy that runs; give it its `origin` before the first request."""
    with Proxy(path, cuts=cuts) as proxy:
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_GET(self) -> None:
        proxy = self.server
        if not f"{self.path}/".startswith(f"{proxy.path}/"):
            self.send_error(404, "not below the path of the site")
            return
        path = self.path.removeprefix(proxy.path) or "/" if proxy.cuts else self.path
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        onward = http.client.HTTPConnection(urlsplit(proxy.origin).netloc, timeout=30)
        sent = {**self.headers, "X-Forwarded-For": self.client_address[0]}
        onward.request(self.command, path, body, sent)
        answer = onward.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in HOP | {"content-length", "date", "server"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        onward.close()

    do_POST = do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Says nothing."""
