"""Years of nights in one process, with the web site beside it: what they hold is level.

    python -m benchmarks.soak --cycles 1000

The nights are run as `visawatch schedule` runs them, over a small simulated web that goes through
its own nights forwards and backwards, again and again: after the first round it has no page to show
that was not seen, and each round has the same changes, faults and mails. A row of the table is a
round: the most that was held in it, and what a cycle of it has added. The first one is not counted.
Ends with 1 when anything is not level.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

from benchmarks.nights import listed, settings_of, showing
from benchmarks.simweb.pages import FIRST_NIGHT
from benchmarks.simweb.server import Served, serving
from benchmarks.simweb.values import World
from benchmarks.simweb.world import build
from crawler.journal import Journal, log_as
from monitor.alerts import deliver, enqueue
from monitor.cycle import Stop, run
from monitor.schedule import Nights
from sources.weigh import weigh
from store import programs, subscriptions
from store.database import Store
from store.records import Subscription

ROOT = Path(__file__).resolve().parent.parent
ASKED = ("/", "/changes", "/matrix", "/shortlist", "/feeds/all.atom", "/healthz", "/metrics")
HEAD = ("memory", "files", "threads", "site memory", "site files", "site threads", "wal")
# How much more the last round may hold than the second, and add; of what is not named, nothing.
MORE = {"memory": 1.1, "site memory": 1.1, "wal": 1.1, "database": 1.2, "log": 1.2}
WAL = 4_000_000  # bytes more than it had: SQLite empties it at 4 MB, when no reader needs it
PAGE = 4096  # bytes by which the database grows
LINES = 1000  # bytes of a log: some lines come late, or tell of a page that was slow once


@dataclass(frozen=True, slots=True)
class Round:
    """What was held at most, by HEAD; and the bytes that a cycle has added, and its seconds."""

    cycles: int  # up to its end
    held: tuple[int, ...]
    database: float
    log: float
    seconds: float

    def row(self) -> str:
        """Its line of the table: memory in MB, files in KB."""
        memory, files, threads, *site, wal = self.held
        return (
            f"{self.cycles:6}  {memory / 1e6:6.1f} {files:5} {threads:7}"
            f"  {site[0] / 1e6:6.1f} {site[1]:5} {site[2]:7}"
            f"  {wal / 1e3:6.0f} {self.database / 1e3:8.2f} {self.log / 1e3:6.2f}"
            f"  {self.seconds:7.2f}"
        )


TITLE = (
    "         schedule              serve               KB     KB a cycle     \n"
    "cycles      MB files threads      MB files threads     wal database    log  s/cycle"
)


class Soak:
    """A watch of a simulated web, whose nights are run here."""

    def __init__(self, world: World, web: Served, folder: Path) -> None:
        self._world = world
        self._web = web
        self._number = 0
        self.database = folder / "visawatch.db"
        settings = settings_of(world, folder)
        limits = replace(settings.limits, timeout_seconds=1, retries=0)
        self._settings = replace(settings, limits=limits)
        self._nights = Nights(self.database, "02:00", self._run, self._send, self._now)
        with Store(self.database) as store, store.writing():
            programs.save(store, [listed(world, p, web) for p in world.programs])
            for site in world.sites:
                wish = Subscription(0, f"s{site.number}@inbox.example", institution=site.name)
                subscriptions.add(store, wish, FIRST_NIGHT)

    @property
    def round(self) -> int:
        """How many cycles it takes to go through the web's nights, and back."""
        return 2 * (len(self._world.nights) - 1)

    def night(self) -> None:
        """The next one."""
        self._number += 1
        if not self._nights.run_due():
            raise RuntimeError(f"night {self._number} was not run")
        self._nights.send_mail()

    def _now(self) -> datetime:
        return FIRST_NIGHT + timedelta(days=self._number)

    def _run(self, store: Store, night: str, stop: Stop) -> None:
        away = self._number % self.round
        at = 1 + min(away, self.round - away)
        look = showing(self._web, at)
        run(
            store,
            self._settings,
            clock=self._now,
            night=night,
            stop=stop,
            progress=look,
            weigh=weigh,
        )

    def _send(self, store: Store) -> None:
        enqueue(store, self._now(), sender="", base_url="")
        deliver(store, self._settings.mail, self._now())


