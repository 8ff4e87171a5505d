"""The first look of a cycle: whose pages say something else than what stands, and why not.

What is suspected here is looked at a second time, and settled, by monitor.confirm. Both work on
the store alone: a cycle calls them after its fetches, a replay after stored observations.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from extractors import Policy
from monitor import flapping
from monitor.compare import ChangeKind
from monitor.flag import (
    Suspicion,
    agrees,
    observe,
    quote_elsewhere,
    speaks_elsewhere,
    suspect,
)
from monitor.reading import Reading, read
from monitor.rules import only_the_rules_changed
from monitor.taken_back import close_page_is_back
from monitor.watchlist import Watchlist, some
from store import cycles, flaps, pending, policies
from store.database import Store
from store.records import Change, Standing


class Outcome(StrEnum):
    """What a cycle made of a program for which it may have had news."""

    UNSEEN = "unseen"  # none of its pages was ever seen
    FIRST_SIGHT = "first_sight"  # an observation, not a change
    AGREES = "agrees"  # its pages have come to say what a maintainer decided
    STEADY = "steady"  # its pages say what stands
    ELSEWHERE = "elsewhere"  # so do they, but another of them says it
    RULES_ONLY = "rules_only"  # today's rules read the difference in yesterday's bytes, too
    TOLD = "told"  # its page is gone, and was flagged as such
    SUSPECTED = "suspected"  # something differs; the second look tells
    UNCONFIRMED = "unconfirmed"  # the second look did not show the same
    DOWN = "down"  # a page on which it may depend was down
    HELD = "held"  # it goes back and forth
    WAITS = "waits"  # something is gone, and must be so in more cycles
    FLAGGED = "flagged"


_PORTION = 200  # programs whose readings are held at a time
_AS_IT_STANDS = (Outcome.AGREES, Outcome.STEADY, Outcome.ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome for one program, and what its pages say now (None: they were never seen).

    `suspicion` is what was looked at twice, if anything was.
    """

    outcome: Outcome
    policy: Policy | None
    suspicion: Suspicion | None = None
    change: Change | None = None


def first_look(
    store: Store,
    cycle_id: int,
    *,
    about: Collection[str] | None = None,
    now: datetime,
    withdraw_cycles: int,
) -> Iterator[tuple[str, Judgement]]:
    """The judgement of each program for which the cycle may have news; the rest is steady.

    `about` names the programs that the cycle was about, if it was not about all.
    They come by portions, each judged and written as a whole: a first night has news of all
    programs, and what their pages say is ten times what the list of them is. First sights are
    recorded. Run again, for the same cycle, it records nothing twice.
    """
    moved = cycles.moved_programs(store, cycle_id)
    wanted = moved if about is None else [i for i in moved if i in about]
    for start in range(0, len(wanted), _PORTION):
        portion = some(store, wanted[start : start + _PORTION])
        yield from _looked_at(store, portion, cycle_id, now, withdraw_cycles).items()


def _looked_at(
    store: Store,
    watched: Watchlist,
    cycle_id: int,
    now: datetime,
    withdraw_cycles: int,
) -> dict[str, Judgement]:
    """By id, the judgements of some programs."""
    wanted = list(watched.programs)
    seen = cycles.seen_pages(store, cycle_id, {page.id for page in watched.pages()})
    standing = policies.standing(store, wanted)
    found: dict[str, Judgement] = {}
    with store.writing():
        for reading in read(store, watched, wanted, gone_after=withdraw_cycles):
            program = reading.program
            speaking = watched.own_pages(program) or watched.office_pages(program)
            there = any(page.id in seen for page in speaking)
            if there:
                close_page_is_back(store, program.program_id, now)
            heard = any(page.id in seen for page in watched.pages_of(program.program_id))
            judgement = _judge(store, reading, standing, withdraw_cycles, there=there, heard=heard)
            if judgement.outcome in (Outcome.FIRST_SIGHT, Outcome.AGREES):
                observe(store, reading, cycle_id, now)
            if heard and judgement.outcome in _AS_IT_STANDS:
                flapping.turned(store, reading, standing[program.program_id], cycle_id, now)
            if judgement.outcome is Outcome.ELSEWHERE:
                waited = pending.wait(store, program.program_id, [pending.ELSEWHERE], cycle_id)
                if waited >= withdraw_cycles:
                    quote_elsewhere(store, reading, standing[program.program_id], cycle_id, now)
            found[program.program_id] = judgement
    return found


