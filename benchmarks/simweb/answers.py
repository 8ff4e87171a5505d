"""What the simulated web answers to a request: pages, redirects, and the night's faults."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Protocol

from benchmarks.simweb import pages
from benchmarks.simweb.values import Fault, Site, World, data, dice

ERROR = "<html><head><title>Error</title></head><body><h1>Server error</h1></body></html>"
_HTML = (("Content-Type", "text/html; charset=utf-8"),)
_SOFT_SITES = 5  # every fifth site answers 200 for pages that are not there


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and how it is sent."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    how: str = "whole"  # whole | hang | reset | short


class Answers(Protocol):
    """What a server asks."""

    port: int

    @property
    def sites(self) -> int:
        """How many sites there are, each on a host of its own."""

    def go(self, night: int, look: int) -> None:
        """Goes on to a night and a look."""

    def answer(self, site: int, path: str, headers: dict[str, str]) -> Answer:
        """The answer to a GET of `path` at a site; `headers` have lower-case names."""


@dataclass(slots=True)
class Web:
    """The web in one night and look. `night` and `look` are set from outside."""

    world: World
    port: int = 80
    night: int = 1
    look: int = 1
    _asked: set[tuple[int, str]] = field(default_factory=set)
    _bodies: dict[tuple[int, str], tuple[str, int]] = field(default_factory=dict)
    _paths: dict[tuple[int, str], str] = field(default_factory=dict)

    @property
    def sites(self) -> int:
        """How many sites there are, each on a host of its own."""
        return len(self.world.sites)

    def go(self, night: int, look: int) -> None:
        """Goes on to a night and a look."""
        self.night, self.look = night, look
        self._asked.clear()
        now = self.world.nights[night - 1]
        self._paths = {(p.site, p.path): key for key, p in now.pages.items() if p.there}

    def answer(self, site: int, path: str, headers: dict[str, str]) -> Answer:
        """The answer to a GET of `path` at a site; `headers` have lower-case names."""
        path = path.partition("?")[0]
        now = self.world.nights[self.night - 1]
        key = self._paths.get((site, path), "")
        fault = now.site_faults.get(site) or now.faults.get(key)
        if fault is not None and self.look in fault.looks:
            if fault.kind == "robots" and path == "/robots.txt":
                return text(b"User-agent: *\nDisallow: /\n")
            first = (site, path) not in self._asked
            self._asked.add((site, path))
            instead = self._fail(site, path, key, fault, first=first)
            if instead is not None:
                return instead
        if path == "/robots.txt":
            return text(b"User-agent: *\nDisallow: /search\n")
        return self._found(site, path, key, headers)

    def _found(self, site: int, path: str, key: str, headers: dict[str, str]) -> Answer:
        now = self.world.nights[self.night - 1]
        if not key and (site, path) in now.redirects:
            status, to = now.redirects[(site, path)]
            return Answer(status, headers=(("Location", to),))
        body = _page(self.world, self.night, site, path, key)
        if body is None:
            return self._missing(site, path)
        return self._conditional(self.world.sites[site], path, body.encode(), headers)

    def _missing(self, site: int, path: str) -> Answer:
        if path == "/sitemap.xml" or site % _SOFT_SITES:
            return Answer(404, b"<html><title>404</title><h1>Not found</h1></html>", _HTML)
        return html(_soft(self.world, site, path))

    def _conditional(self, site: Site, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        digest = hashlib.sha256(body).hexdigest()[:16]
        since = self._bodies.get((site.number, path), ("", 0))
        if since[0] != digest:
            since = self._bodies[(site.number, path)] = (digest, self.night)
        tag, night = since
        known = conditional(site, tag, night, headers)
        return replace(known, body=body) if known.status == 200 else known

    def _fail(self, site: int, path: str, key: str, fault: Fault, *, first: bool) -> Answer | None:
        """The answer of a fault, or None when the request is let through."""
        chance = dice(self.world.seed, site, path, self.night, "fault")
        kind = fault.kind
        name = self.world.sites[site].name
        if kind == "flicker":
            return Answer(503, ERROR.encode(), _HTML) if first else None
        if kind in ("soft_404", "login", "challenge") and path == "/robots.txt":
            return Answer(404)
        if (same := failed(kind, name, chance.randrange(100))) is not None:
            return same
        body = (_page(self.world, self.night, site, path, key) or "<p>...</p>").encode()
        if kind == "charset":
            return Answer(200, body, (("Content-Type", "text/html; charset=iso-8859-1"),))
        cut = body.find(b"<h1>")
        return {
            "truncated": Answer(200, body, _HTML, how="short"),
            "cut": Answer(200, body[: max(cut, 200)] + b"<h1>", _HTML),
            "soft_404": html(_soft(self.world, site, path)),
            "bad_certificate": Answer(
                302, headers=(("Location", f"https://{address(site)}:{self.port}{path}"),)
            ),
        }.get(kind)


def conditional(site: Site, tag: str, night: int, headers: dict[str, str]) -> Answer:
    """The answer without its body, of a page that has this tag since a night: 200, or 304."""
    extra: list[tuple[str, str]] = []
    known = False
    if site.etag:
        extra.append(("ETag", f'"{tag}"'))
        known = headers.get("if-none-match") == f'"{tag}"'
    if site.modified:
        stamp = pages.FIRST_NIGHT + timedelta(days=night, hours=-1)
        extra.append(("Last-Modified", format_datetime(stamp, usegmt=True)))
        known = headers.get("if-modified-since") == extra[-1][1]
    return Answer(304, headers=tuple(extra)) if known else Answer(headers=(*_HTML, *extra))


def failed(kind: str, name: str, number: int) -> Answer | None:
    """The answer of a fault for which it matters not what is asked for, else None.

    `number` chooses the words of a wall before the site of this name.
    """
    status = {"server_error": 500, "not_found": 404, "forbidden": 403}.get(kind)
    if status is not None:
        return Answer(status, ERROR.encode(), _HTML)
    if kind == "challenge":
        return html(_wall(kind, name, number))
    if kind == "login":
        return html(_wall(kind, name, number, "<input type=password name=p>"))
    return {
        "busy": Answer(503, ERROR.encode(), (*_HTML, ("Retry-After", "3600"))),
        "timeout": Answer(how="hang"),
        "reset": Answer(how="reset"),
        "empty": Answer(200, b"", _HTML),
    }.get(kind)


def address(site: int) -> str:
    """The loopback address of a site."""
    return f"127.7.{1 + site // 250}.{1 + site % 250}"


@lru_cache(maxsize=2_000)
def _page(world_: World, night: int, site: int, path: str, key: str) -> str | None:
    if key:
        return pages.write(world_, night, key)
    parts = path.strip("/").split("/")
    return pages.home(world_, night, site, parts[0]) if len(parts) == 1 else None


def _soft(world: World, site: int, path: str) -> str:
    words = data("noise")["soft_404"]
    chance = dice(world.seed, site, path, "soft")
    name = world.sites[site].name
    title = chance.choice(words["titles"]).format(site=name)
    # A page says so in its title or heading at least.
    heading = chance.choice(words["headings"])
    return (
        f"<!DOCTYPE html><html><head><title>{title}</title></head><body><nav><a href='/'>{name}"
        f"</a></nav><main><h1>{heading}</h1><p>{chance.choice(words['texts'])}</p></main></body></html>"
    )


def _wall(kind: str, name: str, number: int, form: str = "") -> str:
    words = data("noise")[kind]
    title = words["titles"][number % len(words["titles"])]
    text = words["texts"][number % len(words["texts"])].format(site=name)
    return (
        f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{name}</h1>"
        f"<p>{text}</p><form>{form}</form></body></html>"
    )


def html(body: str) -> Answer:
    """A page."""
    return Answer(200, body.encode(), _HTML)


def text(body: bytes) -> Answer:
    """A robots.txt."""
    return Answer(200, body, (("Content-Type", "text/plain"),))
