"""The web site over 13,000 programs, 130,000 pages and 1,000,000 observations, 8 clients at once.

    python -m benchmarks.load [--programs N] [--database FILE] [--only PATH]

For each page and call of the API: the time with 8 clients at once (p50 and p95); the time alone;
and the time alone when nothing is remembered, as the database was just written to (anew).

Beside them what it is made of: its own SQL statements, all that it needs when nothing is
remembered, run straight in SQLite (SQL); its own templates rendered straight by Jinja, or values
written as JSON, CSV or iCalendar, without a server and a database (made); and the least that the
same server answers by a route of its own: a list that needs no query, and for pages a template with
next to nothing in it, for an institution that is not there (empty).

`ratio` is `alone` to SQL and empty. `ratio anew` is `anew` to SQL, made and empty: all work is done
on both sides.
"""

from __future__ import annotations

import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Barrier

import click

from benchmarks.least import forget, least
from benchmarks.load_data import NOON, generate
from benchmarks.paint import first_paint
from web.access import ROUTES

CLIENTS = 8
ROUNDS = 15  # requests of each client
ANEW = 7  # requests that follow a write
SLOW_MS = 500  # such an address is asked less often
GOAL_MS, GOAL_RATIO, GOAL_PAINT = 100, 3.0, 1.0

# What is asked for, by route; {} is the number of the request, so that not all ask for the same.
CASES = {
    "/": ("/", "/?q=cedar+neuro", "/?visa=H-1B&state=MA", "/?category=j1_only&sort=changed",
          "/?checked=older&condition=paused", "/?page=200", "/?institution=ridge&sort=state"),
    "/programs.csv": ("/programs.csv?q=cedar+neuro",),
    "/programs/{program_id}": ("/programs/p{0:05}",),
    "/programs/{program_id}/report": ("/programs/p{0:05}/report",),
    "/institutions/{institution_id}": ("/institutions/{0}",),
    "/changes": ("/changes", "/changes?week=2025-W23"),
    "/changes/{change_id}": ("/changes/{0}",),
    "/matrix": ("/matrix",),
    "/shortlist": ("/shortlist", "/shortlist?visa=either&step3=passed&level=any"),
    "/shortlist.csv": ("/shortlist.csv?visa=J-1&place=MA",),
    "/shortlist.ics": ("/shortlist.ics?visa=H-1B&step3=passed",),
    "/calendar": ("/calendar",),
    "/calendar.ics": ("/calendar.ics",),
    "/subscribe": ("/subscribe",),
    "/feeds/{path:path}": ("/feeds/all.atom", "/feeds/program/p{0:05}.atom"),
    "/api/v1": ("/api/v1",),
    "/api/v1/openapi.json": ("/api/v1/openapi.json",),
    "/api/v1/programs": ("/api/v1/programs", "/api/v1/programs?q=cedar+neuro&visa=J-1",
                         "/api/v1/programs?sort=changed&limit=200"),
    "/api/v1/programs/{program_id}": ("/api/v1/programs/p{0:05}",),
    "/api/v1/programs/{program_id}/sides": ("/api/v1/programs/p{0:05}/sides",),
    "/api/v1/institutions": ("/api/v1/institutions", "/api/v1/institutions?q=mere"),
    "/api/v1/institutions/{institution_id}": ("/api/v1/institutions/{0}",),
    "/api/v1/changes": ("/api/v1/changes", "/api/v1/changes?status=open&since=2025-01-01"),
    "/api/v1/changes/{change_id}": ("/api/v1/changes/{0}",),
    "/api/v1/matrix": ("/api/v1/matrix",),
    "/api/v1/choices": ("/api/v1/choices",),
    "/api/v1/categories": ("/api/v1/categories",),
    "/healthz": ("/healthz",),
    "/review": ("/review", "/review?page=7"),
    "/review/{change_id}": ("/review/{0}",),
    "/review/evidence/{number}": ("/review/evidence/{0}",),
    "/review/readings/{program_id}": ("/review/readings/p{0:05}",),
    "/review/health": ("/review/health",),
    "/metrics": ("/metrics",),
}  # fmt: skip
# Files, lists like /categories, what wants a mailed token, and the review room's door and frames.
LEFT_OUT = (
    "/static",
    "/robots",
    "/api/v1/conditions",
    "/api/v1/visas",
    "/api/v1/stances",
    "{token",
    "/page/",
    "/review/examples",
    "/review/log-in",
    "/review/users",
)
EMPTY = {True: "/api/v1/stances", False: "/institutions/999999999"}  # the least: API, page


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one address, in milliseconds."""

    path: str
    p50: float
    p95: float
    alone: float
    anew: float
    sql: float
    made: float
    empty: float

    @property
    def ratio(self) -> float:
        """How many times slower than its statements and an empty answer."""
        return self.alone / (self.sql + self.empty)

    @property
    def ratio_anew(self) -> float:
        """How many times slower than all work that it takes when nothing is remembered."""
        return self.anew / (self.sql + self.made + self.empty)


def paths() -> list[str]:
    """All that is asked for. Raises ValueError for a route without a case."""
    read = {path for method, path in ROUTES if method == "GET"}
    missing = {p for p in read - set(CASES) if not any(word in p for word in LEFT_OUT)}
    if missing:
        raise ValueError(f"benchmarks.load: no case for {', '.join(sorted(missing))}")
    return [path for route, cases in CASES.items() if route in read for path in cases]


def nth(path: str, number: int, programs: int) -> str:
    """The address that a request of this number asks for."""
    return path.format(1 + number * 37 % max(1, programs // 100))


def measure(database: Path, port: int, programs: int, only: str = "") -> Iterator[Row]:
    """Each address in turn, or those that begin with `only`."""
    empty = {api: _median(port, path, programs, 404) for api, path in EMPTY.items()}
    for path in paths():
        if not path.startswith(only):
            continue
        one = _median(port, path, programs)
        times = sorted(crowd(port, path, programs, ROUNDS if one < SLOW_MS else 2))
        sql, made = least(database, nth(path, 1, programs))
        yield Row(
            path,
            p50=statistics.median(times),
            p95=times[int(len(times) * 0.95)],
            alone=one,
            anew=_anew(database, port, path, programs),
            sql=sql,
            made=made,
            empty=empty[path.startswith("/api/") and path != "/api/v1"],
        )


def crowd(port: int, path: str, programs: int, rounds: int) -> list[float]:
    """The milliseconds of each request, when all clients ask for an address at once."""
    ready = Barrier(CLIENTS)

    def client(number: int) -> list[float]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        ready.wait()
        times = [_ask(connection, nth(path, number * rounds + n, programs)) for n in range(rounds)]
        connection.close()
        return times

    with ThreadPoolExecutor(CLIENTS) as pool:
        return [ms for times in pool.map(client, range(CLIENTS)) for ms in times]


def _median(port: int, path: str, programs: int, status: int = 200) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times = []
    for n in range(ROUNDS + 2):
        times.append(_ask(connection, nth(path, n, programs), status))
        if min(times) > SLOW_MS and n:  # once may be the machine's fault
            break
    return statistics.median(times[2:] or times)


def _anew(database: Path, port: int, path: str, programs: int) -> float:
    """The median of requests that each come right after something was written."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times = []
    for n in range(ANEW):
        forget(database)
        times.append(_ask(connection, nth(path, n, programs)))
    connection.close()
    return statistics.median(times)


