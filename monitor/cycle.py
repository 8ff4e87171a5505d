"""One cycle: fetch, read, compare, confirm, flag, alert.

Killed at any instant, it is gone on with by the next run: pages that were observed are not
fetched again, a program is flagged once in a cycle, a change is mailed once to an address.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Protocol

from crawler import Fetch, Limits, Plan, Target, crawling
from extractors.rulebook import rulebook
from monitor import alerts, flapping, outages, watchlist, waves
from monitor.alerts.delivery import Settings as MailSettings
from monitor.clock import Clock, system
from monitor.confirm import settle_all
from monitor.flag import Suspicion
from monitor.intake import Intake, Tally
from monitor.judging import first_look, hear_late, suspicions
from monitor.reporting import notices
from monitor.successors import Missing, Successors, vanished
from store import changes, cycles, leases
from store.database import Store
from store.records import Cycle, stamp

LEASE = "cycle"


class CycleBusy(Exception):
    """Another process is running a cycle on this database, or has run the night's."""


class CycleStopped(Exception):
    """The cycle was asked to stop; the next run goes on where it stopped."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a cycle needs of the configuration."""

    mail: MailSettings
    limits: Limits = field(default_factory=Limits)
    base_url: str = ""
    confirm_delay_seconds: float = 60.0
    withdraw_cycles: int = 2
    stale_after_cycles: int = 3
    flap: flapping.Settings = field(default_factory=flapping.Settings)
    wave: waves.Settings = field(default_factory=waves.Settings)


@dataclass(slots=True)
class Progress:
    """What a cycle is doing, for whoever watches it. `done` and `total` are pages."""

    total: int = 0
    done: int = 0
    stage: str = "fetching"
    on_change: Callable[[Progress], None] = field(default=lambda progress: None)

    def at(self, stage: str, *, total: int | None = None, step: int = 0) -> None:
        """Moves on, and tells."""
        self.stage = stage
        self.total = self.total if total is None else total
        self.done += step
        self.on_change(self)


@dataclass(frozen=True, slots=True)
class Summary:
    """The last line of a cycle (`crawl --json`)."""

    cycle: int
    programs: int
    pages: int
    fetched: int
    not_modified: int
    failed: int
    changes: int
    mails: int
    seconds: float


class Pages(Protocol):
    """The pages of a crawl, wherever they are fetched."""

    def __iter__(self) -> Iterator[Fetch | None]:
        """Yield each as it comes; None when none has come for a while."""

    def stop(self) -> None:
        """Finish what is in hand, and end. May be called by a signal."""

    def stored(self) -> None:
        """What was yielded so far is in the store."""


Crawling = Callable[[Plan], AbstractContextManager[Pages]]


