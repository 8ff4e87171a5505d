"""Every program of the country, watched for four nights by HTTP and for a year without.

    python -m benchmarks.us_night [--programs N --institutions N --pages N --seed N --days N]

Institutions are hosts on addresses of their own (see simweb/country.py). A night is `visawatch
crawl`, a process of its own, with all its politeness: but one second here stands for `--scale`
seconds of its delays and timeouts, as hosts are asked so many times as often. What is counted of
the processor and of memory is all that this command starts; the server is not in it.

Ends with 1 when a bar is missed: of the unchanged night, the processor for less than ten minutes,
and a database that grows by less than 200 bytes a page; of each, a second between two requests.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.cost import Cost, cost_of
from benchmarks.load import CLIENTS, crowd, served
from benchmarks.simweb.answers import address
from benchmarks.simweb.country import CHANGED, FAILING, Country, build
from benchmarks.simweb.country_answers import CountryWeb
from benchmarks.simweb.pages import FIRST_NIGHT
from benchmarks.simweb.server import Asked, Served, serving
from benchmarks.soak import PAGE, recorded
from benchmarks.us_year import WEEK, Done, nights
from crawler import Limits
from store import changes, pages, programs, subscriptions
from store.database import Store
from store.records import Program, Subscription
from store.states import NAMES

UNCHANGED = 2
NAMED = {
    1: "first",
    UNCHANGED: "unchanged",
    3: f"{CHANGED[3]:.0%} changed",
    4: f"{FAILING[4]:.0%} failing",
}
PROCESSOR, GROWTH = 600, 200  # seconds; bytes a page
PAUSE = 0.95  # of the delay: a busy server notes the first of its requests late
FIXED = 16 * PAGE  # by which a database may grow in a night, however few pages there are
ROUNDS = 25  # requests of each client
ASKED = ("/review", "/review?page=7", "/", "/?q=fenwick+neuro", "/?visa=H-1B&state=MA",
         "/?category=j1_only&sort=changed", "/api/v1/programs?q=alder&visa=J-1")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Night:
    """What a night cost, and what came of it."""

    number: int
    cost: Cost
    asked: Asked
    grown: int  # bytes of the database
    failed: int  # pages
    mails: int
    flagged: frozenset[str]  # programs, without changes of wording
    due: frozenset[str]  # programs whose policy did change

    def row(self, pages: int, scale: float) -> str:
        """Its line of the table."""
        cost, asked = self.cost, self.asked
        return (
            f"{NAMED[self.number]:11} {cost.seconds:7.1f} {cost.processor:7.1f}"
            f" {cost.memory / 1e6:6.0f} {asked.requests:8} {asked.sent / 1e6:8.1f}"
            f" {asked.pause * scale:6.2f} {self.failed:6} {self.grown / 1e6:7.2f}"
            f" {self.grown / pages:8.1f} {len(self.flagged):6} {len(self.due):4}"
            f" {len(self.flagged & self.due):5} {self.mails:5}"
        )

    def missed(self, pages: int, scale: float) -> Iterator[str]:
        """The bars that it does not reach; two of them are an unchanged night's."""
        if self.asked.pause * scale < PAUSE * Limits().delay_seconds:
            yield f"in night {self.number} a host was asked each {self.asked.pause * scale:.2f} s"
        if self.number == UNCHANGED and self.cost.processor >= PROCESSOR:
            yield f"the unchanged night took {self.cost.processor:.0f} s of the processor"
        if self.number == UNCHANGED and self.grown >= GROWTH * pages + FIXED:
            yield f"the database grew by {self.grown / pages:.0f} bytes a page in it"


TITLE = (
    "night          wall     CPU memory                     pause  pages   grown    bytes\n"
    "                  s       s     MB requests  MB sent       s failed      MB   a page"
    " alerts  due right mails"
)


def date(number: int) -> datetime:
    """When a night is."""
    return FIRST_NIGHT + timedelta(days=number - 1)


