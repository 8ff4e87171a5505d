"""Changes that close themselves: taken back by the program before anybody has reviewed them.

Nothing is left to decide then: the policy from before stands, as after a dismissal, and that is
how such a change is filed, with VisaWatch as the reviewer and the reason in words. The change that
takes it back is flagged as any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from extractors import Policy
from monitor.compare import ChangeKind, Severity, difference
from store import changes, verdicts
from store.database import Store
from store.records import Change, Review, stamp

BY_ITSELF = "VisaWatch"  # the reviewer of a change that has closed itself
_NOTE = re.compile(r"taken back: change (?P<by>\d+) leads to the policy from before")


def close_taken_back(store: Store, change: Change, now: datetime) -> None:
    """Closes the open changes that `change` takes back: it leads to the policy before them.

    One that a maintainer has decided on is never touched, nor is what came before it. Inside
    `writing()`.
    """
    undone: list[Change] = []
    open_ones: list[Change] = []
    for earlier in _told_before(store, change):
        if earlier.status != "open":
            break
        open_ones.append(earlier)
        if _same(earlier.before, change.after):
            undone = list(open_ones)
    _close(store, undone, f"taken back: change {change.id} leads to the policy from before", now)


def close_page_is_back(store: Store, program_id: str, now: datetime) -> None:
    """Closes what was flagged as a page that is gone: it was seen again. Inside `writing()`."""
    gone = [c for c in changes.of_program(store, program_id) if c.kind == ChangeKind.PAGE_GONE]
    _close(store, (c for c in gone if c.status == "open"), "the page is back", now)


def days_taken_back(store: Store) -> dict[int, str]:
    """By the number of a change that takes others back, the day of the first of those."""
    days: dict[int, str] = {}
    for note, detected_at in verdicts.closed_by(store, BY_ITSELF):
        if found := _NOTE.fullmatch(note):
            number, day = int(found["by"]), detected_at[:10]
            days[number] = min(day, days.get(number, day))
    return days


def closed_in(store: Store, cycle_id: int) -> list[Review]:
    """By which decisions changes have closed themselves in a cycle."""
    return verdicts.decided_in(store, BY_ITSELF, cycle_id)


def _told_before(store: Store, change: Change) -> list[Change]:
    """The changes that pages made before this one, the latest first; without those of wording."""
    if change.kind == ChangeKind.PAGE_GONE or change.severity == Severity.MINOR:
        return []
    return [
        other
        for other in reversed(changes.of_program(store, change.program_id))
        if other.id < change.id
        and other.cycle_id is not None
        and other.kind != ChangeKind.PAGE_GONE
        and other.severity != Severity.MINOR
    ]


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    found = difference(Policy.from_json(one), Policy.from_json(other))
    return found is None or found.kind is ChangeKind.WORDING_CHANGED


def _close(store: Store, closed: Iterable[Change], why: str, now: datetime) -> None:
    for change in closed:
        verdicts.decide(store, Review(change.id, "dismissed", BY_ITSELF, why, stamp(now)))
