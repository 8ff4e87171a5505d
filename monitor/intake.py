"""Takes in what a crawl brings: snapshots, readings and observations, in small transactions.

What was taken in survives a killed process; what was not is fetched again, because a cycle
that goes on asks for the pages that it has not observed.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace

from crawler import Fetch, Health, heap
from crawler.urls import canonical
from extractors import READER_VERSION, RULES_VERSION
from monitor.clock import Clock
from monitor.finds import Claim, Finds
from monitor.reads import Unread, packing, readable, statements, unread
from monitor.sights import GIVEN_UP_AFTER
from monitor.watchlist import Watchlist, around, institution_of, program_of
from store import cycles, pages, snapshots
from store.database import Store
from store.opinions import Opinions
from store.records import Observation, Page
from store.snapshots import Packed

_GONE = (Health.GONE, Health.SOFT_404)
_ANSWERED = (Health.OK, Health.NOT_MODIFIED, *_GONE)
BATCH = 32  # pages in one transaction, whose bytes are held until then
BATCH_SECONDS = 0.5  # the longest that a page waits for its transaction


@dataclass(slots=True)
class Tally:
    """What a crawl has met so far, in pages."""

    fetched: int = 0
    not_modified: int = 0
    failed: int = 0


@dataclass(slots=True)
class Intake:
    """Stores the pages of one cycle. `attempt` is 1 for the fetch that confirms a difference.

    `packer` compresses the pages, beside the reading of those before. `stored` is called when
    all that was taken in is in the store, but for what was discovered (see `finish`).
    """

    store: Store
    cycle_id: int
    clock: Clock
    packer: Executor
    attempt: int = 0
    stored: Callable[[], None] = lambda: None
    tally: Tally = field(default_factory=Tally)
    _opinions: Opinions = field(init=False)
    _finds: Finds = field(init=False)
    _batch: list[tuple[Fetch, Future[Packed] | None]] = field(default_factory=list)
    _flushed_at: float = field(default_factory=time.monotonic)
    _gone: dict[str, list[Page]] = field(default_factory=lambda: defaultdict(list))
    _places: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _gone_before: set[int] = field(default_factory=set)  # pages, when last asked for

    def __post_init__(self) -> None:
        self._opinions = Opinions(self.store, READER_VERSION)
        self._finds = Finds(self._opinions)
        self._gone_before = cycles.gone_of_late(self.store)

    def take(self, fetch: Fetch, heir_of: Collection[str] = ()) -> None:
        """Takes one page in; it is in the store after the next `flush`, which comes soon.

        `heir_of` are the targets of which it is a silent page in a new place.
        """
        fetch = readable(fetch)
        self.tally.fetched += fetch.health.is_page
        self.tally.not_modified += fetch.health is Health.NOT_MODIFIED
        if fetch.discovered:
            self._finds.consider(fetch, heir_of)
            return
        self.tally.failed += not fetch.health.is_page
        self._batch.append((fetch, packing(fetch, self.packer)))
        overdue = time.monotonic() - self._flushed_at > BATCH_SECONDS
        if overdue or len(self._batch) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Writes what was taken in, as one transaction."""
        if self._batch:
            known = pages.at_all(self.store, [fetch.url for fetch, _ in self._batch])
            with self.store.writing():
                cycles.observe(
                    self.store,
                    [self._known(known[fetch.url], fetch, packed) for fetch, packed in self._batch],
                )
                self._opinions.save()
            self._batch.clear()
            heap.give_back()
        self._flushed_at = time.monotonic()
        self.stored()

    def finish(self, takes_the_place: Callable[[str, Fetch], bool]) -> None:
        """The crawl is complete: what it discovered is watched from now on, or let go.

        `takes_the_place` says whether a find of a target may stand for a page that is gone.
        """
        self.flush()
        if not self._finds.met:
            return
        watched = around(self.store, self._finds.met)
        for key in watched.targets():
            self._places[key] |= {canonical(page.url) for page in watched.pages_for(key)}
        for key, places in self._places.items():
            self._finds.drop(key, places)
        self._finds.settle(
            {
                key: Claim(
                    frozenset(page.id for page in gone),
                    first_night=any(page.id not in self._gone_before for page in gone),
                )
                for key, gone in self._gone.items()
            }
        )
        shared = self._shared(watched)
        with self.store.writing():
            for key, met in self._finds.met.items():
                institution = _institution(watched, key)
                kept = self._kept(key)
                stating = self._finds.stating(key)
                if successors := [find for find in stating if takes_the_place(key, find)]:
                    self._replace_gone(key, successors[0])
                elif unread := self._finds.unread(key):
                    if takes_the_place(key, unread):
                        self._doubt_gone(key, unread)
                    else:  # a statement may have gone there
                        self._watch(unread, program_id=program_of(key))
                for fetch in kept:
                    if (institution, fetch.final_url) in shared:
                        self._watch(fetch, institution=institution)
                    else:
                        self._watch(fetch, program_id=program_of(key))
                cycles.discovered(self.store, key, self.cycle_id, met, len(kept))
            self._opinions.save()

    def _kept(self, key: str) -> list[Fetch]:
        return self._finds.kept(key, has_pages=key in self._places)

    def _shared(self, watched: Watchlist) -> set[tuple[str, str]]:
        """The institutions' pages among the finds: (institution, URL).

        Those that are known as such, that an institution's own search found, or that several
        of its programs found that have no page yet. A page that took the place of a lost one is
        whose that was, however many have lost theirs tonight.
        """
        keys = list(self._finds.met)
        finders = Counter(
            (_institution(watched, key), fetch.final_url)
            for key in keys
            if key not in self._places
            for fetch in self._kept(key)
        )
        known = {(name, page.url) for name, found in watched.offices.items() for page in found}
        offices = [key for key in keys if institution_of(key)]
        own = {(_institution(watched, k), f.final_url) for k in offices for f in self._kept(k)}
        return known | own | {find for find, count in finders.items() if count > 1}

    def _known(self, page: Page, fetch: Fetch, packed: Future[Packed] | None) -> Observation:
        snapshot_id = page.snapshot_id if fetch.same else None
        if fetch.final_url != fetch.url:
            for key in fetch.targets:
                self._places[key] |= {canonical(fetch.url), canonical(fetch.final_url)}
        if fetch.health in _GONE:
            for key in fetch.targets:
                self._gone[key].append(page)
        if fetch.health is Health.OK and fetch.moved_permanently:
            page = pages.move(self.store, page, fetch.final_url, self.cycle_id)
        if snapshot_id is not None:
            self._record(page, fetch, snapshot_id)
            return self._seen(page, fetch, snapshot_id)
        return self._observation(page, fetch, packed.result() if packed else None)

    def _observation(self, page: Page, fetch: Fetch, packed: Packed | None) -> Observation:
        snapshot_id = page.snapshot_id if fetch.health.is_page else None
        if fetch.health is Health.OK and packed is not None:
            try:
                snapshot_id = self._keep(page, fetch, packed)
            except Unread as fault:
                fetch, snapshot_id = unread(fetch, fault), None
                self.tally.fetched -= 1
                self.tally.failed += 1
        return self._seen(page, fetch, snapshot_id)

    def _instead_of_gone(self, page: Page, fetch: Fetch) -> Fetch:
        """A page that failed at the first look, and is gone at the second, was not searched for."""
        if fetch.health not in _GONE or not self.attempt:
            return fetch
        first = cycles.observed(self.store, self.cycle_id, [page.id]).get(page.id)
        if first is None or Health(first.health) in _ANSWERED:
            return fetch
        return replace(fetch, health=Health(first.health), detail=first.detail or "")

    def _seen(self, page: Page, fetch: Fetch, snapshot_id: int | None) -> Observation:
        fetch = self._instead_of_gone(page, fetch)
        return Observation(
            page_id=page.id,
            cycle_id=self.cycle_id,
            attempt=self.attempt,
            at=int(self.clock().timestamp()),
            health=str(fetch.health),
            snapshot_id=snapshot_id,
            detail=fetch.detail or None,
        )

    def _keep(self, page: Page, fetch: Fetch, packed: Packed) -> int:
        """Stores a page's bytes and what the rules read in them; gives the snapshot's id.

        Raises Unread.
        """
        snapshot_id = snapshots.keep(self.store, packed, fetch.content_type)
        if not snapshots.is_read(self.store, snapshot_id, RULES_VERSION):
            stated = [statement.to_json() for statement in statements(fetch, self._opinions)]
            snapshots.save_reading(self.store, snapshot_id, RULES_VERSION, stated)
        self._record(page, fetch, snapshot_id)
        return snapshot_id

    def _record(self, page: Page, fetch: Fetch, snapshot_id: int) -> None:
        """The page answered with the bytes of this snapshot."""
        pages.record_answer(
            self.store,
            page.id,
            etag=fetch.etag,
            last_modified=fetch.last_modified,
            snapshot_id=snapshot_id,
            cycle_id=self.cycle_id,
            rendered=fetch.rendered,
        )

    def _watch(
        self, fetch: Fetch, *, program_id: str | None = None, institution: str | None = None
    ) -> None:
        page = pages.met(self.store, fetch.final_url)
        pages.watch(
            self.store, page.id, program_id=program_id, institution=institution, found="discovered"
        )
        packed = packing(fetch, self.packer)
        cycles.observe(
            self.store, [self._observation(page, fetch, packed.result() if packed else None)]
        )

    def _replace_gone(self, key: str, found: Fetch) -> None:
        """A page that is gone from its place, and was found at another, has moved."""
        for page in self._gone.pop(key, ()):
            if page.url != found.final_url:
                pages.move(self.store, page, found.final_url, self.cycle_id)

    def _doubt_gone(self, key: str, unread: Fetch) -> None:
        """A page that is gone from its place may be at one that could not be read: it is down.

        But not for ever, as what cannot be read may be another page.
        """
        told = f"it is gone from its place, and may be at {unread.final_url}: {unread.detail}"
        instead = replace(unread, detail=told)
        for page in self._gone.pop(key, ()):
            if cycles.unhealthy_cycles(self.store, page.id) <= GIVEN_UP_AFTER:
                cycles.observe(self.store, [self._seen(page, instead, None)])


def _institution(watched: Watchlist, key: str) -> str:
    """The institution that a target is, or to which it belongs."""
    program_id = program_of(key)
    return (
        (institution_of(key) or "")
        if program_id is None
        else watched.programs[program_id].institution
    )