def suspicions(judgements: Iterable[tuple[str, Judgement]]) -> dict[str, Suspicion]:
    """By program id, what has to be looked at a second time."""
    return {
        program_id: judgement.suspicion
        for program_id, judgement in judgements
        if judgement.outcome is Outcome.SUSPECTED and judgement.suspicion is not None
    }


def hear_late(
    store: Store, cycle_id: int, *, heard: Collection[str] | None = None, withdraw_cycles: int
) -> None:
    """Has programs wait for the next cycle of whose pages this one got news after their look.

    A page that was down at the first look may have been fetched anew for a neighbour, and no page
    is new twice. The same goes for programs that are not among those `heard` in this cycle, if
    these were not all.
    """
    late = set(cycles.renewed_programs(store, cycle_id))
    if heard is not None:
        late |= set(cycles.moved_programs(store, cycle_id)) - set(heard)
    wanted = sorted(late - set(pending.waiting(store)))
    if not wanted:
        return
    standing = policies.standing(store, wanted)
    with store.writing():
        for reading in read(store, some(store, wanted), wanted, gone_after=withdraw_cycles):
            program_id = reading.program.program_id
            judgement = _judge(store, reading, standing, withdraw_cycles, there=False, heard=False)
            if judgement.outcome is Outcome.SUSPECTED:
                pending.wait(store, program_id, [pending.UNCONFIRMED], cycle_id)


def _judge(
    store: Store,
    reading: Reading,
    standing: Mapping[str, Standing],
    withdraw_cycles: int,
    *,
    there: bool,
    heard: bool,
) -> Judgement:
    """What differs, if anything.

    `heard` says that a page which speaks for the program was seen in this cycle, `there` that one
    of its own was, if it has any.
    """
    program_id = reading.program.program_id
    before = standing.get(program_id)
    if before is None or before.cycle_id is None:  # of which only other channels spoke so far
        first = Outcome.UNSEEN if reading.policy is None else Outcome.FIRST_SIGHT
        return Judgement(first, reading.policy)
    if agrees(reading, before):
        return Judgement(Outcome.AGREES, reading.policy)
    suspicion = suspect(reading, before)
    if suspicion is None and there and speaks_elsewhere(store, reading, before):
        return Judgement(Outcome.ELSEWHERE, reading.policy)
    if suspicion is None or only_the_rules_changed(store, suspicion, before):
        # Pages that were all gone, and are down tonight, are not back.
        if heard or not pending.waited(store, program_id, ChangeKind.PAGE_GONE):
            pending.stop_waiting(store, program_id)
        steady = Outcome.STEADY if suspicion is None else Outcome.RULES_ONLY
        return Judgement(steady, reading.policy, suspicion)
    if _told(store, suspicion, withdraw_cycles):
        return Judgement(Outcome.TOLD, reading.policy, suspicion)
    return Judgement(Outcome.SUSPECTED, reading.policy, suspicion)


def _told(store: Store, suspicion: Suspicion, withdraw_cycles: int) -> bool:
    """Whether it is a page that is gone, and was flagged as such in an earlier cycle."""
    kind = suspicion.difference.kind
    program_id = suspicion.reading.program.program_id
    told = pending.waited(store, program_id, str(kind)) >= withdraw_cycles
    held = program_id in flaps.under_way(store)
    return kind is ChangeKind.PAGE_GONE and told and not held