class Watch:
    """A database with all programs of a country, and its nights."""

    def __init__(self, country: Country, web: Served, folder: Path, scale: float) -> None:
        self.database = folder / "visawatch.db"
        self._web = web
        self._here = CountryWeb(country)  # knows what the web says, and is asked for nothing
        self._settings = folder / "visawatch.toml"
        self._settings.write_text(_settings(country, folder, scale))
        with Store(self.database) as store, store.writing():
            programs.save(store, [_listed(country, n, web) for n in range(country.programs)])
            for program in range(country.programs):
                for page in country.pages_of(program)[1:]:
                    found = pages.add(store, web.url(*country.place(page)))
                    pages.watch(store, found.id, program_id=_id(program), found="discovered")
            for site in country.sites:
                wish = Subscription(0, f"s{site.number}@inbox.example", institution=site.name)
                subscriptions.add(store, wish, FIRST_NIGHT)

    def night(self, number: int) -> Night:
        """Runs the next night, by HTTP."""
        before = deepcopy(self._here.today)
        moved = self._here.today.go(number)
        now = self._here.today
        self._web.go(number)
        size = recorded(self.database)
        command = [sys.executable, "-m", "visawatch", "--db", str(self.database)]
        command += ["--config", str(self._settings), "--now", date(number).isoformat()]
        cost = cost_of([*command, "crawl", "--json"])
        summary = json.loads(cost.output)
        with Store(self.database, read_only=True) as store:
            found = changes.of_cycle(store, summary["cycle"])
        return Night(
            number,
            cost,
            self._web.go(number),
            recorded(self.database) - size,
            summary["failed"],
            summary["mails"],
            frozenset(change.program_id for change in found if change.severity != "minor"),
            frozenset(_id(p) for p in moved if before.says(p) != now.says(p)),
        )

    def year(self, days: int) -> Iterator[str]:
        """Runs as many nights without HTTP: a line of the table for each four weeks."""
        numbers = range(max(NAMED) + 1, max(NAMED) + 1 + days)
        done: list[Done] = []
        size = recorded(self.database)
        for number, night in zip(
            numbers, nights(self.database, self._here, numbers, date), strict=True
        ):
            done.append(night)
            if len(done) == 4 * WEEK or number == numbers[-1]:
                now, whole = recorded(self.database), [n.seconds for n in done if n.seconds]
                grown = (now - size) / len(done)
                yield (
                    f"{number:5} {sum(whole) / len(whole):7.2f} {sum(n.changes for n in done):7}"
                    f" {grown / 1e6:8.3f} {grown / self._here.country.pages:6.1f} {now / 1e6:11.1f}"
                )
                size, done = now, []

    def asked(self, days: int) -> Iterator[str]:
        """Asks the web site, as benchmarks.load does: a line for each address."""
        count = self._here.country.programs
        with served(self.database, date(max(NAMED) + days)) as port:
            for path in ASKED:
                times = sorted(crowd(port, path, count, ROUNDS))
                yield (
                    f"{path:40} {times[len(times) // 2]:6.1f} {times[int(len(times) * 0.95)]:6.1f}"
                )


def _id(program: int) -> str:
    return f"p{program:05}"


def _listed(country: Country, program: int, web: Served) -> Program:
    site = country.site_of(program)
    specialty, level = country.specialty(program)
    return Program(
        _id(program),
        country.sites[site].name,
        specialty,
        level,
        state=sorted(NAMES)[site % len(NAMES)],
        eligibility_url=web.url(*country.place(country.pages_of(program)[0])),
        gme_url=web.url(*country.place(site)),
    )


def _settings(country: Country, folder: Path, scale: float) -> str:
    """Those of production, in seconds that are so much shorter."""
    usual = Limits()
    hosts = json.dumps([address(site) for site in range(country.institutions)])
    return (
        f"[crawl]\ndelay_seconds = {usual.delay_seconds / scale}\n"
        f"timeout_seconds = {max(3, usual.timeout_seconds / scale)}\nallow_hosts = {hosts}\n"
        f"[monitor]\nconfirm_delay_seconds = {60 / scale}\n"
        f'[mail]\nmaildir = "{folder / "mail"}"\nmaintainers = ["maintainer@inbox.example"]\n'
    )


def main(arguments: list[str] | None = None) -> int:
    """Runs what the command line says; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.us_night")
    parser.add_argument("--programs", type=int, default=13_400)
    parser.add_argument("--institutions", type=int, default=900)
    parser.add_argument("--pages", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=365, help="nights without HTTP")
    parser.add_argument("--scale", type=float, default=10, help="seconds that one stands for")
    chosen = parser.parse_args(arguments)
    size = (chosen.programs, chosen.institutions, chosen.pages)
    began = time.monotonic()
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as name, serving(chosen.seed, *size) as web:
        watch = Watch(build(chosen.seed, *size), web, Path(name), chosen.scale)
        print(
            f"{size[0]:,} programs of {size[1]:,} institutions, {size[2]:,} pages; seed"
            f" {chosen.seed}; a second stands for {chosen.scale:g}\n\n{TITLE}",
            flush=True,
        )
        for number in NAMED:
            night = watch.night(number)
            print(night.row(chosen.pages, chosen.scale), flush=True)
            missed += night.missed(chosen.pages, chosen.scale)
        print("\nnight s/cycle alerts MB/night B/page database MB", flush=True)
        for row in watch.year(chosen.days):
            print(row, flush=True)
        print(f"\n{f'ms, {CLIENTS} clients at once':40} {'p50':>6} {'p95':>6}", flush=True)
        for row in watch.asked(chosen.days):
            print(row, flush=True)
    print(f"\n{time.monotonic() - began:.0f} s in all", *missed, sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
