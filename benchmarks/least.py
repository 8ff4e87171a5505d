"""The least that a request of the web site could take: its statements, and what is made of them."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import httpx
from jinja2 import Template

from benchmarks.load_data import NOON
from monitor import clock
from shortlist import ical
from store.database import Store
from web import csvfile, rendering
from web.api.models import Model
from web.app import create_app
from web.site import Site

Clock = Callable[[], float]  # seconds


def least(database: Path, path: str, clocked: Clock = time.perf_counter) -> tuple[float, float]:
    """The medians of a request's statements, and of what is made of them, each run again alone."""
    site = Site(database, clock.fixed(NOON))
    statements, makers = asyncio.run(_traced(site, database, path))
    with sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True) as db:
        sql = timed([lambda s=s: db.execute(s).fetchall() for s in statements], clocked)  # type: ignore[misc]
    db.close()
    made = timed(makers, clocked)
    site.close()
    return sql, made


def timed(work: Sequence[Callable[[], object]], clocked: Clock) -> float:
    """The milliseconds that all of it takes, median."""
    times = []
    for _ in range(7):
        begin = clocked()
        for one in work:
            one()
        times.append((clocked() - begin) * 1000)
    return statistics.median(times)


async def _traced(
    site: Site, database: Path, path: str
) -> tuple[list[str], list[Callable[[], object]]]:
    """What a request asks the database, with its parameters filled in, and how its text is made.

    It is asked twice, with a write in between, and the second time counts: what a process keeps for
    good (templates, the calendar) is there, and nothing is remembered of the database.
    """
    found: list[str] = []
    made: list[Callable[[], object]] = []
    app = create_app(site)
    with site.reading() as store:  # the one connection, which the request gets as well
        store.db.conn.set_trace_callback(found.append)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        (await client.get(path)).raise_for_status()
        forget(database)
        with _noted(made):
            found.clear()
            (await client.get(path)).raise_for_status()
    return [sql for sql in found if re.match(r"\s*(SELECT|WITH)", sql)], made


@contextmanager
def _noted(made: list[Callable[[], object]]) -> Iterator[None]:
    """Notes which templates are rendered with what, and which values are written as a file."""

    def noting(work: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*given: Any, **values: Any) -> Any:
            made.append(lambda: work(*given, **values))
            return work(*given, **values)

        return noted

    def template(name: str, *included_by: Any) -> Any:
        found = get_template(name, *included_by)
        return found if included_by else _Noting(found, noting)

    def csv(rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
        known = list(rows)
        made.append(lambda: list(lines(known)))
        return lines(known)

    get_template, lines = rendering.TEMPLATES.get_template, csvfile.lines
    with (
        patch.object(rendering.TEMPLATES, "get_template", template),
        patch.object(Model, "model_dump_json", noting(Model.model_dump_json)),
        patch.object(csvfile, "lines", csv),
        patch.object(ical, "written", noting(ical.written)),
    ):
        yield


@dataclass(frozen=True, slots=True)
class _Noting:
    """A template of which it is noted what is made with it, as a whole and by its macros."""

    template: Template
    noting: Callable[[Callable[..., Any]], Callable[..., Any]]

    @property
    def render(self) -> Callable[..., Any]:
        return self.noting(self.template.render)

    @property
    def module(self) -> Any:
        names = [name for name in dir(self.template.module) if not name.startswith("_")]
        macros = {name: self.noting(getattr(self.template.module, name)) for name in names}
        return SimpleNamespace(**macros)


def forget(database: Path) -> None:
    """Writes something that changes no page: whatever was remembered of it is forgotten."""
    with Store(database) as store, store.writing():
        store.write("UPDATE cycles SET summary = summary || ' ' WHERE id = 1")  # JSON as before
