"""What a site of the demo answers: the cast and the templates as HTTP answers, without a server."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from visawatch.demo import pdf
from visawatch.demo.cast import HERE, DemoPage, Institution

T = TypeVar("T")

_FIRST_DAY = date(2026, 11, 23)  # fixed, so that every run serves the same bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, body and the headers that matter."""

    status: int
    body: bytes
    content_type: str = "text/html; charset=utf-8"
    location: str = ""
    etag: str = ""
    last_modified: datetime | None = None


def answer(site: Institution, path: str, night: int, base: str) -> Answer:
    """The answer of `site`, which is served at `base`, to a GET of `path` in `night`."""
    if night in site.outage:
        return Answer(503, _render("outage.html", site, night, base))
    if path == "/robots.txt":
        return Answer(200, _render("robots.txt", site, night, base), "text/plain; charset=utf-8")
    page = site.pages.get(path)
    act = page.nights[night - 1] if page else "missing"
    if page is None or act == "missing":
        return Answer(404, _render("missing.html", site, night, base))
    if act == "challenge":
        return Answer(200, _render("challenge.html", site, night, base))
    if act != "page":
        return Answer(301, b"", location=base + act)
    body = _body(page, site, night, base)
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    return Answer(
        200, body, page.content_type, etag=etag, last_modified=_changed(page, site, night, base)
    )


def _body(page: DemoPage, site: Institution, night: int, base: str) -> bytes:
    body = _render(f"{site.folder}/{page.template}", site, night, base)
    if page.content_type == "application/pdf":
        return pdf.document(body.decode().splitlines())
    return body.decode().encode(page.encoding)


def _changed(page: DemoPage, site: Institution, night: int, base: str) -> datetime:
    """The morning of the first night since which the page has been as it is now."""
    body = _body(page, site, night, base)
    while night > 1 and _body(page, site, night - 1, base) == body:
        night -= 1
    return datetime.combine(_day(night), time(6), UTC)


def _day(night: int) -> date:
    return _FIRST_DAY + timedelta(days=night - 1)


def _rotate(items: Sequence[T], by: int) -> list[T]:
    """The items, beginning with another one each night: a menu or list that is reshuffled."""
    by %= len(items)
    return [*items[by:], *items[:by]]


def _render(template: str, site: Institution, night: int, base: str) -> bytes:
    """A template with the night's noise: a date, a visitor count and a session token."""
    text = _TEMPLATES.get_template(template).render(
        site=site,
        night=night,
        base=base,
        today=f"{_day(night):%B} {_day(night).day}, {_day(night).year}",
        visitors=f"{48_210 + 1_373 * night:,}",
        session=hashlib.sha256(f"{site.folder} {night}".encode()).hexdigest()[:12],
    )
    return text.encode()


_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["rotate"] = _rotate