@dataclass(slots=True)
class Stop:
    """How a cycle is stopped from elsewhere, a signal handler or another thread."""

    _event: threading.Event = field(default_factory=threading.Event)
    _crawl: Pages | None = None

    def request(self) -> None:
        """Finishes the pages in hand, and stops. May be called more than once."""
        self._event.set()
        if self._crawl is not None:
            self._crawl.stop()

    @property
    def requested(self) -> bool:
        """Whether to stop."""
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Waits, unless asked to stop."""
        self._event.wait(seconds)

    @contextmanager
    def reaching(self, crawl: Pages) -> Iterator[None]:
        """While inside, a request reaches the crawl too."""
        self._crawl = crawl
        if self.requested:
            crawl.stop()
        try:
            yield
        finally:
            self._crawl = None


Weigh = Callable[[Store, datetime], object]


def run(
    store: Store,
    settings: Settings,
    *,
    only: Collection[str] = (),
    clock: Clock = system,
    night: str | None = None,
    progress: Progress | None = None,
    stop: Stop | None = None,
    crawl: Crawling = crawling,
    weigh: Weigh = lambda store, now: None,
) -> tuple[Summary, alerts.Delivery]:
    """Runs one cycle over the programs in the store, or goes on with the one that was begun.

    `crawl` fetches the pages. `weigh` holds what they say against other sources: it is called when
    changes are flagged, before any mail is composed.

    Raises CycleBusy when another process runs one, CycleStopped when `stop` was requested,
    NotFound for an id in `only` that is not watched, CrawlError when the crawl broke off,
    MailError for mail settings of no use, and StoreError.
    """
    alerts.check(settings.mail)
    if holder := leases.take(store, LEASE, clock()):
        raise CycleBusy(f"a cycle is under way: {holder}")
    try:
        done = cycles.of_night(store, night) if night else None
        if done is not None and done.finished_at is not None:
            raise CycleBusy(f"the night of {night} was run already, as cycle {done.id}")
        with store.writing():
            cycle, _ = cycles.open_one(store, stamp(clock()), night)
        job = _Run(
            store, settings, cycle, clock, progress or Progress(), stop or Stop(), crawl, weigh
        )
        return job.run(only)
    finally:
        leases.give_back(store, LEASE)


@dataclass(slots=True)
class _Run:
    store: Store
    settings: Settings
    cycle: Cycle
    clock: Clock
    progress: Progress
    stop: Stop
    crawl: Crawling
    weigh: Weigh

    def run(self, only: Collection[str]) -> tuple[Summary, alerts.Delivery]:
        began = time.monotonic()
        watched = watchlist.load(self.store, only)
        if watchlist.name_pages(self.store, watched):
            watched = watchlist.load(self.store, only)
        missing = vanished(self.store, watched)
        targets = watchlist.targets(self.store, watched, self.cycle.id, missing=missing)
        tally = self._crawl(watched, targets, missing=missing)
        crawled_at = time.monotonic()

        watched = watchlist.load(self.store, only)  # with what was discovered, and has moved
        suspected = self._suspicions(watched)
        if suspected:
            self._wait_to_confirm(crawled_at)
            self._confirm(watched, suspected, missing)
        hear_late(
            self.store,
            self.cycle.id,
            heard=watched.programs,
            withdraw_cycles=self.settings.withdraw_cycles,
        )
        with self.store.writing():
            flapping.note(self.store, self.cycle.id, self.settings.flap)
            waves.recognise(self.store, self.cycle.id, self.clock(), self.settings.wave)
            outages.note(self.store, watched, self.cycle.id, after=self.settings.stale_after_cycles)
        self.weigh(self.store, self.clock())
        self.progress.at("mailing")
        delivery = self._alert()
        summary = Summary(
            cycle=self.cycle.id,
            programs=len(watched.programs),
            pages=len({page.id for page in watched.pages()}),
            fetched=tally.fetched,
            not_modified=tally.not_modified,
            failed=tally.failed,
            changes=len(changes.of_cycle(self.store, self.cycle.id)),
            mails=delivery.sent,
            seconds=round(time.monotonic() - began, 1),
        )
        with self.store.writing():
            cycles.finish(self.store, self.cycle.id, stamp(self.clock()), asdict(summary))
        return summary, delivery

    def _crawl(
        self,
        watched: watchlist.Watchlist,
        targets: tuple[Target, ...],
        *,
        attempt: int = 0,
        missing: Mapping[str, Missing] | None = None,
    ) -> Tally:
        if not targets:
            return Tally()
        known = len({page.url for target in targets for page in target.pages})
        self.progress.at("fetching" if attempt == 0 else "confirming", total=known)
        successors = Successors(self.store, watched, missing or {})
        plan = Plan(targets, self.settings.limits)
        with (
            self.crawl(plan) as pages,
            self.stop.reaching(pages),
            ThreadPoolExecutor(max_workers=1) as packer,
        ):
            intake = Intake(
                self.store, self.cycle.id, watched, self.clock, packer, attempt, pages.stored
            )
            if any(not page.sha256 for target in targets for page in target.pages):
                rulebook()  # loaded while the first page is on its way
            for fetch in pages:
                if fetch is None:
                    intake.flush()
                    continue
                for found in successors.sift(fetch):
                    intake.take(found, successors.heir_of(found))
                self.progress.at(self.progress.stage, step=1)
            intake.flush()
            self._check_stop()
            intake.finish(successors.takes_the_place)
        return intake.tally

    def _suspicions(self, watched: watchlist.Watchlist) -> dict[str, Suspicion]:
        """By program id, what differs from what stands; first sights are recorded."""
        self.progress.at("comparing")
        judgements = first_look(
            self.store,
            watched,
            self.cycle.id,
            now=self.clock(),
            withdraw_cycles=self.settings.withdraw_cycles,
        )
        return suspicions(judgements)

    def _wait_to_confirm(self, crawled_at: float) -> None:
        self.progress.at("waiting to confirm")
        self.stop.wait(crawled_at + self.settings.confirm_delay_seconds - time.monotonic())
        self._check_stop()

    def _confirm(
        self,
        watched: watchlist.Watchlist,
        suspected: dict[str, Suspicion],
        missing: Mapping[str, Missing],
    ) -> None:
        """Fetches the pages of suspicious programs once more, and flags what is still so.

        What has vanished from their pages tonight is searched for, too.
        """
        seen = cycles.seen_pages(self.store, self.cycle.id)
        gone = cycles.gone_of_late(self.store)  # which the first look has searched for
        own = {i: watched.own_pages(watched.programs[i]) for i in suspected}
        there = [i for i, found in own.items() if gone.isdisjoint(page.id for page in found)]
        lost = vanished(self.store, watched, there)
        late = set(lost.keys() - missing.keys())
        late |= {i for i in own.keys() & missing.keys() if any(p.id not in seen for p in own[i])}
        targets = watchlist.fresh_targets(self.store, watched, suspected, missing=late)
        self._crawl(watched, targets, attempt=1, missing={**missing, **lost})
        settle_all(
            self.store,
            watchlist.load(self.store, list(suspected)),
            suspected,
            cycle_id=self.cycle.id,
            now=self.clock(),
            withdraw_cycles=self.settings.withdraw_cycles,
            flap=self.settings.flap,
        )

    def _alert(self) -> alerts.Delivery:
        now, mail = self.clock(), self.settings.mail
        site = self.settings.base_url
        alerts.enqueue(self.store, now, sender=mail.sender, base_url=site)
        if mail.maintainers:
            alerts.enqueue_report(
                self.store,
                # Of all programs: a killed cycle may be gone on with for some of them.
                notices(self.store, watchlist.load(self.store), self.cycle.id),
                now,
                maintainers=mail.maintainers,
                sender=mail.sender,
                base_url=site,
            )
        return alerts.deliver(
            self.store, self.settings.mail, now, allow_hosts=self.settings.limits.allow_hosts
        )

    def _check_stop(self) -> None:
        if self.stop.requested:
            raise CycleStopped(
                f"stopped in cycle {self.cycle.id}; what was seen is kept, and the next run "
                "goes on from here"
            )


__all__ = [
    "CycleBusy",
    "CycleStopped",
    "Progress",
    "Settings",
    "Stop",
    "Summary",
    "run",
]
