"""What waits for a maintainer: open changes, the worst first, and first readings in doubt."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from monitor import diff
from monitor.compare import Severity
from monitor.groups import night, stories
from store import changes, policies, programs, remarks, search
from store.changes import Brief
from store.database import Store
from store.records import Change, Program, Remark, Standing

_WORST = {str(severity): rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which changes are wanted; what is empty lets everything through.

    `words` must all be in the names of the program and its institution. `assigned` is a user's
    name, or `nobody`. Changes of wording, and those that are snoozed, come only when asked for.
    """

    status: str = "open"  # or accepted, dismissed, corrected, all
    severity: str = ""
    words: str = ""
    assigned: str = ""
    snoozed: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A change with its program, and what was said of it."""

    change: Change
    program: Program
    remarks: tuple[Remark, ...] = ()

    @property
    def summary(self) -> str:
        """What changed, in one line."""
        return diff.summary(self.change)

    @property
    def assigned_to(self) -> str:
        """Whose it is; empty: nobody's."""
        return _last(self.remarks, "assigned")

    @property
    def snoozed_until(self) -> str:
        """The day from which on it is in the queue again; empty: it was not snoozed."""
        return _last(self.remarks, "snoozed")

    def is_snoozed(self, now: datetime) -> bool:
        """Whether it is out of the queue on that day."""
        return self.snoozed_until > now.date().isoformat()


@dataclass(frozen=True, slots=True)
class Doubt:
    """A program whose policy was read with little confidence, before any change."""

    program: Program
    standing: Standing


@dataclass(frozen=True, slots=True)
class Queue:
    """The changes that are wanted, by their numbers.

    `order` has the worst first, then the oldest. `groups` has them in groups (see monitor.groups),
    the one with the worst change first, and those of a wave side by side.
    """

    order: tuple[int, ...]
    groups: tuple[tuple[int, ...], ...]
    places: tuple[tuple[int, int], ...]  # of `order`: see `place`

    def around(self, change: Change) -> tuple[int | None, int | None]:
        """Which come before and after a change, be it among them or not."""
        here = place(change)
        before, after = bisect_left(self.places, here), bisect_right(self.places, here)
        return (
            self.order[before - 1] if before else None,
            self.order[after] if after < len(self.order) else None,
        )


def queue(store: Store, now: datetime, wanted: Filter | None = None) -> Queue:
    """The changes that are wanted: the open ones, if nothing else is said."""
    wanted = wanted or Filter()
    today = now.date().isoformat()
    return store.once(("queue", wanted, today), lambda: _queue(store, today, wanted))


def _queue(store: Store, today: str, wanted: Filter) -> Queue:
    places: list[tuple[int, int]] = []
    waves: dict[object, dict[object, list[int]]] = {}  # by wave, or by the group itself
    for one in _in_order(store, wanted.status).changes:
        if _wanted(one.brief, one.said, wanted, today):
            places.append(one.place)
            wave = one.group if one.brief.wave_id is None else one.brief.wave_id
            waves.setdefault(wave, {}).setdefault(one.group, []).append(one.brief.id)
    return Queue(
        tuple(number for _, number in places),
        tuple(tuple(sorted(group)) for groups in waves.values() for group in groups.values()),
        tuple(places),
    )


class _Placed(NamedTuple):
    """A change with its place, what was said of it, and what its group has in common."""

    place: tuple[int, int]
    brief: Brief
    said: Sequence[Remark]
    group: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _InOrder:
    """The changes of a status by their places, and the numbers of each group."""

    changes: list[_Placed]
    groups: dict[tuple[object, ...], list[int]]


def _in_order(store: Store, status: str) -> _InOrder:
    return store.once(("in order", status), lambda: _ordered(store, status))


def _ordered(store: Store, status: str) -> _InOrder:
    found = changes.briefly(store, status)
    said = remarks.of_changes(store, [brief.id for brief in found])
    groups: dict[tuple[object, ...], list[int]] = defaultdict(list)
    placed = []
    for brief in found:
        group = _group(brief, brief.institution)
        groups[group].append(brief.id)
        placed.append(_Placed(place(brief), brief, said.get(brief.id, ()), group))
    placed.sort()
    return _InOrder(placed, dict(groups))


def _group(change: Change | Brief, institution: str) -> tuple[object, ...]:
    return (*night(change), institution)


