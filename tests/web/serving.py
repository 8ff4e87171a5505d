"""The site as a visitor meets it: a real server on loopback, and a client."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import uvicorn
from lxml import html

from web.app import create_app
from web.patience import Patient
from web.site import Site

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)  # after the third night
PASSWORD = "correct horse battery"


@dataclass(frozen=True, slots=True)
class Served:
    """A site that is being served. `client` keeps no cookies of other tests."""

    site: Site
    origin: str
    client: httpx.Client
    visitors: list[httpx.Client] = field(default_factory=list)  # to be closed with it

    def get(self, path: str, status: int = 200, **options: object) -> httpx.Response:
        """What a path answers; its status must be `status`."""
        answer = self.client.get(path, **options)  # type: ignore[arg-type]
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{answer.text}"
        return answer

    def enter(self, name: str, password: str) -> Served:
        """The same site for a visitor of its own, who has logged in."""
        client = httpx.Client(base_url=self.origin, timeout=30, trust_env=False)
        self.visitors.append(client)
        visitor = Served(self.site, self.origin, client)
        answer = visitor.send("/review/log-in", name=name, password=password)
        assert answer.status_code == 303, answer.text
        return visitor

    def send(self, page: str, to: str = "", **fields: str) -> httpx.Response:
        """Sends a form: the first one of a page that leads `to` a path, with these fields."""
        forms = [f for f in self.page(page).forms if f.action.split("?")[0] == (to or page)]
        assert forms, f"{page} has no form that leads to {to or page}"
        return self.client.post(forms[0].action, data={**dict(forms[0].fields), **fields})

    def page(self, path: str, status: int = 200) -> html.HtmlElement:
        """The page at a path, parsed."""
        return html.document_fromstring(self.get(path, status).text)


Serve = Callable[..., Served]  # of a database; keywords are those of SiteSettings


@contextmanager
def serving(site: Site, host: str = "127.0.0.1") -> Iterator[Served]:
    """Serves a site from a thread, on a port of its own."""
    with socket.create_server((host, 0)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(site), http=Patient, ws="none", log_config=None, access_log=False
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        origin = f"http://{host}:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=origin, timeout=30, trust_env=False) as client:
                served = Served(site, origin, client)
                try:
                    yield served
                finally:
                    for visitor in served.visitors:
                        visitor.close()
        finally:
            server.should_exit = True
            thread.join(timeout=30)
            assert not thread.is_alive()


def spoken(served: Served, request: bytes) -> bytes:
    """What the server says to bytes, until it hangs up."""
    host, port = served.origin.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request)
        said = b""
        with suppress(ConnectionError):
            while data := connection.recv(65_536):
                said += data
    return said


def words(element: html.HtmlElement) -> str:
    """The text of an element, with single spaces."""
    return " ".join(element.text_content().split())
