"""A maintainer's decisions: on what waits to be read, and on what is in dispute."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from extractors import Policy
from monitor.review import ReviewError, decide_reading
from sources.weigh import Weighed, weigh
from store import evidence, policies
from store.database import Store
from store.evidence import Saying
from store.records import stamp


def accept(
    store: Store, number: int, *, by: str, now: datetime, policy: Policy | None = None
) -> tuple[Saying, list[Weighed]]:
    """A maintainer has read it, and it counts from now on; `policy` says what it says, if that was
    read wrongly. Gives it with the policies that became others. Raises NotFound, ReviewError.
    """
    return _decide(store, number, "accepted", by, now, policy)


def reject(store: Store, number: int, *, by: str, now: datetime) -> tuple[Saying, list[Weighed]]:
    """A maintainer has read it, and it never counts. Raises NotFound, ReviewError."""
    return _decide(store, number, "rejected", by, now, None)


def settle(
    store: Store, program_id: str, policy: Policy, *, by: str, note: str, now: datetime
) -> list[Weighed]:
    """A maintainer found out what is true: it decides, and what they knew of is set aside.

    Raises NotFound, and ReviewError when nothing is known of the program at all.
    """
    with store.writing():
        before = policies.standing(store, [program_id])
        decide_reading(store, program_id, "corrected", by=by, note=note, now=now, policy=policy)
        return weigh(store, now, [program_id], told=before)


def _decide(
    store: Store, number: int, state: str, by: str, now: datetime, policy: Policy | None
) -> tuple[Saying, list[Weighed]]:
    if not by.strip():
        raise ReviewError("who decides? Give a name with --by")
    with store.writing():
        saying = evidence.get(store, number)
        said = None
        if policy is not None:
            written = replace(policy, evidence=()).to_json()
            said = {"stances": written["stances"], "conditions": written["conditions"]}
        elif state == "accepted" and not saying.said["stances"]:
            raise ReviewError(
                f"evidence {number}: nothing was read in it; say what it says with --j1 and --h1b"
            )
        saying = evidence.decide(store, number, state, by=by.strip(), at=stamp(now), said=said)
        return saying, weigh(store, now, [saying.program_id])
