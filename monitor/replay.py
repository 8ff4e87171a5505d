"""What today's rules would have flagged, had they been there: the stored nights once more.

Every finished cycle is judged again, from the first one on, by the code that judges a cycle
(monitor.judging, monitor.confirm), in a scratch database: its observations in place of fetches,
its time in place of the clock, and the decisions of maintainers where the change that they
decided on is there again. The database itself is only read. docs/history.md says what a replay
cannot know.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from extractors import RULES_VERSION, Policy
from monitor import flapping, watchlist
from monitor.beside import Judged, Night, beside, same
from monitor.confirm import settle_all
from monitor.cycle import Settings
from monitor.judging import first_look, hear_late, suspicions
from monitor.reading import read_anew
from monitor.review import decide, undo
from monitor.taken_back import BY_ITSELF
from monitor.watchlist import Watchlist
from store import changes, cycles, pages, programs, scratch, snapshots, verdicts
from store.database import Store
from store.records import Cycle, Observation, Review, stamp


class ReplayError(Exception):
    """There is nothing to replay, and why."""


def replay(
    store: Store,
    first: datetime,
    last: datetime | None = None,
    *,
    settings: Settings,
    only: Collection[str] = (),
    on_night: Callable[[int, int], None] = lambda done, total: None,
) -> list[Night]:
    """What was flagged in each night beside what would be, oldest first; writes nothing.

    The nights are those that began from `first` to `last`. `settings` are those by which cycles
    judge now. `only` names programs; all of them when it is empty. `on_night` is told how many
    nights are done, and of how many. Raises ReplayError when no finished cycle began then,
    NotFound for a program that was never watched, and StoreError.
    """
    for program_id in only:
        programs.ever(store, program_id)
    finished = [cycle for cycle in cycles.listed(store) if cycle.finished_at is not None]
    until = stamp(last) if last else "9999"
    shown = [cycle for cycle in finished if stamp(first) <= cycle.started_at <= until]
    if not shown:
        raise ReplayError(_nothing(finished))
    nights = [cycle for cycle in finished if cycle.id <= shown[-1].id]
    with scratch.beside(store) as copy:
        job = _Replay(store, copy, settings, frozenset(only))
        judged = []
        for done, cycle in enumerate(nights, 1):
            judged.append(job.night(cycle))
            job.decide_until(nights[done].started_at if done < len(nights) else until)
            on_night(done, len(nights))
        return beside(store, copy, judged, frozenset(only), shown[0].id)


def _nothing(finished: list[Cycle]) -> str:
    if not finished:
        return "no cycle has finished yet; `visawatch crawl` runs one"
    first, last = finished[0].started_at, finished[-1].started_at
    return f"no cycle began in that time; those that are stored began from {first} to {last}"


@dataclass(slots=True)
class _Replay:
    source: Store
    copy: Store
    settings: Settings
    only: frozenset[str]
    _moves: dict[int, list[pages.Move]] = field(default_factory=lambda: defaultdict(list))
    _watches: dict[int, list[scratch.Watched]] = field(default_factory=lambda: defaultdict(list))
    _joining: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    _leaving: list[tuple[str, str]] = field(default_factory=list)  # when, and which program
    _reviews: list[Review] = field(default_factory=list)  # still to come, the last one first

    def __post_init__(self) -> None:
        for move in pages.moves(self.source):
            self._moves[move.cycle_id].append(move)
        first_sights = cycles.first_sights(self.source)
        for watch in scratch.watches(self.source):
            # A page that was not fetched yet is not watched yet: nobody could say it is gone.
            self._watches[first_sights.get(watch.page_id, 0)].append(watch)
        for program_id, (first, removed_at) in scratch.memberships(self.source).items():
            if not self.only or program_id in self.only:
                self._joining[first].append(program_id)
                if removed_at is not None:
                    self._leaving.append((removed_at, program_id))
        decided = [r for r in verdicts.on_changes(self.source) if r.by != BY_ITSELF]
        self._reviews = sorted(decided, key=lambda review: review.at, reverse=True)
        with self.copy.writing():
            scratch.watch(self.copy, self._watches.pop(0, []))
            scratch.join(self.copy, self._joining.pop(0, []))

    def night(self, cycle: Cycle) -> Judged:
        """Judges one cycle again."""
        seen = cycles.observations(self.source, cycle.id)
        looks = [[o for o in seen if o.attempt == 0], [o for o in seen if o.attempt > 0]]
        with self.copy.writing():
            scratch.begin(self.copy, cycle)
            self._join_and_leave(cycle)
            for move in self._moves.get(cycle.id, ()):
                page = pages.get(self.copy, move.page_id)
                pages.move(self.copy, page, move.new_url, cycle.id)
            scratch.watch(self.copy, self._watches.get(cycle.id, []))
        speaking = {page.id for page in watchlist.load(self.copy).pages()}
        self._see(looks[0], speaking)
        watched = self._in_cycle(seen)
        now = _time(looks[0]) or datetime.fromisoformat(cycle.started_at)
        judgements = dict(
            first_look(
                self.copy,
                cycle.id,
                about=watched.programs,
                now=now,
                withdraw_cycles=self.settings.withdraw_cycles,
            )
        )
        self._see(looks[1], speaking)
        suspected = suspicions(judgements.items())
        again = {o.page_id for o in looks[1]}
        once = {i for i in suspected if not again & {p.id for p in watched.pages_of(i)}}
        judgements |= settle_all(
            self.copy,
            self._in_cycle(seen),
            suspected,
            cycle_id=cycle.id,
            now=_time(looks[1]) or now,
            withdraw_cycles=self.settings.withdraw_cycles,
            flap=self.settings.flap,
        )
        hear_late(
            self.copy,
            cycle.id,
            heard=watched.programs,
            withdraw_cycles=self.settings.withdraw_cycles,
        )
        with self.copy.writing():
            flapping.note(self.copy, cycle.id, self.settings.flap)
        return Judged(cycle, judgements, frozenset(once))

    def decide_until(self, until: str) -> None:
        """Files what maintainers decided before the next cycle began."""
        while self._reviews and self._reviews[-1].at <= until:
            review = self._reviews.pop()
            assert review.change_id is not None  # noqa: S101 (see verdicts.on_changes)
            then = changes.get(self.source, review.change_id)
            found = [
                change
                for change in changes.of_program(self.copy, then.program_id)
                if change.cycle_id == then.cycle_id and same(then, change)
            ]
            now = datetime.fromisoformat(review.at)
            for change in found:
                if review.verdict == "undone":
                    undo(self.copy, change.id, by=review.by, now=now)
                    continue
                decide(
                    self.copy,
                    change.id,
                    review.verdict,
                    by=review.by,
                    note=review.note,
                    now=now,
                    policy=Policy.from_json(review.policy) if review.policy else None,
                )

    def _join_and_leave(self, cycle: Cycle) -> None:
        scratch.join(self.copy, self._joining.get(cycle.id, []))
        for removed_at, program_id in self._leaving:
            if removed_at <= cycle.started_at:
                scratch.leave(self.copy, program_id, removed_at)

    def _in_cycle(self, seen: list[Observation]) -> Watchlist:
        """The programs that the cycle was about: `crawl --program` leaves others out."""
        everything = watchlist.load(self.copy)
        observed = {o.page_id for o in seen}
        about = {
            program_id: program
            for program_id, program in everything.programs.items()
            if observed & {page.id for page in everything.pages_of(program_id)}
        }
        return Watchlist(about, everything.own, everything.offices)

    def _see(self, look: list[Observation], speaking: Collection[int]) -> None:
        """Files what was observed of these pages, and has the new bytes among it read."""
        look = [o for o in look if o.page_id in speaking]
        ids = {o.snapshot_id for o in look if o.snapshot_id is not None}
        lacking = scratch.lacking(self.copy, ids)
        stated = {i: self._stated(i) for i in lacking}
        with self.copy.writing():
            scratch.put(self.source, self.copy, stated, RULES_VERSION)
            cycles.observe(self.copy, look)
            for o in look:
                if o.snapshot_id is not None:
                    pages.record_answer(
                        self.copy,
                        o.page_id,
                        etag=None,
                        last_modified=None,
                        snapshot_id=o.snapshot_id,
                        cycle_id=o.cycle_id,
                    )

    def _stated(self, snapshot_id: int) -> list[dict[str, Any]]:
        """What today's rules read in a snapshot."""
        if snapshots.is_read(self.source, snapshot_id, RULES_VERSION):
            return snapshots.readings(self.source, [snapshot_id])[snapshot_id]
        return [statement.to_json() for statement in read_anew(self.source, snapshot_id)]


def _time(look: list[Observation]) -> datetime | None:
    """When a look was over."""
    return datetime.fromtimestamp(max(o.at for o in look), UTC) if look else None