def place(change: Change | Brief) -> tuple[int, int]:
    """Where a change stands in the queue: before those with a greater one."""
    return _WORST[change.severity], change.id


def entries(store: Store, numbers: Collection[int]) -> list[Entry]:
    """Those of these changes that there are, oldest first."""
    found = changes.some(store, numbers)
    said = remarks.of_changes(store, numbers)
    known = programs.ever_listed(store, {change.program_id for change in found})
    return [Entry(c, known[c.program_id], tuple(said.get(c.id, ()))) for c in found]


def entry(store: Store, change_id: int) -> Entry:
    """One change. Raises NotFound."""
    for found in entries(store, [change_id]):
        return found
    return Entry(changes.get(store, change_id), Program("", "", ""))  # which says what is wrong


def told(store: Store, groups: Sequence[tuple[int, ...]]) -> list[tuple[Entry, ...]]:
    """Groups of a queue with all that is known of them, in each what says the same together."""

    def made(missing: list[tuple[int, ...]]) -> dict[tuple[int, ...], tuple[Entry, ...]]:
        by_id = {e.change.id: e for e in entries(store, [n for group in missing for n in group])}
        known = {e.program.program_id: e.program for e in by_id.values()}
        return {
            group: tuple(
                by_id[c.id] for s in stories((by_id[n].change for n in group), known) for c in s
            )
            for group in missing
        }

    by_group = store.each("group of the queue", groups, made)
    return [by_group[group] for group in groups]


def whole(store: Store, shown: Iterable[Entry]) -> dict[int, tuple[int, ...]]:
    """By change id, the whole open group of each of these: what a decision on it is about.

    That is more than what is shown when some of it was not asked for, or is snoozed.
    """
    groups = _in_order(store, "open").groups
    keys = {e.change.id: _group(e.change, e.program.institution) for e in shown}
    return {number: tuple(groups.get(key, (number,))) for number, key in keys.items()}


def beside(store: Store, change: Change) -> tuple[int, ...]:
    """The whole group of one change of whatever status, without a look at all others."""
    return tuple(c.id for c in changes.beside(store, change) if night(c) == night(change))


def doubts(store: Store, most: int) -> list[Doubt]:
    """First readings that need a review, the least sure first.

    What a change led to is reviewed with that change.
    """
    return store.once(("doubts", most), lambda: _doubts(store, most))


def _doubts(store: Store, most: int) -> list[Doubt]:
    found: list[Doubt] = []
    start = 0
    while len(found) < most and (ids := search.in_doubt(store, limit=most, offset=start)):
        start += len(ids)
        known = {program.program_id: program for program in programs.listed(store, ids)}
        standing = policies.standing(store, ids)
        found += [
            Doubt(known[i], standing[i])
            for i in ids
            if i in standing
            and standing[i].origin in ("read", "fused")
            and all(c.after != standing[i].policy for c in changes.of_program(store, i))
        ]
    return found[:most]


def siblings(store: Store, change: Change, program: Program) -> list[Program]:
    """The other programs of the institution whose policy rests on the same sentence."""
    ours = _quotes(change.after) or _quotes(change.before)
    ids = programs.ids_of(store, program.institution)
    standing = policies.standing(store, ids)
    return [
        other
        for other in programs.listed(store, ids)
        if other.program_id != program.program_id
        and other.program_id in standing
        and ours & _quotes(standing[other.program_id].policy)
    ]


def _quotes(policy: dict[str, object]) -> set[str]:
    evidence = policy.get("evidence", ())
    return {e["quote"] for e in evidence} if isinstance(evidence, list | tuple) else set()


def _wanted(change: Brief, said: Sequence[Remark], wanted: Filter, today: str) -> bool:
    """Asked of every change there is: the names are put together only for words to be found in."""
    if change.severity != wanted.severity and (wanted.severity or change.severity == "minor"):
        return False
    if said and not wanted.snoozed and change.status == "open" and _last(said, "snoozed") > today:
        return False
    if wanted.assigned:
        owner = _last(said, "assigned").casefold() or "nobody"
        if owner != wanted.assigned.casefold():
            return False
    if not wanted.words:
        return True
    names = f"{change.institution} {change.specialty} {change.program_id}".casefold()
    return all(word in names for word in wanted.words.casefold().split())


def _last(said: Sequence[Remark], kind: str) -> str:
    return next((remark.text for remark in reversed(said) if remark.kind == kind), "")
