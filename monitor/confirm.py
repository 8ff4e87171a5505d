"""After the second look: which differences are still there, and which of them are flagged."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from extractors import Policy
from monitor import flapping
from monitor.compare import ChangeKind
from monitor.flag import (
    Suspicion,
    confirmed,
    fallen_silent,
    moved_along,
    settle,
    suspect,
    unsaid,
)
from monitor.judging import Judgement, Outcome
from monitor.reading import Reading, read
from monitor.sights import missed, rests_on_unheard
from monitor.watchlist import Watchlist
from store import cycles, flaps, pending, policies
from store.database import Store
from store.records import Change, Standing


def settle_all(
    store: Store,
    watched: Watchlist,
    suspicions: Mapping[str, Suspicion],
    *,
    cycle_id: int,
    now: datetime,
    withdraw_cycles: int,
    flap: flapping.Settings,
) -> dict[str, Judgement]:
    """Flags what the pages of suspicious programs, fetched anew, still say; the rest waits.

    Gives what became of each, by program id.

    What waits is looked at again in the next cycle, even if the page does not change. A night in
    which it was down neither adds to the nights that were counted nor ends them.
    """
    night = _Night(store, watched, cycle_id, withdraw_cycles)
    standing = policies.standing(store, list(suspicions))
    found: dict[str, Judgement] = {}
    for reading in read(store, watched, list(suspicions), gone_after=withdraw_cycles):
        program_id = reading.program.program_id
        first, before = suspicions[program_id], standing[program_id]
        second = suspect(reading, before)
        silent = () if second is None else night.fallen_silent(before, second)
        unseen = night.unseen(reading, before, silent=silent)
        if not unseen and confirmed(first, second):
            change = settle(
                store,
                Suspicion(reading, first.difference),
                before,
                cycle_id=cycle_id,
                now=now,
                silent=silent,
                withdraw_cycles=withdraw_cycles,
                flap=flap,
            )
            outcome = _outcome(store, program_id, change)
            found[program_id] = Judgement(outcome, reading.policy, first, change)
            continue
        if not unseen or program_id not in pending.waiting(store):
            with store.writing():
                pending.wait(store, program_id, [pending.UNCONFIRMED], cycle_id)
        outcome = Outcome.DOWN if unseen else Outcome.UNCONFIRMED
        found[program_id] = Judgement(outcome, reading.policy, first)
    return found


def _outcome(store: Store, program_id: str, change: Change | None) -> Outcome:
    if change is not None:
        return Outcome.FLAGGED
    return Outcome.HELD if program_id in flaps.under_way(store) else Outcome.WAITS


class _Night:
    """What was seen in a night, and what the pages of a program have come to in it."""

    def __init__(
        self, store: Store, watched: Watchlist, cycle_id: int, withdraw_cycles: int
    ) -> None:
        self._store, self._watched = store, watched
        self._gone_after = withdraw_cycles
        ids = {page.id for page in watched.pages()}
        self._gone = cycles.gone(store, withdraw_cycles, ids)  # long enough to be believed
        self._answered = cycles.answered_pages(store, cycle_id, ids)
        self._seen = cycles.seen_pages(store, cycle_id, ids)

    def fallen_silent(self, before: Standing, second: Suspicion) -> tuple[str, ...]:
        """What is gone, if that is all that the difference is (see flag.fallen_silent)."""
        program = second.reading.program
        speaking = self._watched.pages_of(program.program_id)
        return fallen_silent(
            moved_along(self._store, Policy.from_json(before.reading)),
            second,
            watched={page.url for page in speaking},
            inherited={page.url for page in self._watched.office_pages(program)},
            gone={page.url for page in speaking if page.id in self._gone},
        )

    def unseen(self, reading: Reading, before: Standing, *, silent: Collection[str]) -> bool:
        """Whether a page is down on which the difference may depend.

        What is new since the policy was confirmed must have been seen again just now: a page that
        is down tonight does not repeat what it said in an earlier night. And what is no longer said
        may have gone to a page that is down: if its page is gone, to another of the program's own,
        though the word of its institution's office stands in. A page that is gone is down, too,
        until that is believed.
        """
        known = self._seen | (self._answered & self._gone)
        answered = self._answered if ChangeKind.PAGE_GONE in silent else known
        speaking = self._watched.pages_of(reading.program.program_id) if silent else ()
        own = self._watched.own_pages(reading.program) if self._lost(reading, before) else ()
        return bool(missed(self._store, {*speaking, *own}, answered)) or (
            rests_on_unheard(
                self._store,
                self._watched,
                reading,
                before.cycle_id or 0,
                answered,
                gone_after=self._gone_after,
            )
        )

    def _lost(self, reading: Reading, before: Standing) -> bool:
        """Whether the program had a page's word on a visa that is gone, and has no other's."""
        if reading.policy is None:
            return False
        own = self._watched.own_pages(reading.program)
        then = moved_along(self._store, Policy.from_json(before.reading))
        lost = unsaid(then, reading.policy, {page.url for page in own})
        gone = {page.url for page in own if page.id in self._gone}
        return any(e.visa in lost and e.url in gone for e in then.evidence)
