"""Policies that go back and forth: held, and reported once, until they have come to rest.

A server that shows the old page on some nights, or two editors who undo each other, would make an
alarm of each turn. The first turn is a change like any other, and so is the one that takes it
back: most changes that are taken back, even one that is then made after all, are meant. Only a
policy that keeps turning between the same two is held: the last one that was flagged stands. Two
changes that are each taken back, to different policies, are four changes. Something that was not
said before is news as ever. When the pages have said the same for long enough, it is over, and
what differs from the policy that stands is flagged then.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise

from extractors import Policy
from monitor import diff
from monitor.reading import Reading
from store import cycles, flaps, pending, programs
from store.database import Store
from store.records import Flap, Standing, Turn, stamp

_GONE = '"gone"'


@dataclass(frozen=True, slots=True)
class Settings:
    """When a policy goes back and forth, and when it no longer does."""

    reversals: int = 3  # so many times it turned again between the same two policies ...
    days: int = 14  # ... within so many days
    stable_cycles: int = 7  # over when the pages said the same in so many further cycles


@dataclass(frozen=True, slots=True)
class Report:
    """What is said of an institution's programs that began, or ceased, to go back and forth."""

    institution: str
    programs: tuple[str, ...]
    said: tuple[str, ...]  # in words, what they say by turns
    over: bool

    def __str__(self) -> str:
        """One line, as a maintainer reads it."""
        whom = f"flapping: {self.institution} ({', '.join(self.programs)})"
        if self.over:
            return f"{whom} has come to rest at {self.said[-1]}"
        return f"{whom} goes {_between(self.said)}; held until it rests"


def holds(
    store: Store,
    reading: Reading,
    standing: Standing,
    *,
    cycle_id: int,
    now: datetime,
    settings: Settings,
) -> bool:
    """Whether a difference that could be flagged is held, as its program goes back and forth.

    Notes what the pages say. Inside `writing()`; for the same cycle it says the same.
    """
    program_id = reading.program.program_id
    turned(store, reading, standing, cycle_id, now)
    turns = flaps.turns(store, program_id)
    if not turns:  # it says the same as ever, in other words
        return False
    recent = _recent(turns, settings.days)
    last, earlier = recent[-1], {turn.said for turn in recent[:-1]}
    if program_id in flaps.under_way(store):
        if cycles.answered_since(store, program_id, last.cycle_id) < settings.stable_cycles:
            return last.said in earlier
        flaps.end(store, program_id, cycle_id)
        return False
    if last.cycle_id == cycle_id and _reversals(recent) >= settings.reversals:
        flaps.begin(store, program_id, cycle_id)
        return True
    return False


def turned(
    store: Store, reading: Reading, standing: Standing, cycle_id: int, now: datetime
) -> None:
    """Notes what the pages say, if they said something else before. Inside `writing()`."""
    assert reading.policy is not None  # noqa: S101 (what was not seen says nothing)
    program_id = reading.program.program_id
    said = _GONE if reading.gone else _said(reading.policy)
    past = flaps.turns(store, program_id)
    if not past:
        stood = _said(Policy.from_json(standing.reading))
        if said == stood:
            return
        if standing.cycle_id is not None:
            flaps.turn(store, Turn(program_id, standing.cycle_id, standing.since, stood))
    if not past or past[-1].said != said:
        flaps.turn(store, Turn(program_id, cycle_id, stamp(now), said))


def note(store: Store, cycle_id: int, settings: Settings) -> None:
    """Ends it for those that have come to rest where they stood. Inside `writing()`."""
    waiting = set(pending.waiting(store))  # what they say differs: see `holds`
    for program_id in flaps.under_way(store).keys() - waiting:
        last = flaps.turns(store, program_id)[-1]
        if cycles.answered_since(store, program_id, last.cycle_id) >= settings.stable_cycles:
            flaps.end(store, program_id, cycle_id)


def reports(store: Store, cycle_id: int) -> list[Report]:
    """What a cycle has to report of watched programs, by institution."""
    return _reports(store, flaps.of_cycle(store, cycle_id), cycle_id)


def under_way(store: Store) -> list[Report]:
    """All that go back and forth now, by institution."""
    return _reports(store, list(flaps.under_way(store).values()), None)


def by_turns(store: Store, program_id: str) -> str:
    """`back and forth between J-1 only and J-1 and H-1B`."""
    return _between(_told(store, program_id))


def _reports(store: Store, found: list[Flap], cycle_id: int | None) -> list[Report]:
    watched = {p.program_id: p for p in programs.listed(store, [f.program_id for f in found])}

    def key(flap: Flap) -> tuple[str, tuple[str, ...], bool]:
        over = cycle_id is not None and flap.ended_cycle == cycle_id
        return watched[flap.program_id].institution, _told(store, flap.program_id), over

    known = sorted((flap for flap in found if flap.program_id in watched), key=key)
    return [
        Report(institution, tuple(flap.program_id for flap in group), told, over)
        for (institution, told, over), group in groupby(known, key)
    ]


def _recent(turns: Sequence[Turn], days: int) -> list[Turn]:
    """The turns of some days up to the last one, and what they began with."""
    begin = stamp(datetime.fromisoformat(turns[-1].at) - timedelta(days=days))
    first = next(i for i, turn in enumerate(turns) if turn.at >= begin)
    return list(turns[max(0, first - 1) :])


def _reversals(turns: Sequence[Turn]) -> int:
    """How often the pages had turned, one way or the other, between the two of the last turn."""
    ways = [{one.said, other.said} for one, other in pairwise(turns)]
    return ways[:-1].count(ways[-1]) if ways else 0


def _said(policy: Policy) -> str:
    said = policy.to_json()
    conditions = sorted(json.dumps(c, sort_keys=True) for c in said["conditions"])
    return json.dumps([said["stances"], conditions], sort_keys=True)


def _told(store: Store, program_id: str) -> tuple[str, ...]:
    """What a program's pages said, in words, in the order in which they came to say it last."""
    turns = flaps.turns(store, program_id)[-4:]
    said = [turn.said for turn in turns]
    return tuple(_words(s) for i, s in enumerate(said) if s not in said[i + 1 :])


def _words(said: str) -> str:
    if said == _GONE:
        return "no page"
    stances, conditions = json.loads(said)
    policy = {"stances": stances, "conditions": [json.loads(c) for c in conditions]}
    asked = [c for visa in stances for c in diff.conditions(policy, visa)]
    return diff.category(policy) + (f" ({', '.join(asked)})" if asked else "")


def _between(said: Sequence[str]) -> str:
    if len(set(said)) < 2:
        return "back and forth"
    return f"back and forth between {', '.join(said[:-1])} and {said[-1]}"
