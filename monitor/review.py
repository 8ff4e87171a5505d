"""A maintainer's decisions on flagged changes, and on readings that are in doubt."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from extractors import Policy
from monitor.compare import Severity, news
from monitor.groups import grouped
from store import changes, policies, programs, remarks, users, verdicts
from store.database import Store
from store.records import Change, Remark, Review, Standing, stamp

BY_MAINTAINER = "maintainer"  # the channel of what a maintainer found out
VERDICTS = ("accepted", "dismissed", "corrected")


class ReviewError(Exception):
    """A decision that cannot be filed, and why."""


class Overtaken(ReviewError):
    """Somebody else has decided meanwhile; the decision is not filed. `change_ids` are theirs."""

    def __init__(self, change_ids: Sequence[int]) -> None:
        self.change_ids = tuple(change_ids)
        numbers = ", ".join(map(str, change_ids))
        super().__init__(f"somebody has decided meanwhile: change {numbers}")


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
    wave: bool = False,
    seen: Mapping[int, int] | None = None,
) -> list[Change]:
    """Files who decided what on a change, when and why, for good; gives what was decided on.

    With `group` or `wave`, on all changes that belong to its group (see monitor.groups) or its wave
    and have its status. A correction of several needs them to say the same.

    - `accepted`: the policy that the pages state stands, as it does since the change was seen.
    - `dismissed`: a false alarm; what stood before stands again.
    - `corrected`: `policy` stands.

    A dismissed or corrected reading is not flagged again while its statement stays as it is. A
    later decision on the same change replaces an earlier one, and both are kept. When the
    program's policy has changed again since, only the decision is filed. When another source has
    kept the policy from before in force until now, and the change is accepted, that is flagged as
    the maintainer's own change: whoever was told that the policy stays is told that it does not.

    `seen` is what the maintainer saw: by number, each change and the last decision on it (see
    store.verdicts.versions). When that is not so any more, Overtaken is raised.

    Raises NotFound, and ReviewError for a decision without a name, a correction without a
    policy or of changes that differ, or a wave where there is none.
    """
    _named(by)
    if (policy is not None) != (verdict == "corrected"):
        raise ReviewError("a correction, and nothing else, takes a policy (--j1, --h1b ...)")
    with store.writing():
        first = changes.get(store, change_id)
        found = _belonging(store, first, group=group, wave=wave)
        if seen is not None:
            _check_seen(store, [change.id for change in found], seen)
        if policy is not None and len({_says(change.after) for change in found}) > 1:
            numbers = ", ".join(str(change.id) for change in found)
            raise ReviewError(f"changes {numbers} do not all say the same: correct one by one")
        for change in found:
            review = Review(
                change.id,
                verdict,
                by.strip(),
                note,
                stamp(now),
                policy.to_json() if policy else None,
            )
            review = replace(review, id=verdicts.decide(store, review))
            standing = policies.standing(store, [change.program_id]).get(change.program_id)
            if standing is not None and _is_of(standing, store, change, verdict):
                stands = _stands(standing, change, review)
                if verdict == "accepted" and standing.origin == "fused":
                    _flag_finding(store, standing, stands)
                policies.record(store, stands)
    return [changes.get(store, change.id) for change in found]


def decide_reading(
    store: Store,
    program_id: str,
    verdict: str,
    *,
    by: str,
    note: str = "",
    now: datetime,
    policy: Policy | None = None,
    seen: int | None = None,
) -> Standing:
    """Decides on what stands for a program without any change having led to it.

    `accepted`: it was read rightly, and is in doubt no longer. `corrected`: `policy` stands. `seen`
    is as for `decide`: the last decision that the maintainer saw, 0 for none. Gives what stands.
    What changes with it is flagged by sources.weigh, which knows what other sources add.

    Raises NotFound, Overtaken, and ReviewError for a program that no page was read of.
    """
    _named(by)
    if (policy is not None) != (verdict == "corrected") or verdict == "dismissed":
        raise ReviewError("a reading is accepted, or corrected with a policy")
    with store.writing():
        programs.get(store, program_id)
        made = verdicts.of_reading(store, program_id)
        if seen is not None and seen != (made[-1].id if made else 0):
            raise Overtaken(())
        standing = policies.standing(store, [program_id]).get(program_id)
        if standing is None:
            raise ReviewError(f"no page of program '{program_id}' has been read yet")
        review = Review(
            None,
            verdict,
            by.strip(),
            note,
            stamp(now),
            policy.to_json() if policy else None,
            program_id=program_id,
        )
        number = verdicts.decide(store, review)
        read = standing.policy if standing.origin == "fused" else standing.reading
        shown = review.policy or {**read, "needs_review": False}
        origin = "corrected" if policy else "fused" if standing.origin == "fused" else "read"
        stands = replace(standing, since=review.at, origin=origin, policy=shown, review_id=number)
        policies.record(store, stands)
    return stands


def undo(
    store: Store, change_id: int, *, by: str, now: datetime, seen: Mapping[int, int] | None = None
) -> Change:
    """Takes the last decision on a change back; the one before it holds again, or none does.

    Both are kept. Raises NotFound, Overtaken (see `decide`), and ReviewError when there is nothing
    to undo.
    """
    _named(by)
    with store.writing():
        change = changes.get(store, change_id)
        if seen is not None:
            _check_seen(store, [change_id], seen)
        held = verdicts.holding(verdicts.of_change(store, change_id))
        if held is None:
            raise ReviewError(f"change {change_id} is open: there is no decision to undo")
        review = Review(change_id, "undone", by.strip(), "", stamp(now))
        number = verdicts.decide(store, review)
        holds = verdicts.holding(verdicts.of_change(store, change_id))
        standing = policies.standing(store, [change.program_id]).get(change.program_id)
        if standing is not None and _is_of(standing, store, change, held.verdict):
            stands = _stands(standing, change, holds) if holds else _flagged(store, change)
            stands = replace(stands, since=review.at, reading=standing.reading, review_id=number)
            policies.record(store, stands)
        return changes.get(store, change_id)


def say(store: Store, remark: Remark) -> None:
    """Files a comment, to whom a change is assigned, or until when it is snoozed.

    Raises NotFound, and ReviewError for a comment that is empty or a day that is none.
    """
    _named(remark.by)
    if remark.kind == "comment" and not remark.text.strip():
        raise ReviewError("a comment says something")
    if remark.kind == "snoozed" and remark.text:
        _day(remark.text)
    with store.writing():
        changes.get(store, remark.change_id)
        if remark.kind == "assigned" and remark.text:
            remark = replace(remark, text=users.get(store, remark.text).name)
        remarks.add(store, remark)


def _named(by: str) -> None:
    if not by.strip():
        raise ReviewError("who decides? Give a name with --by")


def _day(text: str) -> None:
    try:
        ok = date.fromisoformat(text).isoformat() == text
    except ValueError:
        ok = False
    if not ok:
        raise ReviewError(f"'{text}' is not a day, such as 2027-02-01")


def _check_seen(store: Store, change_ids: Sequence[int], seen: Mapping[int, int]) -> None:
    """Raises Overtaken unless these are the changes that were seen, as they were seen."""
    now = verdicts.versions(store, {*change_ids, *seen})
    if others := [number for number in sorted(now) if seen.get(number) != now[number]]:
        raise Overtaken(others)
    if set(change_ids) != set(seen):
        raise ReviewError("the group has other changes now: look at it again, then decide")


def _flag_finding(store: Store, before: Standing, stands: Standing) -> None:
    """A maintainer's finding changes what stands: it is flagged, and decided on already."""
    found = news(Policy.from_json(before.policy), Policy.from_json(stands.policy))
    if found is None:
        return
    finding = Change(
        id=0,
        program_id=stands.program_id,
        cycle_id=None,
        kind=str(found.kind),
        severity=str(found.severity),
        status="accepted",
        before=before.policy,
        after=stands.policy,
        detected_at=stands.since,
        channel=BY_MAINTAINER,
    )
    changes.flag(store, finding)


