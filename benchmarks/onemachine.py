"""What a night costs on one machine, beside urlwatch, webchanges and changedetection.io.

    python -m benchmarks.onemachine [--pages N] [--many N] [--only TABLE] [--peer NAME]...

All watch the same pages of 30 to 60 KB, each of which names a visa: in a first night, in which
each is new and read, and in one in which none has changed. Cost is time of the processor, of all
processes of a tool. VisaWatch and urlwatch watch all pages, and their start-up counts. The two
others take too long for that: they watch fewer, and what they use for a single page, which is
nearly all start-up, is taken off. The pages come from a process that is not measured.

Memory is the peak of VisaWatch's processes together, of what they share each one's part: for as
many pages, and for many more, of which a tenth names a visa.

Order is how long a night takes whose hosts have from one page to sixty, beside the time that its
largest host takes alone for the pauses between its requests.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

from benchmarks.peers.__main__ import settings
from benchmarks.peers.changedetection import checking
from benchmarks.peers.commandline import CommandLine, urlwatch, webchanges
from benchmarks.peers.usage import run
from benchmarks.peers.values import Page, Usage
from benchmarks.webserver import addresses, served
from store import programs
from store.database import Store
from store.records import Program

HOSTS = 200
MANY = 10  # times the pages, for memory
FEW = {"webchanges": 10, "changedetection": 20}  # the part of the pages that they watch
LONGEST = 3600.0  # seconds for one night
MEGABYTES = 200
GROWTH = 1.1
GOALS = {  # times the pages per CPU second, in a first night and an unchanged one
    "urlwatch": (1.0, 1.5),
    "webchanges": (5.0, 5.0),
    "changedetection": (5.0, 5.0),
}
NIGHTS = ("first", "unchanged")
UNEVEN = 40  # hosts, with up to ...
LARGEST = 60  # ... pages
PAUSE = 0.25  # seconds between two requests to a host
WALL = 1.2


@dataclass(frozen=True, slots=True)
class Cost:
    """What a night of some pages took."""

    pages: int
    usage: Usage

    @property
    def a_second(self) -> float:
        """Pages per CPU second."""
        return self.pages / self.usage.cpu


Watch = Callable[[Sequence[str], Path], list[Cost]]


def visawatch(urls: Sequence[str], folder: Path, delay: float = 0) -> list[Cost]:
    """Both nights of `visawatch crawl`, each page that of a program."""
    database, config = folder / "visawatch.db", folder / "visawatch.toml"
    hosts = ", ".join(f'"{name}"' for name in addresses(HOSTS))
    config.write_text(f"[crawl]\ndelay_seconds = {delay}\nallow_hosts = [{hosts}]\n")
    with Store(database) as store, store.writing():
        programs.save(store, map(_program, range(len(urls)), urls))
    command = [sys.executable, "-m", "visawatch", "--db", str(database), "--config", str(config)]
    env = {"HOME": str(folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}  # as peers
    found: list[Cost] = []
    for _ in NIGHTS:
        used = Usage()
        output = run([*command, "crawl", "--json"], used, env=env, timeout=LONGEST, ok=(0,))
        summary = json.loads(output.splitlines()[-1])
        not_modified = len(urls) if found else 0
        assert (summary["fetched"], summary["not_modified"]) == (len(urls), not_modified), output
        found.append(Cost(len(urls), used))
    return found


def _program(number: int, url: str) -> Program:
    return Program(
        f"p{number}", f"Hospital {number % HOSTS}", "Internal Medicine", eligibility_url=url
    )


def command_line(peer: CommandLine, urls: Sequence[str], folder: Path) -> list[Cost]:
    """Both nights of a peer that is a command."""
    folder.mkdir(exist_ok=True)
    peer.list(_pages(urls), folder, settings(peer.name, "plain"))
    found = []
    for _ in NIGHTS:
        used = Usage()
        peer.night(folder, used, LONGEST)
        found.append(Cost(len(urls), used))
    return found


def without_start(peer: CommandLine, urls: Sequence[str], folder: Path) -> list[Cost]:
    """The same, less what a single page takes."""
    alone = command_line(peer, urls[:1], folder / "one")
    return [
        Cost(
            all_.pages - 1, Usage(all_.usage.cpu - one.usage.cpu, all_.usage.wall, all_.usage.peak)
        )
        for one, all_ in zip(alone, command_line(peer, urls, folder / "all"), strict=True)
    ]


def changedetection(urls: Sequence[str], folder: Path) -> list[Cost]:
    """Both nights of a peer that is a server, less what it takes to start."""
    given = settings("changedetection", "plain")
    used = list(checking(_pages(urls), folder, given, len(NIGHTS)))
    return [
        Cost(len(urls), Usage(after.cpu - before.cpu, after.wall, after.peak))
        for before, after in pairwise(used)
    ]


def _pages(urls: Sequence[str]) -> tuple[Page, ...]:
    return tuple(Page(f"{n}/page", url, frozenset()) for n, url in enumerate(urls))


PEERS: dict[str, Watch] = {
    "urlwatch": partial(command_line, urlwatch),
    "webchanges": partial(without_start, webchanges),
    "changedetection": changedetection,
}


def measure(watch: Watch, pages: int, stating: int) -> list[Cost]:
    """Both nights of one tool."""
    with (
        served(pages, HOSTS, stating, by="benchmarks.manypages") as urls,
        tempfile.TemporaryDirectory() as name,
    ):
        return watch(urls, Path(name))


def costs(pages: int, peers: Sequence[str]) -> Iterator[str]:
    """The lines of the first table."""
    yield f"{'CPU':16} {'night':10} {'pages':>6} {'a CPU s':>8} {'MB':>5} {'x ours':>7} {'goal':>5}"
    ours = measure(visawatch, pages, 100)
    for night, cost in zip(NIGHTS, ours, strict=True):
        yield _line("VisaWatch", night, cost)
    for peer in peers:
        theirs = measure(PEERS[peer], max(20, pages // FEW.get(peer, 1)), 100)
        for n, night in enumerate(NIGHTS):
            ratio, goal = ours[n].a_second / theirs[n].a_second, GOALS[peer][n]
            said = "" if ratio >= goal else "  MISSED"
            yield f"{_line(peer, night, theirs[n])} {ratio:7.2f} {goal:5.1f}{said}"


def _line(tool: str, night: str, cost: Cost) -> str:
    peak = cost.usage.peak / 1e6
    return f"{tool:16} {night:10} {cost.pages:6} {cost.a_second:8.0f} {peak:5.0f}"


def memory(pages: int, many: int) -> Iterator[str]:
    """The lines of the second table."""
    yield f"{'memory':16} {'night':10} {'pages':>6} {'MB':>5} {'goal':>5} {'growth':>7} {'goal':>5}"
    before: list[Cost] = []
    for size in (pages, many):
        found = measure(visawatch, size, 10)
        for n, cost in enumerate(found):
            peak = cost.usage.peak / 1e6
            line = f"{'VisaWatch':16} {NIGHTS[n]:10} {size:6} {peak:5.0f} {MEGABYTES:5}"
            missed = peak > MEGABYTES
            if before:
                growth = cost.usage.peak / before[n].usage.peak
                missed |= growth > GROWTH
                line += f" {growth:7.2f} {GROWTH:5.1f}"
            yield line + ("  MISSED" if missed else "")
        before = found


def order() -> Iterator[str]:
    """The lines of the third table."""
    head = f"{'order':16} {'night':10} {'pages':>6} {'wall s':>8}"
    yield f"{head} {'largest':>8} {'ratio':>7} {'goal':>5}"

    def uneven(urls: Sequence[str], folder: Path) -> list[Cost]:
        placed = ((n // HOSTS, n % HOSTS, url) for n, url in enumerate(urls))
        found = [
            url
            for row, host, url in placed
            if host < UNEVEN and row * (UNEVEN - 1) <= host * (LARGEST - 1)
        ]
        return visawatch(found, folder, PAUSE)

    least = (LARGEST + 1) * PAUSE  # with its robots.txt
    for night, cost in zip(NIGHTS, measure(uneven, HOSTS * LARGEST, 10), strict=True):
        ratio = cost.usage.wall / least
        yield (
            f"{'VisaWatch':16} {night:10} {cost.pages:6} {cost.usage.wall:8.1f} {least:8.1f}"
            f" {ratio:7.2f} {WALL:5.1f}{'' if ratio <= WALL else '  MISSED'}"
        )


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.onemachine")
    parser.add_argument("--pages", type=int, default=5000)
    parser.add_argument("--many", type=int, help=f"for memory; {MANY} times as many if not given")
    parser.add_argument("--only", choices=["cost", "memory", "order"])
    parser.add_argument("--peer", action="append", choices=list(PEERS), help="all if none is named")
    chosen = parser.parse_args(arguments or [])
    tables = {
        "cost": lambda: costs(chosen.pages, chosen.peer or list(PEERS)),
        "memory": lambda: memory(chosen.pages, chosen.many or MANY * chosen.pages),
        "order": order,
    }
    for name, table in tables.items():
        if chosen.only in (None, name):
            for line in table():
                print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