def _ask(connection: http.client.HTTPConnection, path: str, status: int = 200) -> float:
    begin = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    took = (time.perf_counter() - begin) * 1000
    if answer.status not in (200, status):
        raise RuntimeError(f"{path}: {answer.status}")
    return took


@contextmanager
def served(database: Path, now: datetime = NOON) -> Iterator[int]:
    """Serves it as users do, from a process of its own, and gives the port."""
    command = [sys.executable, "-m", "visawatch", "--db", str(database), "--now", now.isoformat()]
    with subprocess.Popen(
        [*command, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        said = ""
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/", said)):
            line = server.stderr.readline()
            if not line:
                raise RuntimeError(f"visawatch serve has ended: {said}")
            said += line
        try:
            yield int(found[1])
        finally:
            server.terminate()


@click.command()
@click.option("--programs", default=13_000, help="How many programs.")
@click.option("--database", type=click.Path(path_type=Path), help="Keep it there, or use it again.")
@click.option("--only", default="", help="Only addresses that begin so.")
def main(programs: int, database: Path | None, only: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = (database or Path(folder) / "load.db").absolute()
        if not path.exists():
            begin = time.perf_counter()
            size = generate(path, count=programs)
            click.echo(f"{size} in {time.perf_counter() - begin:.0f} s")
        with served(path) as port:
            click.echo(
                f"{'ms':46} {'p50':>6} {'p95':>6} {'alone':>6} {'anew':>6} {'SQL':>6} {'made':>6}"
                f" {'empty':>5} {'ratio':>5} {'anew':>5}"
            )
            rows = []
            for row in measure(path, port, programs, only):
                rows.append(row)
                click.echo(
                    f"{row.path:46} {row.p50:6.1f} {row.p95:6.1f} {row.alone:6.1f} {row.anew:6.1f}"
                    f" {row.sql:6.1f} {row.made:6.1f} {row.empty:5.1f} {row.ratio:5.2f}"
                    f" {row.ratio_anew:5.2f}"
                )
            paint = first_paint(f"http://127.0.0.1:{port}/")
        slow = sum(row.p95 >= GOAL_MS for row in rows)
        far = sum(row.ratio > GOAL_RATIO for row in rows)
        late = sum(row.ratio_anew > GOAL_RATIO for row in rows)
        click.echo(
            f"{len(rows)} addresses; p95 of {GOAL_MS} ms or more: {slow};"
            f" ratio above {GOAL_RATIO:.0f}: {far}, anew: {late};"
            f" load of the machine: {os.getloadavg()[0]:.1f}"
        )
        click.echo(
            "first paint of the search: not measured, no Chromium is installed"
            if paint is None
            else f"first paint of the search: {paint:.2f} s (goal {GOAL_PAINT:.0f} s)"
        )


if __name__ == "__main__":
    main()