def _flagged(store: Store, change: Change) -> Standing:
    """What stood for a program when the change was flagged, and nobody had decided on it."""
    history = policies.history(store, change.program_id)
    stood = [s for s in history if s.since <= change.detected_at and s.policy == change.after]
    return stood[-1] if stood else replace(history[-1], origin="read", policy=change.after)


def _belonging(store: Store, change: Change, *, group: bool, wave: bool) -> list[Change]:
    """What is decided on with a change, itself among it; all of it has the same status."""
    if wave:
        if change.wave_id is None:
            raise ReviewError(f"change {change.id} belongs to no wave (`visawatch changes` tells)")
        return [c for c in changes.of_wave(store, change.wave_id) if c.status == change.status]
    if not group:
        return [change]
    known = {program.program_id: program for program in programs.listed(store)}
    groups = grouped(changes.beside(store, change), known)
    return next(list(group.changes) for group in groups if change in group.changes)


def _says(policy: dict[str, Any]) -> str:
    return json.dumps([policy.get("stances"), policy.get("conditions")], sort_keys=True)


def _stands(standing: Standing, change: Change, review: Review) -> Standing:
    shown = {
        "accepted": change.after,
        "dismissed": change.before,
        "corrected": review.policy or {},
    }[review.verdict]
    origin = "read" if review.verdict == "accepted" else review.verdict
    if origin == "read" and change.cycle_id is None:  # not what its pages say, or not they alone
        origin, shown = "fused", {**shown, "needs_review": False}
    return replace(
        standing, since=review.at, origin=origin, policy=shown, review_id=review.id or None
    )


def _is_of(standing: Standing, store: Store, change: Change, verdict: str) -> bool:
    """Whether a decision on a change is one on what stands.

    It is as long as the change is about the present. Other words for a policy that has been
    decided otherwise since do not bring it back.
    """
    words_only = change.severity == Severity.MINOR and verdict != "corrected"
    if words_only and _says(standing.policy) != _says(change.after):
        return False
    return not is_overtaken(store, change)


def is_overtaken(store: Store, change: Change) -> bool:
    """Whether a later change was flagged: a decision on this one leaves what stands as it is.

    Other words for the same policy, and a maintainer's own finding, overtake nothing.
    """
    return any(
        other.id > change.id and other.channel != BY_MAINTAINER and other.severity != Severity.MINOR
        for other in changes.of_program(store, change.program_id)
    )
