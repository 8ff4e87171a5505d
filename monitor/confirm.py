"""After the second look: which differences are still there, and which of them are flagged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from extractors import Policy
from monitor.flag import Suspicion, confirmed, fallen_silent, moved_along, settle, suspect
from monitor.judging import Judgement, Outcome
from monitor.reading import Reading, read
from monitor.sights import missed, unheard
from monitor.watchlist import Watchlist
from store import changes, cycles, policies
from store.database import Store
from store.records import Standing


def settle_all(
    store: Store,
    watched: Watchlist,
    suspicions: Mapping[str, Suspicion],
    *,
    cycle_id: int,
    now: datetime,
    withdraw_cycles: int,
) -> dict[str, Judgement]:
    """Flags what the pages of suspicious programs, fetched anew, still say; the rest waits.

    Gives what became of each, by program id.

    What waits is looked at again in the next cycle, even if the page does not change. A night in
    which it was down neither adds to the nights that were counted nor ends them.
    """
    answered = cycles.answered_pages(store, cycle_id)
    standing = policies.standing(store)
    found: dict[str, Judgement] = {}
    for reading in read(store, watched, list(suspicions)):
        program_id = reading.program.program_id
        first, before = suspicions[program_id], standing[program_id]
        second = suspect(reading, before)
        silent = "" if second is None else _fallen_silent(store, watched, before, second)
        unseen = _unseen(store, watched, reading, before, cycle_id, answered, slow=bool(silent))
        if not unseen and confirmed(first, second):
            change = settle(
                store,
                Suspicion(reading, first.difference),
                before,
                cycle_id=cycle_id,
                now=now,
                silent=silent,
                withdraw_cycles=withdraw_cycles,
            )
            outcome = Outcome.FLAGGED if change is not None else Outcome.WAITS
            found[program_id] = Judgement(outcome, reading.policy, first, change)
            continue
        if not unseen or program_id not in changes.waiting(store):
            with store.writing():
                changes.wait(store, program_id, changes.UNCONFIRMED, cycle_id)
        outcome = Outcome.DOWN if unseen else Outcome.UNCONFIRMED
        found[program_id] = Judgement(outcome, reading.policy, first)
    return found


def _fallen_silent(store: Store, watched: Watchlist, before: Standing, second: Suspicion) -> str:
    program = second.reading.program
    return fallen_silent(
        moved_along(store, Policy.from_json(before.reading)),
        second,
        watched={page.url for page in watched.pages_of(program.program_id)},
        inherited={page.url for page in watched.office_pages(program)},
    )


def _unseen(
    store: Store,
    watched: Watchlist,
    reading: Reading,
    before: Standing,
    cycle_id: int,
    answered: set[int],
    *,
    slow: bool,
) -> bool:
    """Whether a page is down on which the difference may depend.

    What is new since the policy was confirmed must have been seen again just now: a page that is
    down tonight does not repeat what it said in an earlier night. And what is no longer said may
    have gone to a page that is down.
    """
    speaking = watched.pages_of(reading.program.program_id)
    news = unheard(store, speaking, before.cycle_id or 0, answered)
    return bool(news or (slow and missed(store, speaking, cycle_id, answered)))
