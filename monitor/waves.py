"""Waves: many institutions change the same way within days, as after a national rule change.

How many is many depends on how many usually do. Institutions whose programs changed in one
direction within some days are held against the changes in that direction in the months before;
a wave is what would hardly ever come about by itself. It is told as one thing, with the list of
its members: those that were flagged before it was recognised, and those that come while it lasts.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from extractors import Stance, Visa
from extractors.conditions import ConditionKind
from monitor import diff
from monitor.compare import ChangeKind, Severity
from store import changes, cycles, programs, waves
from store.database import Store
from store.records import Change, Program, Wave, stamp

USUAL_DAYS = 90  # what is usual is counted over so many days before
YEARLY = 365.0  # days between two such changes of one institution, until that was seen

# From the least sponsorship to the most. What is not stated, or contradicts itself, is in between
# or nowhere: falling silent is a step down from sponsorship, and none from a refusal.
_STEPS = {Stance.NOT_SPONSORED: 0, Stance.CONDITIONAL: 1, Stance.SPONSORED: 2}
_PEOPLE = (Visa.PERMANENT_RESIDENT, Visa.CITIZEN)

LESS, MORE = "less", "more"
_WAYS = {LESS: "cut back on {visa}", MORE: "open up to {visa}"}
_CONDITIONS = {
    "added": "now ask for '{kind}' for {visa}",
    "dropped": "no longer ask for '{kind}' for {visa}",
    "dated": "date '{kind}' for {visa} anew",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """When changes are a wave."""

    institutions: int = 5  # at least so many
    days: int = 7  # within so many days; a wave is over when as many pass without a new member
    chance: float = 0.0001  # how likely they may be, at most, at the usual rate


@dataclass(frozen=True, slots=True, order=True)
class Direction:
    """Where a change leads to: less or more of a visa, or a condition that comes or goes."""

    visa: str
    way: str  # less | more | added KIND | dropped KIND | dated KIND


@dataclass(frozen=True, slots=True)
class Report:
    """A wave that a cycle has recognised, or that has grown in it."""

    wave: Wave
    told: str  # see `described`
    new: int  # members that this cycle has flagged
    recognised: bool

    def __str__(self) -> str:
        """One line, as a maintainer reads it."""
        grown = "" if self.recognised else f", {self.new} of them new"
        first = self.wave.change_ids[0]
        return f"wave {self.wave.id}: {self.told}{grown} (`visawatch review {first} ... --wave`)"


def recognise(store: Store, cycle_id: int, now: datetime, settings: Settings) -> None:
    """Puts the changes of a wave together, with those that were flagged before in its days.

    Run again, for the same cycle, it does the same. Inside `writing()`.
    """
    if all(change.severity == Severity.MINOR for change in changes.of_cycle(store, cycle_id)):
        return
    where = {p.program_id: p.institution for p in programs.listed(store)}
    begin = now - timedelta(days=settings.days)
    usual = begin - timedelta(days=USUAL_DAYS)
    found = [c for c in changes.since(store, stamp(usual)) if _counts(c) and c.program_id in where]
    fresh = [c for c in found if c.detected_at >= stamp(begin)]
    taken = _grow(store, fresh)
    loose = [c for c in fresh if c.wave_id is None and c.id not in taken]
    before = [c for c in found if c.detected_at < stamp(begin) and c.wave_id is None]
    watched = _Usual(before, len(set(where.values())), _days_watched(store, begin), where)
    ways = _by_direction(loose)
    for way in sorted(ways, key=lambda way: (-len(_institutions(ways[way], where)), way)):
        members = [c for c in ways[way] if c.id not in taken]
        count = len(_institutions(members, where))
        if count < settings.institutions:
            continue
        if watched.chance(way, count, settings.days) <= settings.chance:
            wave = waves.begin(store, way.visa, way.way, cycle_id)
            waves.join(store, wave, [c.id for c in members])
            taken.update(c.id for c in members)


def _grow(store: Store, fresh: Sequence[Change]) -> set[int]:
    """New changes join the waves that are not over; gives them."""
    joined: set[int] = set()
    alive = {c.wave_id for c in fresh}
    for wave in waves.listed(store):
        if wave.id in alive:
            way = Direction(wave.visa, wave.way)
            new = [c.id for c in fresh if c.wave_id is None and way in directions(c)]
            waves.join(store, wave.id, set(new) - joined)
            joined.update(new)
    return joined


def reports(store: Store, cycle_id: int) -> list[Report]:
    """The waves that a cycle has recognised, or that have grown in it."""
    new = {change.id for change in changes.of_cycle(store, cycle_id)}
    known = {program.program_id: program for program in programs.listed(store)}
    return [
        Report(
            wave,
            described(wave, changes.of_wave(store, wave.id), known),
            len(new & set(wave.change_ids)),
            wave.cycle_id == cycle_id,
        )
        for wave in waves.listed(store)
        if wave.cycle_id == cycle_id or new & set(wave.change_ids)
    ]


def told(
    store: Store, wave_ids: Collection[int], programs: Mapping[str, Program]
) -> dict[int, str]:
    """By its id, what is said of each of some waves."""
    return {
        wave.id: described(wave, changes.of_wave(store, wave.id), programs)
        for wave in waves.listed(store)
        if wave.id in wave_ids
    }


def described(wave: Wave, members: Sequence[Change], programs: Mapping[str, Program]) -> str:
    """`9 programs of 6 institutions cut back on H-1B, 2026-11-20 to 2026-11-24`."""
    institutions = {programs[c.program_id].institution for c in members if c.program_id in programs}
    days = sorted(c.detected_at[:10] for c in members)
    count = len({c.program_id for c in members})
    return (
        f"{count} programs of {len(institutions)} institutions {words(wave.visa, wave.way)}, "
        + (days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}")
    )


def words(visa: str, way: str) -> str:
    """What the members of a wave do: `cut back on H-1B`."""
    if way in _WAYS:
        return _WAYS[way].format(visa=diff.visa_words(visa))
    step, _, kind = way.partition(" ")
    condition = diff.CONDITION_WORDS[ConditionKind(kind)]
    return _CONDITIONS[step].format(kind=condition, visa=diff.visa_words(visa))


def directions(change: Change) -> list[Direction]:
    """Where a change leads to; nowhere, if it contradicts itself or what was said is gone."""
    found = []
    for visa in Visa:
        if visa in _PEOPLE:
            continue
        old, new = diff.stance(change.before, visa), diff.stance(change.after, visa)
        if way := _step(old, new):
            found.append(Direction(visa, way))
        elif old == new:
            found += [Direction(visa, way) for way in _condition_steps(change, visa)]
    return found


def _step(before: Stance, after: Stance) -> str:
    old, new = _STEPS.get(before), _STEPS.get(after)
    if before is Stance.UNSTATED and new is not None:
        return MORE if new else LESS
    if after is Stance.UNSTATED and old:
        return LESS
    if old is None or new is None or old == new:
        return ""
    return MORE if new > old else LESS


def _condition_steps(change: Change, visa: Visa) -> list[str]:
    old, new = (
        {c["kind"]: c.get("by") for c in policy.get("conditions", ()) if c["visa"] == visa}
        for policy in (change.before, change.after)
    )
    return [
        *(f"added {kind}" for kind in new if kind not in old),
        *(f"dropped {kind}" for kind in old if kind not in new),
        *(f"dated {kind}" for kind in new if kind in old and new[kind] != old[kind]),
    ]


def _counts(change: Change) -> bool:
    return (
        change.severity != Severity.MINOR
        and change.kind != ChangeKind.PAGE_GONE
        and change.status != "dismissed"
    )


def _by_direction(found: Iterable[Change]) -> dict[Direction, list[Change]]:
    ways: dict[Direction, list[Change]] = defaultdict(list)
    for change in found:
        for way in directions(change):
            ways[way].append(change)
    return ways


def _institutions(found: Iterable[Change], where: dict[str, str]) -> set[str]:
    return {where[change.program_id] for change in found}


def _days_watched(store: Store, until: datetime) -> float:
    """Of the days that tell what is usual, those on which there was somebody to count."""
    first = next(iter(cycles.listed(store)), None)
    if first is None:
        return 0.0
    watched = until - datetime.fromisoformat(first.started_at)
    return max(0.0, min(float(USUAL_DAYS), watched / timedelta(days=1)))


class _Usual:
    """How many institutions usually change in a direction: a Gamma-Poisson model.

    Before anything was seen, an institution is taken to change in one direction once a year, and
    that guess to be worth a single change; what was counted since outweighs it soon.
    """

    def __init__(
        self, before: Collection[Change], institutions: int, days: float, where: dict[str, str]
    ) -> None:
        self._days = YEARLY / max(1, institutions) + days
        self._seen = {
            way: len({(c.cycle_id, where[c.program_id]) for c in found})
            for way, found in _by_direction(before).items()
        }

    def chance(self, way: Direction, count: int, days: float) -> float:
        """How likely it is that `count` institutions or more change this way within `days`."""
        return at_least(count, 1 + self._seen.get(way, 0), days / self._days)


def at_least(count: int, shape: float, scale: float) -> float:
    """The chance of `count` events or more, where their number is Poisson and its mean Gamma.

    The mean number of events is `shape * scale`. (The negative binomial distribution.)

    >>> round(at_least(1, 1, 1.0), 3), round(at_least(5, 1, 0.1), 7)
    (0.5, 6.2e-06)
    """
    p = scale / (1 + scale)
    fewer = sum(
        math.exp(
            math.lgamma(shape + k)
            - math.lgamma(shape)
            - math.lgamma(k + 1)
            + shape * math.log1p(-p)
            + k * math.log(p)
        )
        for k in range(count)
    )
    return max(0.0, 1.0 - fewer)
