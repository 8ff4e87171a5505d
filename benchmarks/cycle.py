"""A whole cycle beside a bare Scrapy spider, on the same 2,000 loopback pages.

    python -m benchmarks.cycle

Both run as processes of their own, start-up counted; one after the other, several times, so
that a busy machine slows both.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.webserver import addresses, served
from store import programs
from store.database import Store
from store.records import Program

PAGES = 2000
HOSTS = 200
ROUNDS = 3
GOAL = 0.7
CONFIG = "[crawl]\ndelay_seconds = 0\n"


def run() -> list[tuple[str, float, float, str]]:
    """Rows of (case, pages a second as a share of the bare spider's, goal, note)."""
    rows = []
    for stating in (10, 100):
        with served(PAGES, HOSTS, stating) as urls, tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "urls").write_text("\n".join(urls))
            (folder / "visawatch.toml").write_text(CONFIG)
            times: dict[str, list[float]] = {"bare": [], "first": [], "unchanged": []}
            for _ in range(ROUNDS):
                times["bare"].append(_bare(folder))
                database = folder / "visawatch.db"
                database.unlink(missing_ok=True)
                _list(database, urls)
                times["first"].append(_cycle(folder, not_modified=0))
                times["unchanged"].append(_cycle(folder, not_modified=PAGES))
            bare = statistics.median(times["bare"])
            for night in ("first", "unchanged"):
                ours = statistics.median(times[night])
                case = f"{night} night, {stating} % of pages name a visa"
                note = f"{PAGES / ours:.0f} v {PAGES / bare:.0f} pages/s"
                rows.append((case, bare / ours, GOAL, note))
    return rows


def _list(database: Path, urls: list[str]) -> None:
    rows = [
        Program(f"p{n}", f"Hospital {n}", "Internal Medicine", eligibility_url=url)
        for n, url in enumerate(urls)
    ]
    with Store(database) as store, store.writing():
        programs.save(store, rows)


def _bare(folder: Path) -> float:
    seconds, output = _timed([sys.executable, "-m", "benchmarks.bare", str(folder / "urls")])
    assert output.split() == [str(PAGES)], output
    return seconds


def _cycle(folder: Path, *, not_modified: int) -> float:
    command = [sys.executable, "-m", "visawatch", "--db", str(folder / "visawatch.db")]
    command += ["--config", str(folder / "visawatch.toml"), "crawl", "--json"]
    command += [word for host in addresses(HOSTS) for word in ("--allow-host", host)]
    seconds, output = _timed(command)
    summary = json.loads(output)
    assert (summary["fetched"], summary["not_modified"]) == (PAGES, not_modified), output
    return seconds


def _timed(command: list[str]) -> tuple[float, str]:
    start = time.perf_counter()
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - start, output


def main() -> None:
    print(f"{'case':44} {'x bare':>7} {'goal':>5}  note")
    for case, ratio, goal, note in run():
        print(f"{case:44} {ratio:7.2f} {goal:5.2f}  {note}")


if __name__ == "__main__":
    main()
