"""The demo's web server: one loopback address per institution, one policy world per night."""

from __future__ import annotations

import errno
import socketserver
from contextlib import ExitStack
from email.utils import format_datetime, parsedate_to_datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self

from store.records import Program
from visawatch.demo.answers import Answer, answer
from visawatch.demo.cast import NIGHTS, Institution, institutions


class DemoSite:
    """The demo's sites, served while the context is open; set `night` to go on to the next.

        with DemoSite() as site:
            crawl(site.programs, allow_hosts=site.hosts)
            site.night = 2
            crawl(...)

    Raises OSError from `with` when no loopback address can be bound.
    """

    def __init__(self) -> None:
        self._night = NIGHTS[0]
        self._servers: list[_Server] = []
        self._open = ExitStack()

    @property
    def night(self) -> int:
        """The night that all sites show: 1, 2 or 3."""
        return self._night

    @night.setter
    def night(self, night: int) -> None:
        if night not in NIGHTS:
            raise ValueError(f"the demo has nights {NIGHTS}, not {night}")
        self._night = night

    @property
    def hosts(self) -> tuple[str, ...]:
        """The loopback hosts to name in `--allow-host`."""
        return tuple(dict.fromkeys(server.host for server in self._servers))

    @property
    def programs(self) -> list[Program]:
        """The programs of the cast, with URLs that answer while the context is open."""
        return [program for server in self._servers for program in _programs(server)]

    def __enter__(self) -> Self:
        with ExitStack() as opening:  # closes what is open already when one cannot be opened
            for institution in institutions():
                server = opening.enter_context(_bound(self, institution))
                self._servers.append(server)
                thread = Thread(target=partial(server.serve_forever, poll_interval=0.05))
                thread.start()
                opening.callback(thread.join)
                opening.callback(server.shutdown)  # runs first: what is opened last closes first
            self._open = opening.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._servers.clear()
        self._open.close()


class _Server(ThreadingHTTPServer):
    """The site of one institution."""

    daemon_threads = False  # closing waits for the answers that are under way

    def __init__(self, demo: DemoSite, institution: Institution, address: str) -> None:
        super().__init__((address, 0), _Handler)
        self.demo = demo
        self.institution = institution
        self.host = address
        self.base = f"http://{address}:{self.server_port}"

    def server_bind(self) -> None:
        """Binds without the look-up of the host's name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = self.socket.getsockname()


class _Handler(BaseHTTPRequestHandler):
    """GET and HEAD, one request per connection, with conditional requests."""

    server: _Server
    server_version = "VisaWatchDemo"
    timeout = 5  # seconds that a silent client may keep a connection

    def do_GET(self) -> None:
        found = answer(
            self.server.institution,
            self.path.partition("?")[0],
            self.server.demo.night,
            self.server.base,
        )
        if found.status == 200 and self._unchanged(found):
            found = Answer(304, b"", etag=found.etag, last_modified=found.last_modified)
        self._send(found)

    do_HEAD = do_GET

    def _unchanged(self, found: Answer) -> bool:
        """Whether the client holds this very page; an ETag decides before a date does."""
        tags = self.headers.get("If-None-Match")
        if tags is not None:
            return bool(found.etag) and found.etag in tags
        since = self.headers.get("If-Modified-Since")
        if since is None or found.last_modified is None:
            return False
        try:
            return found.last_modified <= parsedate_to_datetime(since)
        except (TypeError, ValueError):  # not a date, or one without a zone: as if not sent
            return False

    def _send(self, found: Answer) -> None:
        self.send_response(found.status)
        if found.etag:
            self.send_header("ETag", found.etag)
        if found.last_modified:
            self.send_header("Last-Modified", format_datetime(found.last_modified, usegmt=True))
        if found.location:
            self.send_header("Location", found.location)
        if found.status != 304:
            self.send_header("Content-Type", found.content_type)
            self.send_header("Content-Length", str(len(found.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(found.body)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: the demo's own output is what is read."""


def _bound(demo: DemoSite, institution: Institution) -> _Server:
    """A server at the institution's address, or at 127.0.0.1 where there is no other loopback."""
    try:
        return _Server(demo, institution, institution.address)
    except OSError as error:
        if error.errno != errno.EADDRNOTAVAIL:
            raise
    return _Server(demo, institution, "127.0.0.1")


def _programs(server: _Server) -> list[Program]:
    site = server.institution
    return [
        Program(
            program_id=program.id,
            institution=site.name,
            specialty=program.specialty,
            level=program.level,
            city=site.city,
            state="MA",
            website_url=program.website and server.base + program.website,
            eligibility_url=program.eligibility and server.base + program.eligibility,
            coordinator_email=f"{program.id}@hospital.example",
            gme_url=site.gme and server.base + site.gme,
        )
        for program in site.programs
    ]
