"""What waits for a maintainer: open changes, the worst first, and first readings in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from monitor.compare import Severity
from monitor.groups import grouped
from store import changes, policies, programs, remarks, search
from store.database import Store
from store.records import Change, Program, Remark, Standing

_WORST = {str(severity): rank for rank, severity in enumerate(Severity)}
_LAST = (len(_WORST), 0)  # a place after all others


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


def queue(store: Store, now: datetime, wanted: Filter | None = None) -> list[Entry]:
    """The changes that are wanted (the open ones), the worst first, then the oldest."""
    wanted = wanted or Filter()
    found = changes.listed(store, wanted.status)
    said = remarks.of_changes(store, {change.id for change in found})
    known = programs.ever_listed(store, {change.program_id for change in found})
    entries = [
        Entry(change, known[change.program_id], tuple(said.get(change.id, ()))) for change in found
    ]
    return sorted((e for e in entries if _wanted(e, wanted, now)), key=place)


def place(entry: Entry) -> tuple[int, int]:
    """Where an entry stands in the queue: before those with a greater one."""
    return _WORST[entry.change.severity], entry.change.id


def entry(store: Store, change_id: int) -> Entry:
    """One change. Raises NotFound."""
    change = changes.get(store, change_id)
    said = remarks.of_changes(store, [change_id]).get(change_id, ())
    return Entry(change, programs.ever(store, change.program_id)[0], tuple(said))


def together(entries: Iterable[Entry]) -> list[tuple[Entry, ...]]:
    """The entries in groups (see monitor.groups), the one with the worst change first.

    The groups of a wave are side by side.
    """
    by_id = {e.change.id: e for e in entries}
    known = {e.program.program_id: e.program for e in by_id.values()}
    groups = grouped((e.change for e in by_id.values()), known)
    found = [tuple(by_id[c.id] for story in group.stories for c in story) for group in groups]
    begins: dict[str, tuple[int, int]] = {}
    for group in found:
        begins[_wave(group)] = min(begins.get(_wave(group), _LAST), min(map(place, group)))
    return sorted(found, key=lambda group: (begins[_wave(group)], min(map(place, group))))


def _wave(group: tuple[Entry, ...]) -> str:
    change = group[0].change
    return f"change {change.id}" if change.wave_id is None else f"wave {change.wave_id}"


def whole(store: Store, now: datetime, shown: Iterable[Entry]) -> dict[int, tuple[Entry, ...]]:
    """By change id, the whole open group of each of these: what a decision on it is about.

    That is more than what is shown when some of it was not asked for, or is snoozed.
    """
    severities = {"minor" if e.change.severity == "minor" else "" for e in shown}
    return {
        entry.change.id: group
        for severity in severities
        for group in together(queue(store, now, Filter(severity=severity, snoozed=True)))
        for entry in group
    }


def doubts(store: Store) -> list[Doubt]:
    """First readings that need a review, the least sure first.

    What a change led to is reviewed with that change.
    """
    ids = search.in_doubt(store)
    known = {program.program_id: program for program in programs.listed(store, ids)}
    found = [
        Doubt(known[program_id], standing)
        for program_id, standing in policies.standing(store, ids).items()
        if program_id in known
        and standing.origin == "read"
        and all(c.after != standing.policy for c in changes.of_program(store, program_id))
    ]
    return sorted(found, key=lambda d: (d.standing.policy["confidence"], d.program.program_id))


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


def _wanted(entry: Entry, wanted: Filter, now: datetime) -> bool:
    change, program = entry.change, entry.program
    names = f"{program.institution} {program.specialty} {program.program_id}".casefold()
    owner = entry.assigned_to.casefold() or "nobody"
    return (
        (change.severity == wanted.severity if wanted.severity else change.severity != "minor")
        and all(word in names for word in wanted.words.casefold().split())
        and (not wanted.assigned or owner == wanted.assigned.casefold())
        and (wanted.snoozed or change.status != "open" or not entry.is_snoozed(now))
    )


def _last(said: Sequence[Remark], kind: str) -> str:
    return next((remark.text for remark in reversed(said) if remark.kind == kind), "")