@contextmanager
def site(database: Path, log: Path) -> Iterator[tuple[int, str]]:
    """`visawatch serve` over the database: its process and its address."""
    command = [sys.executable, "-m", "visawatch", "-v", "--db", str(database), "serve"]
    with (
        log.open("wb", buffering=0) as file,
        subprocess.Popen([*command, "--port", "0", "--workers", "1"], stderr=subprocess.PIPE) as s,
    ):
        assert s.stderr is not None
        where = re.match(rb"(http://[\d.:]+)/ is served", s.stderr.readline())
        assert where, "the site is not served"
        pump = threading.Thread(target=file.writelines, args=(s.stderr,))
        pump.start()
        try:
            yield s.pid, where[1].decode()
        finally:
            s.terminate()
            pump.join()


def held(pid: int) -> tuple[int, int, int]:
    """Of a process: bytes in memory, open files, threads."""
    status = Path(f"/proc/{pid}/status").read_text()
    memory, threads = (int(re.findall(rf"{k}:\s+(\d+)", status)[0]) for k in ("VmRSS", "Threads"))
    return memory * 1024, len(os.listdir(f"/proc/{pid}/fd")), threads  # noqa: PTH208


def size(*files: Path) -> int:
    """Bytes of these files."""
    return sum(file.stat().st_size for file in files)


def recorded(database: Path) -> int:
    """Bytes that the database has, wherever they are written."""
    with closing(Store(database, read_only=True)) as store:
        return int(store.tuples("PRAGMA page_count")[0][0]) * PAGE


def rounds(cycles: int, wanted: int, nights: int, seconds: float, seed: int) -> Iterator[Round]:
    """Runs so many cycles, or for so long: each round as it ends."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name, serving(seed, wanted, nights) as web:
        folder = Path(name)
        logs = (folder / "schedule.log", folder / "serve.log")
        with logs[0].open("wb") as log:
            os.dup2(log.fileno(), 2)  # as systemd does; the crawls' processes log there, too
        log_as(Journal(level=20))
        soak = Soak(build(seed, wanted, nights), web, folder)
        wal = folder / "visawatch.db-wal"
        with site(soak.database, logs[1]) as (pid, address):
            done = 0
            while done < cycles and time.monotonic() - began < seconds:
                since, before = time.monotonic(), (recorded(soak.database), size(*logs))
                most = [0] * len(HEAD)
                count = min(soak.round, cycles - done)
                for _ in range(count):
                    soak.night()
                    for path in ASKED:
                        with urlopen(address + path, timeout=30) as answer:
                            answer.read()
                    now = (*held(os.getpid()), *held(pid), size(wal))
                    most = [max(pair) for pair in zip(most, now, strict=True)]
                done += count
                after = recorded(soak.database), size(*logs)
                added = ((b - a) / count for a, b in zip(before, after, strict=True))
                yield Round(done, tuple(most), *added, (time.monotonic() - since) / count)


def faults(found: list[Round]) -> Iterator[str]:
    """What is not level from the second round on."""
    first, last = found[1], found[-1]
    count = last.cycles - found[-2].cycles
    # A connection of the last answer may not be closed yet, or one of the round's readers.
    spare = {"wal": WAL, "database": 2 * PAGE / count, "log": LINES / count, "site files": 2}
    held = zip(HEAD, first.held, last.held, strict=True)
    added = (("database", first.database, last.database), ("log", first.log, last.log))
    for name, before, after in (*held, *added):
        if after > before * MORE.get(name, 1) and after > before + spare.get(name, 0):
            yield f"{name}: {after:.0f} in the last round, {before:.0f} in the second"


def main(arguments: list[str] | None = None) -> int:
    """Runs what the command line says; 1 when anything is not level."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("--cycles", type=int, default=1000)
    parser.add_argument("--programs", type=int, default=8)
    parser.add_argument("--nights", type=int, default=26, help="of the web: a round takes twice")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="the longest to go on")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    found = []
    print(TITLE, flush=True)
    for one in rounds(chosen.cycles, chosen.programs, chosen.nights, chosen.seconds, chosen.seed):
        found.append(one)
        print(one.row(), flush=True)
    if len(found) < 3:
        print("too few rounds to say what is level")
        return 1
    wrong = [*faults(found)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
