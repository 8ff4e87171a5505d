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

from crawler import Fetch, Limits, Plan, crawling
from extractors.rulebook import rulebook
from monitor import alerts, flapping, outages, watchlist, waves
from monitor.agenda import Agenda, fresh_targets
from monitor.alerts.delivery import Settings as MailSettings
from monitor.clock import Clock, system
from monitor.confirm import settle_all
from monitor.flag import Suspicion
from monitor.intake import Intake, Tally
from monitor.judging import first_look, hear_late, suspicions
from monitor.reporting import notices
from monitor.successors import Missing, Successors, vanished
from store import changes, cycles, leases, pages, pending, programs
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


Crawling = Callable[[Plan | Agenda], AbstractContextManager[Pages]]


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
        for program_id in only:
            programs.get(self.store, program_id)
        watchlist.name_pages(self.store, only)
        waiting = pending.waiting(self.store)
        missing = vanished(self.store, [i for i in waiting if not only or i in only])
        agenda = Agenda(self.store, self.cycle.id, self.settings.limits, only=only, missing=missing)
        self.progress.at("fetching", total=agenda.total)
        tally = Tally()
        if agenda:
            tally = self._crawl(agenda, unread=agenda.has_unread, missing=missing)
        crawled_at = time.monotonic()

        suspected = self._suspicions(only)
        if suspected:
            self._wait_to_confirm(crawled_at)
            self._confirm(suspected, missing)
        hear_late(
            self.store,
            self.cycle.id,
            heard=only or None,
            withdraw_cycles=self.settings.withdraw_cycles,
        )
        with self.store.writing():
            flapping.note(self.store, self.cycle.id, self.settings.flap)
            waves.recognise(self.store, self.cycle.id, self.clock(), self.settings.wave)
            outages.note(self.store, self.cycle.id, after=self.settings.stale_after_cycles)
        self.weigh(self.store, self.clock())
        self.progress.at("mailing")
        delivery = self._alert()
        summary = Summary(
            cycle=self.cycle.id,
            programs=programs.count(self.store, only),
            pages=pages.count(self.store, only),
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
        plan: Plan | Agenda,
        *,
        attempt: int = 0,
        unread: bool,
        missing: Mapping[str, Missing],
    ) -> Tally:
        """Fetches what is planned; `unread` says that there is a page that was never read."""
        successors = Successors(self.store, missing)
        with (
            self.crawl(plan) as fetched,
            self.stop.reaching(fetched),
            ThreadPoolExecutor(max_workers=1) as packer,
        ):
            intake = Intake(self.store, self.cycle.id, self.clock, packer, attempt, fetched.stored)
            if unread:
                rulebook()  # loaded while the first page is on its way
            for fetch in fetched:
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

    def _suspicions(self, only: Collection[str]) -> dict[str, Suspicion]:
        """By program id, what differs from what stands; first sights are recorded."""
        self.progress.at("comparing")
        judgements = first_look(
            self.store,
            self.cycle.id,
            about=only or None,
            now=self.clock(),
            withdraw_cycles=self.settings.withdraw_cycles,
        )
        return suspicions(judgements)

    def _wait_to_confirm(self, crawled_at: float) -> None:
        self.progress.at("waiting to confirm")
        self.stop.wait(crawled_at + self.settings.confirm_delay_seconds - time.monotonic())
        self._check_stop()

    def _confirm(self, suspected: dict[str, Suspicion], missing: Mapping[str, Missing]) -> None:
        """Fetches the pages of suspicious programs once more, and flags what is still so.

        What has vanished from their pages tonight is searched for, too.
        """
        watched = watchlist.some(self.store, suspected)  # with what was discovered, and has moved
        seen = cycles.seen_pages(self.store, self.cycle.id, {page.id for page in watched.pages()})
        gone = cycles.gone_of_late(self.store)  # which the first look has searched for
        own = {i: watched.own_pages(program) for i, program in watched.programs.items()}
        there = [i for i, found in own.items() if gone.isdisjoint(page.id for page in found)]
        lost = vanished(self.store, there)
        late = set(lost.keys() - missing.keys())
        late |= {i for i in own.keys() & missing.keys() if any(p.id not in seen for p in own[i])}
        targets = fresh_targets(self.store, watched, missing=late)
        self.progress.at(
            "confirming", total=len({page.url for target in targets for page in target.pages})
        )
        self._crawl(
            Plan(targets, self.settings.limits),
            attempt=1,
            unread=any(not page.sha256 for target in targets for page in target.pages),
            missing={**missing, **lost},
        )
        settle_all(
            self.store,
            watchlist.some(self.store, suspected),
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
                notices(self.store, self.cycle.id),
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
