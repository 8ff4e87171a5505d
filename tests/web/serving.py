"""The site as a visitor meets it: a real server on loopback, and a client."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import uvicorn
from lxml import html

from web.app import create_app
from web.site import Site

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)  # after the third night


@dataclass(frozen=True, slots=True)
class Served:
    """A site that is being served. `client` keeps no cookies of other tests."""

    site: Site
    origin: str
    client: httpx.Client

    def get(self, path: str, status: int = 200, **options: object) -> httpx.Response:
        """What a path answers; its status must be `status`."""
        answer = self.client.get(path, **options)  # type: ignore[arg-type]
        assert answer.status_code == status, f"{path}: {answer.status_code}\n{answer.text}"
        return answer

    def page(self, path: str, status: int = 200) -> html.HtmlElement:
        """The page at a path, parsed."""
        return html.document_fromstring(self.get(path, status).text)


Serve = Callable[..., Served]  # of a database; keywords are those of SiteSettings


@contextmanager
def serving(site: Site) -> Iterator[Served]:
    """Serves a site from a thread, on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(
                create_app(site), http="h11", ws="none", log_config=None, access_log=False
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=origin, timeout=30, trust_env=False) as client:
                yield Served(site, origin, client)
        finally:
            server.should_exit = True
            thread.join(timeout=30)
            assert not thread.is_alive()


def words(element: html.HtmlElement) -> str:
    """The text of an element, with single spaces."""
    return " ".join(element.text_content().split())
