"""Two workers of an engine beside one, where fetching takes long: `python -m benchmarks.engine`.

Each answer takes three seconds, as slow servers do, so that a worker waits for as many as it may
have under way at a time; all hosts fit into what one worker may have, so that none waits for a
place. Workers, writer, Redis and the web server share this machine. What is measured is the cycle
from its plan to its mail, with laying out work and taking it; loading the programs before is not.
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

import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from benchmarks.webserver import addresses, served
from monitor.engine import board
from store import programs
from store.database import Store
from store.records import Program

PAGES, HOSTS = 1_024, 256
ANSWER_MS = 3_000
STATING = 10  # of 100 pages
ROUNDS = 3
GOAL = 1.7
PORT = 7_411  # of Redis
PATIENCE = 60.0  # seconds for workers to load what they need


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
    """So many workers, which wait for work."""
    started = [
        subprocess.Popen(_command(folder, "worker"), stderr=subprocess.DEVNULL)
        for _ in range(number)
    ]
    try:
        _wait_for(number)
        yield
    finally:
        for worker in started:
            worker.terminate()
        for worker in started:
            worker.wait()


def _wait_for(workers: int) -> None:
    """Until so many workers are there; the processes that fetch load beside the writer's."""
    until = time.monotonic() + PATIENCE
    retry = Retry(ConstantBackoff(0.1), round(10 * PATIENCE))  # Redis has just been started, too
    with redis.Redis(port=PORT, retry=retry) as client:
        while client.zcard(board.WORKERS) != workers:
            assert time.monotonic() < until, "the workers do not start"
            time.sleep(0.1)


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
