"""Two workers of an engine beside one, where fetching takes long: `python -m benchmarks.engine`.

Each answer takes two seconds, as slow servers do, so that a worker waits for as many as it
may have under way at a time. Workers, writer, Redis and the web server share this machine.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.webserver import addresses, served
from store import programs
from store.database import Store
from store.records import Program

PAGES, HOSTS = 2_000, 500
ANSWER_MS = 2_000
STATING = 10  # of 100 pages
ROUNDS = 3
GOAL = 1.7
PORT = 7_411  # of Redis


def run() -> tuple[float, str]:
    """How many times the pages a second of one worker two of them have, and what that was."""
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with (
        tempfile.TemporaryDirectory() as name,
        _redis(Path(name)),
        served(PAGES, HOSTS, STATING, ANSWER_MS) as urls,
    ):
        folder = Path(name)
        hosts = json.dumps(addresses(HOSTS))
        settings = f"[crawl]\ndelay_seconds = 0\nallow_hosts = {hosts}\n"
        (folder / "visawatch.toml").write_text(settings)
        for _ in range(ROUNDS):
            for workers in (1, 2):
                (folder / "visawatch.db").unlink(missing_ok=True)
                _list(folder / "visawatch.db", urls)
                with _workers(folder, workers):
                    seconds[workers].append(_cycle(folder))
    one, two = (statistics.median(seconds[workers]) for workers in (1, 2))
    return one / two, f"{PAGES / two:.0f} v {PAGES / one:.0f} pages/s"


@contextmanager
def _redis(folder: Path) -> Iterator[None]:
    options = {
        "port": PORT,
        "dir": folder,
        "save": "",
        "appendonly": "yes",
        "appendfsync": "always",
    }
    line = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with subprocess.Popen(["redis-server", *line], stdout=subprocess.DEVNULL) as server:
        try:
            yield
        finally:
            server.kill()


@contextmanager
def _workers(folder: Path, number: int) -> Iterator[None]:
    """So many workers, which have loaded what they need."""
    started = [
        subprocess.Popen(_command(folder, "worker"), stderr=subprocess.DEVNULL)
        for _ in range(number)
    ]
    time.sleep(4)
    try:
        yield
    finally:
        for worker in started:
            worker.terminate()
        for worker in started:
            worker.wait()


def _cycle(folder: Path) -> float:
    command = _command(folder, "crawl", "--json")
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    summary = json.loads(output)
    assert summary["fetched"] == PAGES, output
    return float(summary["seconds"])


def _command(folder: Path, *words: str) -> list[str]:
    command = [sys.executable, "-m", "visawatch", "--db", str(folder / "visawatch.db")]
    command += ["--config", str(folder / "visawatch.toml"), *words]
    return [*command, "--engine", f"redis://127.0.0.1:{PORT}"]


def _list(database: Path, urls: list[str]) -> None:
    rows = [
        Program(f"p{n}", f"Hospital {n % HOSTS}", "Internal Medicine", eligibility_url=url)
        for n, url in enumerate(urls)
    ]
    with Store(database) as store, store.writing():
        programs.save(store, rows)


def main() -> None:
    print(f"two workers beside one, {os.cpu_count()} cores, answers take {ANSWER_MS / 1000:g} s")
    ratio, note = run()
    print(f"{ratio:.2f} times (goal {GOAL}): {note}")


if __name__ == "__main__":
    main()
