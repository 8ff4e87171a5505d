"""A maintainer's decisions on flagged changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from extractors import Policy
from monitor.groups import grouped
from store import changes, policies, programs
from store.database import Store
from store.records import Change, Review, Standing, stamp

VERDICTS = ("accepted", "dismissed", "corrected")


class ReviewError(Exception):
    """A decision that cannot be filed, and why."""


def decide(
    store: Store,
    change_id: int,
    verdict: str,
    *,
    by: str,
    note: str = "",
    now: datetime,
    policy: Policy | None = None,
    group: bool = False,
) -> list[Change]:
    """Files who decided what on a change, when and why, for good; gives what was decided on.

    With `group`, on all changes that belong together with it (see monitor.groups).

    - `accepted`: the policy that the pages state stands, as it does since the change was seen.
    - `dismissed`: a false alarm; what stood before stands again.
    - `corrected`: `policy` stands.

    A dismissed or corrected reading is not flagged again while its statement stays as it is. A
    later decision on the same change replaces an earlier one, and both are kept. When the
    program's policy has changed again since, only the decision is filed.

    Raises NotFound, and ReviewError for a decision without a name or a correction without a
    policy.
    """
    if not by.strip():
        raise ReviewError("who decides? Give a name with --by")
    if (policy is not None) != (verdict == "corrected"):
        raise ReviewError("a correction, and nothing else, takes a policy (--j1, --h1b ...)")
    with store.writing():
        first = changes.get(store, change_id)
        found = _group(store, first) if group else [first]
        for change in found:
            review = Review(
                change.id,
                verdict,
                by.strip(),
                note,
                stamp(now),
                policy.to_json() if policy else None,
            )
            changes.decide(store, review)
            standing = policies.standing(store).get(change.program_id)
            # The change is about the present as long as no later one was flagged.
            if standing is not None and not _later_change(store, change):
                policies.record(store, _stands(standing, change, review))
    return [changes.get(store, change.id) for change in found]


def _group(store: Store, change: Change) -> list[Change]:
    known = {program.program_id: program for program in programs.listed(store)}
    groups = grouped(changes.of_cycle(store, change.cycle_id), known)
    return next(list(group) for group in groups if change in group)


def _stands(standing: Standing, change: Change, review: Review) -> Standing:
    shown = {
        "accepted": change.after,
        "dismissed": change.before,
        "corrected": review.policy or {},
    }[review.verdict]
    origin = "read" if review.verdict == "accepted" else review.verdict
    return replace(standing, since=review.at, origin=origin, policy=shown)


def _later_change(store: Store, change: Change) -> bool:
    later = changes.listed(store, "all", since_id=change.id)
    return any(other.program_id == change.program_id for other in later)
