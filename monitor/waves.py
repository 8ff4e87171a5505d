"""Waves: many institutions change the same way within days, as after a national rule change.

How many is many depends on how many usually do. Institutions whose programs changed in one
direction within some days are held against the changes in that direction in the months before;
a wave is what would hardly ever come about by itself. It is told as one thing, with the list of
its members: those that were flagged before it was recognised, and those that come while it lasts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from extractors import Stance, Visa
from extractors.conditions import ConditionKind
from monitor import diff
from monitor.compare import ChangeKind, Severity
from monitor.taken_back import BY_ITSELF
from monitor.usual import Usual
from store import changes, cycles, programs, verdicts, waves
from store.database import Store
from store.records import Change, Wave, stamp

USUAL_DAYS = 90  # what is usual is counted over so many days before
LASTS = 0.01  # a wave is over when its last days are no rarer than this

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
    days: int = 7  # within so many days
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
    lately = _day(now - timedelta(days=settings.days))
    taken_back = verdicts.decided_by(store, BY_ITSELF)
    past = changes.since(store, stamp(now - timedelta(days=settings.days + USUAL_DAYS)))
    changed = programs.listed(store, {change.program_id for change in past})
    where = {p.program_id: p.institution for p in changed}
    found = [c for c in past if c.program_id in where and _happened(c, taken_back)]
    usual = Usual(_days_watched(store, lately), programs.count_institutions(store))
    seen = _seen(found, lately, where, settings)
    new = [change for change in found if change.detected_at[:10] > lately]
    taken: set[int] = set()

    def rarity(way: Direction, members: Iterable[Change]) -> float:
        return usual.chance(seen.get(way, 0), _by_days(members, where, now, settings.days))

    def join(wave_id: int, way: Direction) -> None:
        members = {change.id for change in loose()[way]}
        waves.join(store, wave_id, members)
        taken.update(members)

    def loose() -> dict[Direction, list[Change]]:
        return _by_direction(c for c in new if c.wave_id is None and c.id not in taken)

    for wave in waves.listed(store):
        way = Direction(wave.visa, wave.way)
        old = [change for change in new if change.wave_id == wave.id]
        if old and rarity(way, [*old, *loose()[way]]) <= LASTS:
            join(wave.id, way)
    ways = {way: len(_institutions(members, where)) for way, members in loose().items()}
    for way in sorted(ways, key=lambda way: (-ways[way], way)):
        members = loose()[way]
        enough = len(_institutions(members, where)) >= settings.institutions
        if enough and rarity(way, members) <= settings.chance:
            join(waves.begin(store, way.visa, way.way, cycle_id), way)


def _seen(
    found: Sequence[Change], lately: str, where: Mapping[str, str], settings: Settings
) -> dict[Direction, int]:
    """How many institutions changed in each direction, up to the day `lately`.

    Without the first days of a wave. What joins one later counts, or it would never be over
    where as many change each week.
    """
    began: dict[int, str] = {}
    before = []
    for change in found:
        if change.wave_id is not None:
            began.setdefault(change.wave_id, change.detected_at)
            if _days_between(began[change.wave_id], change.detected_at) <= settings.days:
                continue
        if change.detected_at[:10] <= lately:
            before.append(change)
    return {
        way: len({(change.cycle_id, where[change.program_id]) for change in members})
        for way, members in _by_direction(before).items()
    }


def _days_watched(store: Store, until: str) -> float:
    """Of the days that tell what is usual, those on which there was somebody to count."""
    first = next(iter(cycles.listed(store)), None)
    if first is None:
        return 0.0
    return max(0.0, min(float(USUAL_DAYS), _days_between(first.started_at, until)))


def _by_days(
    members: Iterable[Change], where: Mapping[str, str], now: datetime, most: int
) -> dict[int, int]:
    """How many institutions changed within one day, two ..., without what was taken back."""
    standing = [change for change in members if change.status != "dismissed"]
    counts = {}
    for days in range(1, most + 1):
        since = _day(now - timedelta(days=days))
        counts[days] = len(
            _institutions((c for c in standing if c.detected_at[:10] > since), where)
        )
    return counts


def _day(at: datetime) -> str:
    return stamp(at)[:10]


def _days_between(one: str, other: str) -> float:
    first, last = (datetime.fromisoformat(at[:10]) for at in (one, other))
    return (last - first) / timedelta(days=1)


def reports(store: Store, cycle_id: int) -> list[Report]:
    """The waves that a cycle has recognised, or that have grown in it."""
    new = {change.id for change in changes.of_cycle(store, cycle_id)}
    return [
        Report(
            wave,
            described(store, wave),
            len(new & set(wave.change_ids)),
            wave.cycle_id == cycle_id,
        )
        for wave in waves.listed(store)
        if wave.cycle_id == cycle_id or new & set(wave.change_ids)
    ]


def told(store: Store, wave_ids: Collection[int]) -> dict[int, str]:
    """By its id, what is said of each of some waves."""
    return {w.id: described(store, w) for w in waves.listed(store) if w.id in wave_ids}


def described(store: Store, wave: Wave) -> str:
    """`9 programs of 6 institutions cut back on H-1B, 2026-11-20 to 2026-11-24`."""
    members = changes.of_wave(store, wave.id)
    known = programs.ever_listed(store, {change.program_id for change in members})
    institutions = {program.institution for program in known.values()}
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


def _happened(change: Change, taken_back: Collection[int]) -> bool:
    """Whether a program changed: what it took back later it did change, unlike a false alarm.

    What other channels say of it is no change that it made.
    """
    return (
        change.cycle_id is not None
        and change.severity != Severity.MINOR
        and change.kind != ChangeKind.PAGE_GONE
        and (change.status != "dismissed" or change.id in taken_back)
    )


def _by_direction(found: Iterable[Change]) -> dict[Direction, list[Change]]:
    ways: dict[Direction, list[Change]] = defaultdict(list)
    for change in found:
        for way in directions(change):
            ways[way].append(change)
    return ways


def _institutions(found: Iterable[Change], where: Mapping[str, str]) -> set[str]:
    return {where[change.program_id] for change in found}
