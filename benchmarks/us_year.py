"""Nights over a country without HTTP: the same cycle, to which pages come as if asked for.

One night of a week is such a cycle, with the changes of all seven. In the six others nothing has
changed: of them only that is written which a cycle writes of pages that have not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.simweb.answers import address
from benchmarks.simweb.country_answers import CountryWeb
from crawler import Agenda, Fetch, Health, Plan, whole
from monitor import clock, review, watchlist
from monitor.cycle import Pages, Settings, Summary, run
from monitor.intake import BATCH
from sources.weigh import weigh
from store import changes, cycles
from store.database import Store
from store.records import Observation, Page, stamp
from visawatch.config import MailSettings

WEEK = 7
LEFT = 10  # of so many changes, one is left for later by whoever reviews


@dataclass(frozen=True, slots=True)
class Done:
    """A night: the seconds that it took if it was a whole cycle, and what it has flagged."""

    seconds: float | None
    changes: int


@dataclass(frozen=True, slots=True)
class Told:
    """The pages of a plan as a crawl would bring them. Whatever has not changed is a 304."""

    plan: Plan
    web: CountryWeb
    since: int  # the night in which all pages were seen
    _sites: dict[str, int]

    def __iter__(self) -> Iterator[Fetch | None]:
        """Yield each page once."""
        # What is looked at a second time is wanted in full.
        fresh = not any(p.search_when_gone for target in self.plan.targets for p in target.pages)
        today = self.web.today
        for target in self.plan.targets:
            for known in target.pages:
                parts = urlsplit(known.url)
                site = self._sites[parts.hostname or ""]
                number = self.web.country.page_at(site, parts.path)
                assert number is not None, known.url
                if today.changed[number] <= self.since and not fresh:
                    yield self._fetch(target.key, known.url, Health.NOT_MODIFIED)
                    continue
                answer = self.web.answer(site, parts.path, {})
                said = {name.lower(): value for name, value in answer.headers}
                yield self._fetch(target.key, known.url, Health.OK, answer.body, said)

    def stop(self) -> None:
        """Nobody stops it."""

    def stored(self) -> None:
        """Nothing is kept for another reader."""

    @staticmethod
    def _fetch(
        key: str,
        url: str,
        health: Health,
        body: bytes | None = None,
        said: dict[str, str] | None = None,
    ) -> Fetch:
        said = said or {}
        return Fetch(
            (key,),
            url,
            url,
            health,
            status=200 if body else 304,
            body=body,
            content_type=said.get("content-type", ""),
            etag=said.get("etag"),
            last_modified=said.get("last-modified"),
        )


def telling(
    web: CountryWeb, since: int
) -> Callable[[Plan | Agenda], AbstractContextManager[Pages]]:
    """What takes the place of a crawl in a cycle; all pages were seen in the night `since`."""
    sites = {address(site): site for site in range(web.sites)}
    return lambda plan: nullcontext(Told(whole(plan), web, since, sites))


def nights(
    database: Path, web: CountryWeb, numbers: range, date: Callable[[int], datetime]
) -> Iterator[Done]:
    """Runs these nights, and reviews what they flag on the same day, but for one in ten."""
    mail = MailSettings(maildir=str(database.parent / "mail"))
    settings = Settings(mail=mail, confirm_delay_seconds=0)
    since = numbers[0] - 1
    with Store(database) as store:
        watched = _watched(store)
        for number in numbers:
            at = date(number)
            if number - since < WEEK and number != numbers[-1]:
                _nothing_new(store, watched, stamp(at), int(at.timestamp()))
                yield Done(None, 0)
                continue
            web.go(number, 1)
            began = time.monotonic()
            crawl = telling(web, since)
            summary, _ = run(store, settings, clock=clock.fixed(at), crawl=crawl, weigh=weigh)
            yield Done(time.monotonic() - began, summary.changes)
            since, watched = number, _watched(store)
            for change in changes.of_cycle(store, summary.cycle):
                if change.id % LEFT and change.status == "open":
                    review.decide(store, change.id, "accepted", by="ada", now=at)


def _watched(store: Store) -> list[Page]:
    return list({page.id: page for page in watchlist.load(store).pages()}.values())


def _nothing_new(store: Store, watched: Sequence[Page], night: str, at: int) -> None:
    """Writes what a cycle does that hears of each page that it has not changed."""
    with store.writing():
        cycle, _ = cycles.open_one(store, night)
    for first in range(0, len(watched), BATCH):
        seen = [
            Observation(page.id, cycle.id, 0, at, str(Health.NOT_MODIFIED), page.snapshot_id)
            for page in watched[first : first + BATCH]
        ]
        with store.writing():
            cycles.observe(store, seen)
    count = len(watched)
    summary = Summary(cycle.id, 0, count, count, count, 0, 0, 0, 0.0)
    with store.writing():
        cycles.finish(store, cycle.id, night, asdict(summary))
