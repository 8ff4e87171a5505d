"""What every page works with: the database, the clock, the settings, and where it is served."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from monitor.alerts import Delivery
from monitor.clock import Clock, system
from store.database import Store
from store.reading import Readers
from web.limits import Limit

WRITE_PATIENCE = 5.0  # seconds to wait for another writer before a visitor is asked to come back


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """What the settings say of the web.

    `base_url` is where readers reach the site; its path is the prefix that every link has. `home`
    is where links in mail lead; without it nobody can subscribe.
    `allowed_hosts` are the names by which it may be asked for; none: by any.
    """

    base_url: str = ""
    home: str = ""
    allowed_hosts: frozenset[str] = frozenset()
    stale_after_cycles: int = 3
    sender: str = ""  # of mail, as mail.sender
    nightly_at: str = "02:00"
    metrics_token: str = ""  # who has it may read /metrics; without, only this machine
    shortlist_folder: Path | None = None  # as shortlist.folder

    @property
    def prefix(self) -> str:
        """`/visas` of `https://x.example/visas/`; mostly empty."""
        return urlsplit(self.base_url).path.rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether readers come by https."""
        return self.base_url.startswith("https://")


@dataclass(frozen=True, slots=True)
class Limits:
    """How often one visitor may do what costs others something."""

    subscribe: Limit = field(default_factory=lambda: Limit("subscribe", 10))
    report: Limit = field(default_factory=lambda: Limit("report", 10))


@dataclass(frozen=True)
class Site:
    """One served site. Pages read with `reading()` and write with `writing()`.

    `send` delivers the mail that is due; without it, that is left to the next cycle.
    """

    database: Path
    now: Clock = system
    settings: SiteSettings = field(default_factory=SiteSettings)
    send: Callable[[Store, datetime], Delivery] | None = None
    limits: Limits = field(default_factory=Limits)

    @cached_property
    def _readers(self) -> Readers:
        return Readers(self.database)

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """The database as it is at this moment; cannot be written through. Raises StoreError."""
        with self._readers.reading() as store:
            yield store

    @contextmanager
    def writing(self) -> Iterator[Store]:
        """The database inside one transaction, which takes the write lock at once.

        Raises StoreLocked when another process holds it for long, and then nothing is written.
        """
        with self.opened() as store, store.writing():
            yield store

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """The database, outside of any transaction. Raises StoreError."""
        with Store(self.database, busy_seconds=WRITE_PATIENCE) as store:
            yield store

    def close(self) -> None:
        """Ends the connections that readers left open."""
        self._readers.close()


def hosts_of(base_url: str, host: str) -> frozenset[str]:
    """By which names a site may be asked for: its own, and those of where it listens.

    None, which means any, when it listens everywhere and nobody has said what it is called.
    """
    named = urlsplit(base_url).hostname
    everywhere = host in ("0.0.0.0", "::")  # noqa: S104 (compared, not bound)
    if everywhere and not named:
        return frozenset()
    listens = () if everywhere else (f"[{host}]" if ":" in host else host,)
    return frozenset({"localhost", "127.0.0.1", "[::1]", *listens, *([named] if named else [])})


def site_of(request: Request) -> Site:
    """The site that a request is for."""
    site: Site = request.app.state.site
    return site


def path_of(request: Request) -> str:
    """The path of a request without the site's prefix, as the table of routes has it."""
    path: str = request.scope["path"]
    return path.removeprefix(site_of(request).settings.prefix) or "/"


async def _site(request: Request) -> Site:
    return site_of(request)


OfSite = Annotated[Site, Depends(_site)]  # a page's parameter
