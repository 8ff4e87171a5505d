"""The pages of benchmarks.load in time of the processor: for a machine with other work to do.

    python -m benchmarks.processor --database FILE

The application is asked in this process, one request after the other, so nothing is said of how it
does with many at once. The database is that of `python -m benchmarks.load --database FILE`.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import click
import httpx

from benchmarks.least import forget, least
from benchmarks.load import EMPTY, GOAL_RATIO, Row, nth, paths
from benchmarks.load_data import NOON
from monitor import clock
from web.app import create_app
from web.site import Site

TIMES = 9


async def measure(database: Path, programs: int) -> list[Row]:
    """A row for each address; p50 and p95 are of one client here."""
    app = create_app(Site(database, clock.fixed(NOON)))
    headers = {"Accept-Encoding": "identity"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1", headers=headers
    ) as client:

        async def median(path: str, before: Callable[[], None] = lambda: None) -> float:
            times = []
            for n in range(TIMES + 2):
                before()
                begin = time.process_time()
                await client.get(nth(path, n, programs))
                times.append((time.process_time() - begin) * 1000)
            return statistics.median(times[2:])

        gc.collect()
        gc.freeze()  # as `visawatch serve` does
        empty = {api: await median(path) for api, path in EMPTY.items()}
        rows = []
        for path in paths():
            alone = await median(path)
            anew = await median(path, lambda: forget(database))
            one = nth(path, 1, programs)
            sql, made = await asyncio.to_thread(least, database, one, time.process_time)
            bare = empty[path.startswith("/api/") and path != "/api/v1"]
            rows.append(Row(path, alone, alone, alone, anew, sql, made, bare))
            click.echo(_line(rows[-1]))
        return rows


def _line(row: Row) -> str:
    return (
        f"{row.path:46} {row.alone:6.1f} {row.anew:6.1f} {row.sql:6.1f} {row.made:6.1f}"
        f" {row.empty:5.1f} {row.ratio:5.2f} {row.ratio_anew:5.2f}"
    )


@click.command()
@click.option("--programs", default=13_000, help="How many programs there are.")
@click.option("--database", type=click.Path(path_type=Path, exists=True), required=True)
def main(programs: int, database: Path) -> None:
    click.echo(
        f"{'ms of the processor':46} {'alone':>6} {'anew':>6} {'SQL':>6} {'made':>6} {'empty':>5}"
        f" {'ratio':>5} {'anew':>5}"
    )
    rows = asyncio.run(measure(database.absolute(), programs))
    far = sum(row.ratio > GOAL_RATIO for row in rows)
    late = sum(row.ratio_anew > GOAL_RATIO for row in rows)
    click.echo(f"{len(rows)} addresses; ratio above {GOAL_RATIO:.0f}: {far}, anew: {late}")


if __name__ == "__main__":
    main()
