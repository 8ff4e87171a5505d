"""Which mail is due: read from the store, so that whatever a killed run left out is in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from monitor.alerts.again import Again, pending
from monitor.alerts.matching import asks_for
from monitor.diff import touched
from monitor.taken_back import days_taken_back
from store import changes, outbox, subscriptions, verdicts
from store.database import Store
from store.records import Change, Program, Subscription, address_key

NOT_WAITED_FOR = timedelta(days=8)  # longer than a digest of a week waits


@dataclass(frozen=True, slots=True)
class Subject:
    """A change that may be mailed, with its program and the visas that it is about."""

    change: Change
    program: Program
    watched: bool
    visas: tuple[str, ...]
    takes_back: str = ""  # the day of the change that this one takes back, if it does
    decided: int = 0  # the last decision on it that is known here
    again: Again | None = None  # why it is told once more, if it was told before

    @property
    def at(self) -> str:
        """When what is told came up."""
        return self.again.at if self.again else self.change.detected_at


@dataclass(frozen=True, slots=True)
class Batch:
    """What goes to one address in one mail, and whose wish that was."""

    address: str
    frequency: str
    subjects: tuple[Subject, ...]
    reasons: tuple[Subscription, ...]

    @property
    def change_ids(self) -> list[int]:
        """The changes that it tells of."""
        return [subject.change.id for subject in self.subjects]

    @property
    def known(self) -> dict[int, int]:
        """Those that its address was told of before, with the last decision that it knows of."""
        return {s.change.id: s.again.known for s in self.subjects if s.again}

    @property
    def decided(self) -> dict[int, int]:
        """By change, the last decision that it tells of; 0 for none."""
        return {subject.change.id: subject.decided for subject in self.subjects}


def due(store: Store, now: datetime, only: Collection[int] | None = None) -> Iterator[Batch]:
    """The mail that is due at `now`, address by address; `only` limits it to some changes."""
    active = subscriptions.listed(store)
    if not active:
        return
    _, last = changes.last_ids(store)  # what is decided from here on is for the next run
    subjects = _fresh(store, min(s.after_change for s in active), last, only)
    asked = _Asked(subjects)
    again = _again(store, last, only)
    by_address: dict[str, list[Subscription]] = {}
    for subscription in active:
        by_address.setdefault(address_key(subscription.address), []).append(subscription)
    for address, theirs in by_address.items():
        known = again.get(address, {})
        retold = _Asked(known)
        done: set[int] = set()
        # In this order: what goes out at once is not in the digest of the same address too.
        for frequency in ("at_once", "daily", "weekly"):
            reasons = {
                s: (asked.by(s) | retold.by(s)) - done for s in theirs if s.frequency == frequency
            }
            found = set().union(*reasons.values())
            told = outbox.mailed(store, address, found) if found else {}
            found -= told.keys() - known.keys()
            shown = {number: known.get(number) or subjects[number] for number in found}
            if not any(_is_due(frequency, subject.at, now) for subject in shown.values()):
                continue
            done |= found
            yield Batch(
                theirs[0].address,
                frequency,
                tuple(shown[number] for number in sorted(found)),
                tuple(s for s, numbers in reasons.items() if numbers & found),
            )


def _fresh(store: Store, after: int, last: int, only: Collection[int] | None) -> dict[int, Subject]:
    """The changes that may be mailed, by number."""
    taken_back = days_taken_back(store)
    found = [c for c in outbox.mailable(store, after) if only is None or c.id in only]
    decided = verdicts.versions(store, [change.id for change in found])
    return {
        change.id: Subject(
            change,
            *outbox.program(store, change.program_id),
            touched(change.before, change.after),
            taken_back.get(change.id, ""),
            decided[change.id],
        )
        for change in found
        if decided[change.id] <= last
    }


def _again(store: Store, last: int, only: Collection[int] | None) -> dict[str, dict[int, Subject]]:
    """By address and number, the changes that are to be told once more."""
    found: dict[str, dict[int, Subject]] = {}
    for address, theirs in pending(store, only).items():
        decided = verdicts.versions(store, theirs)
        for number, what in theirs.items():
            if what is None or decided[number] > last:
                continue
            shown, again = what
            change = changes.get(store, number)
            visas = (*touched(change.before, change.after), *touched(shown.before, shown.after))
            found.setdefault(address, {})[number] = Subject(
                shown,
                *outbox.program(store, change.program_id),
                tuple(dict.fromkeys(visas)),
                decided=decided[number],
                again=again,
            )
    return found


class _Asked:
    """The changes that subscriptions ask for; many subscriptions have the same filters."""

    def __init__(self, subjects: Mapping[int, Subject]) -> None:
        self._subjects = subjects
        self._by_program: dict[str, list[Subject]] = {}
        for subject in subjects.values():
            self._by_program.setdefault(subject.program.program_id, []).append(subject)
        self._known: dict[Subscription, frozenset[int]] = {}

    def by(self, subscription: Subscription) -> frozenset[int]:
        """The changes that this subscription asks for, since it began."""
        filters = replace(subscription, id=0, address="", token="", created_at="", after_change=0)
        if filters not in self._known:
            subjects = (
                [s for name in filters.program_ids for s in self._by_program.get(name, ())]
                if filters.program_id
                else list(self._subjects.values())
            )
            self._known[filters] = frozenset(
                s.change.id for s in subjects if asks_for(filters, s.change, s.program, s.visas)
            )
        # By number, not by time: the clock may have been wrong at either end.
        return frozenset(n for n in self._known[filters] if n > subscription.after_change)


def _is_due(frequency: str, at: str, now: datetime) -> bool:
    """Whether the time of what came up then has come: its day or week is over.

    What came up long after now was dated by a clock that ran ahead: it is not waited for.
    """
    then, now = datetime.fromisoformat(at).astimezone(UTC), now.astimezone(UTC)
    if frequency == "at_once" or then > now + NOT_WAITED_FOR:
        return True
    if frequency == "daily":
        return then.date() < now.date()
    return then.isocalendar()[:2] < now.isocalendar()[:2]
