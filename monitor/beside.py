"""What a replay flags beside what was flagged then, and why they differ."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from extractors import Policy
from monitor.compare import ChangeKind, Severity, difference
from monitor.diff import category
from monitor.judging import Judgement, Outcome
from store import changes, policies, verdicts
from store.database import Store
from store.records import Change, Cycle


class Verdict(StrEnum):
    """How what would be flagged compares with what was."""

    SAME = "same"
    OTHERWISE = "otherwise"  # both flag the program in this night, but not the same
    NEW = "new"  # it would be flagged, and was not
    NOT_FLAGGED = "not_flagged"  # it was flagged, and would not be


@dataclass(frozen=True, slots=True)
class Compared:
    """One program in one night. `why` says in words where the two differ; empty for the same."""

    program_id: str
    verdict: Verdict
    then: Change | None
    now: Change | None  # its id means nothing
    why: str = ""


@dataclass(frozen=True, slots=True)
class Night:
    """A cycle, and what was or would be flagged in it."""

    cycle: Cycle
    flagged: tuple[Compared, ...]

    def without_minor(self) -> Night:
        """The night without what is, on both sides, a change of wording only."""
        kept = tuple(c for c in self.flagged if any(_matters(s) for s in (c.then, c.now)))
        return replace(self, flagged=kept)


@dataclass(frozen=True, slots=True)
class Judged:
    """A cycle that was judged again; `once` are the suspected programs without a second look."""

    cycle: Cycle
    judgements: Mapping[str, Judgement]
    once: frozenset[str]


_WHY = {
    Outcome.UNSEEN: "none of its pages had been seen",
    Outcome.FIRST_SIGHT: "it is the first sight of the program: an observation, not a change",
    Outcome.AGREES: "the pages have come to say what a maintainer decided",
    Outcome.STEADY: "the pages say what stood already: {after}",
    Outcome.ELSEWHERE: "the pages say what stood already, on another one of them: {after}",
    Outcome.RULES_ONLY: "today's rules read the same in the bytes from before",
    Outcome.TOLD: "that the page is gone was flagged before",
    Outcome.UNCONFIRMED: "the second look did not show the same",
    Outcome.DOWN: "a page that it may depend on was down",
    Outcome.HELD: "it goes back and forth, and is held until it rests",
    Outcome.WAITS: "it waits to be seen in more nights",
}


def same(one: Change, other: Change) -> bool:
    """Whether two changes are the same: of one kind, to the same policy, in whatever words."""
    return one.kind == other.kind and all(
        _alike(a, b) for a, b in ((one.before, other.before), (one.after, other.after))
    )


def beside(
    source: Store, copy: Store, judged: Sequence[Judged], only: Collection[str], first_cycle: int
) -> list[Night]:
    """The nights from `first_cycle` on. `only` names programs; all of them when it is empty."""
    cycle_ids = {night.cycle.id for night in judged}
    then, now = _by_place(source, only, cycle_ids), _by_place(copy, only, cycle_ids)
    nights = []
    for night in judged:
        if night.cycle.id < first_cycle:
            continue
        cycle_id = night.cycle.id
        found = sorted({i for i, cycle in (*then, *now) if cycle == cycle_id})
        compared = (_compare(source, night, program_id, then, now) for program_id in found)
        nights.append(Night(night.cycle, tuple(compared)))
    return nights


_Places = Mapping[tuple[str, int], Change]  # by program id and cycle


def _matters(change: Change | None) -> bool:
    return change is not None and change.severity != Severity.MINOR


def _by_place(store: Store, only: Collection[str], cycle_ids: Collection[int]) -> _Places:
    return {
        (change.program_id, change.cycle_id): change
        for change in changes.listed(store, "all")
        if change.cycle_id is not None
        and change.cycle_id in cycle_ids
        and (not only or change.program_id in only)
    }


def _compare(
    source: Store, night: Judged, program_id: str, then: _Places, now: _Places
) -> Compared:
    place = (program_id, night.cycle.id)
    was, would = then.get(place), now.get(place)
    if was is not None and would is not None:
        if same(was, would):
            return Compared(program_id, Verdict.SAME, was, would)
        return Compared(program_id, Verdict.OTHERWISE, was, would, _other(was, would))
    if was is not None:
        why = [_elsewhere(place, was, now, then) or _why_not(night, program_id)]
        for review in verdicts.of_change(source, was.id):
            why.append(f"what {review.by} decided on it ({review.verdict}) could not be replayed")
        return Compared(program_id, Verdict.NOT_FLAGGED, was, None, "; ".join(why))
    assert would is not None  # noqa: S101 (one of them is at the place)
    why = [_elsewhere(place, would, then, now) or _why_new(source, would)]
    if program_id in night.once:
        why.append("no second look is stored for this night: the first is for both")
    return Compared(program_id, Verdict.NEW, None, would, "; ".join(why))


def _other(was: Change, would: Change) -> str:
    """`then policy_changed, now conflict` and so on, of what is different."""
    pairs = (
        (was.kind, would.kind),
        (was.severity, would.severity),
        (_words(was.before), _words(would.before)),
        (_words(was.after), _words(would.after)),
    )
    parts = [f"then {a}, now {b}" for a, b in pairs if a != b]
    return "; ".join(parts) or "then and now its conditions, or other visas, are read differently"


def _elsewhere(here: tuple[str, int], change: Change, others: _Places, own: _Places) -> str:
    """In which other night the same is flagged, if in any in which only one side flags it."""
    places = [
        (abs(cycle - here[1]), cycle, other)
        for (program_id, cycle), other in others.items()
        if program_id == here[0]
        and same(change, other)
        and not ((mine := own.get((program_id, cycle))) is not None and same(mine, other))
    ]
    if not places:
        return ""
    _, cycle, nearest = min(places, key=lambda place: place[:2])
    when = "later" if cycle > here[1] else "earlier"
    return f"the same is flagged {when}: in cycle {cycle}, {nearest.detected_at[:10]}"


def _why_not(night: Judged, program_id: str) -> str:
    judgement = night.judgements.get(program_id)
    if judgement is None:
        return "none of its pages has news that night, by what is stored"
    after = _words(judgement.policy.to_json()) if judgement.policy else "nothing"
    why = _WHY.get(judgement.outcome, str(judgement.outcome).replace("_", " "))
    return why.format(after=after)


def _why_new(source: Store, would: Change) -> str:
    """What stood then, in the night in which it would be flagged today."""
    stood = [
        standing
        for standing in policies.history(source, would.program_id)
        if standing.cycle_id is not None and standing.since <= would.detected_at
    ]
    if not stood:
        return "nothing stood for the program then"
    if would.kind == ChangeKind.PAGE_GONE:
        return "nothing was flagged then"
    read = stood[-1].reading
    if _alike(read, would.after):
        return f"then its pages were read as {_words(read)} before and after"
    return f"then its pages were read as {_words(read)}"


def _alike(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    found = difference(Policy.from_json(dict(one)), Policy.from_json(dict(other)))
    return found is None or found.kind is ChangeKind.WORDING_CHANGED


def _words(policy: Mapping[str, object]) -> str:
    return category(dict(policy))


def count(nights: Iterable[Night], verdict: Verdict) -> int:
    """How many times a verdict was given."""
    return sum(compared.verdict is verdict for night in nights for compared in night.flagged)
