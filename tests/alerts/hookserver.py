"""A real HTTP server on loopback for webhooks, which can be told to misbehave."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class HookServer:
    """What came, and how to answer: by path, the first answer for the next post; then 200.

    An answer is a status; or "drop", "silence" or "trickle" (an answer without an end), and with
    " taken" after it the post counts as received all the same. A redirect leads to `location`.
    """

    answers: dict[str, list[str]] = field(default_factory=dict)
    received: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    on_post: Callable[[str], None] = lambda path: None
    location: str = ""
    port: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/hook") -> str:
        return f"json://127.0.0.1:{self.port}{path}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def counts(self) -> Counter[str]:
        """How often each alert came."""
        return Counter(body["message_id"] for _, body in self.received)


class _Handler(BaseHTTPRequestHandler):
    hooks: HookServer

    def do_POST(self) -> None:
        path, hooks = self.path, self.hooks
        body = self.rfile.read(int(self.headers["Content-Length"]))
        hooks.asked.append(path)
        answers = hooks.answers.get(path)
        answer = answers.pop(0) if answers else "200"
        if answer == "200" or answer.endswith(" taken"):
            hooks.received.append((path, json.loads(body)))
            hooks.on_post(path)
        match answer.removesuffix(" taken"):
            case "drop":
                self.close_connection = True
            case "silence":
                hooks.ended.wait(60)
            case "trickle":
                self.send_response(200)
                self.end_headers()
                while not hooks.ended.wait(0.05):
                    self.wfile.write(b".")
            case status:
                self.send_response(int(status))
                if hooks.location:
                    self.send_header("Location", hooks.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests want."""


@contextmanager
def serving_hooks() -> Iterator[HookServer]:
    """The server on a free port of 127.0.0.1, in a thread of its own."""
    hooks = HookServer()
    handler = type("Handler", (_Handler,), {"hooks": hooks})
    with _Server(("127.0.0.1", 0), handler) as httpd:
        hooks.port = httpd.server_address[1]
        thread = threading.Thread(target=httpd.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield hooks
        finally:
            hooks.ended.set()
            httpd.shutdown()
            thread.join()
