"""What somebody was told of a change, and a maintainer has decided otherwise since.

They are told once more, with each decision that makes it another thing. One that leaves it as it
is, such as a confirmation, is told to nobody, and neither is one on a change that a later one has
overtaken: that was told, and stands.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from monitor.review import is_overtaken
from monitor.taken_back import BY_ITSELF
from store import changes, outbox, verdicts
from store.database import Store
from store.records import Change, Review


class Turn(StrEnum):
    """What became of something that was told."""

    FALSE_ALARM = "false_alarm"
    BACK = "back"  # the page that was gone
    CORRECTED = "corrected"
    STANDS = "stands"  # what was called a false alarm, or was corrected, is so after all


@dataclass(frozen=True, slots=True)
class Again:
    """Why a change is told once more: `known` is the last decision that its reader knows of."""

    turn: Turn
    known: int
    at: str  # when it was decided


Retold = tuple[Change, Again]  # the change leads from what was told to what holds now


def retold(change: Change, made: Sequence[Review], known: int) -> Retold | None:
    """What is told of a change to who knows of its decisions up to `known`; None: nothing.

    `made` are all decisions on it, oldest first.
    """
    told = verdicts.holding(r for r in made if r.id <= known)
    holds = verdicts.holding(made)
    was, now = _outcome(change, told), _outcome(change, holds)
    page = change.kind == "page_gone" and _dismissed(told) is not _dismissed(holds)
    if _says(was) == _says(now) and not page:
        return None
    if not page and holds is not None and holds.by == BY_ITSELF:
        return None  # the change that takes it back is told instead
    turn = _turn(change, holds, now)
    status = "dismissed" if turn in (Turn.FALSE_ALARM, Turn.BACK) else change.status
    # A wave is told as what is new in it, which this is not.
    shown = replace(change, before=was, after=now, status=status, wave_id=None)
    return shown, Again(turn, known, made[-1].at)


def pending(
    store: Store, only: Collection[int] | None = None
) -> dict[str, dict[int, Retold | None]]:
    """By address and change, what is to be told once more; None: nothing, though it was decided."""
    found: dict[str, dict[int, Retold | None]] = {}
    known: dict[tuple[int, int], Retold | None] = {}
    for one in outbox.decided_since(store):
        if only is not None and one.change_id not in only:
            continue
        key = (one.change_id, one.told)
        if key not in known:
            change = changes.get(store, one.change_id)
            made = verdicts.of_change(store, one.change_id)
            known[key] = None if is_overtaken(store, change) else retold(change, made, one.told)
        found.setdefault(one.address, {})[one.change_id] = known[key]
    return found


def settle(store: Store, addresses: Collection[str]) -> None:
    """Forgets what is to be told to nobody: nothing is another, or the address has left.

    `addresses` are those that still want to be told of something.
    """
    if not outbox.decided_since(store):
        return
    with store.writing():
        for address, theirs in pending(store).items():
            moot = [n for n, what in theirs.items() if what is None or address not in addresses]
            outbox.knows(store, address, verdicts.versions(store, moot))


def _turn(change: Change, holds: Review | None, now: dict[str, Any]) -> Turn:
    if holds is not None and holds.by == BY_ITSELF:
        return Turn.BACK
    if _dismissed(holds) or _says(now) == _says(change.before) != _says(change.after):
        return Turn.FALSE_ALARM
    return Turn.CORRECTED if holds is not None and holds.policy else Turn.STANDS


def _outcome(change: Change, review: Review | None) -> dict[str, Any]:
    """The policy that holds by a decision; by none, what was flagged."""
    if review is not None and review.policy is not None:
        return review.policy
    return change.before if _dismissed(review) else change.after


def _dismissed(review: Review | None) -> bool:
    return review is not None and review.verdict == "dismissed"


def _says(policy: dict[str, Any]) -> tuple[Any, list[str]]:
    return policy.get("stances"), sorted(map(str, policy.get("conditions", ())))
