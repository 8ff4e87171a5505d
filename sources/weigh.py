"""Lets the policy of each program stand that all its channels come to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from extractors import Evidence as Quote
from extractors import Policy
from sources.flagging import flag
from sources.fuse import COUNTING, channel_rule, fuse
from sources.known import FUSED, known
from sources.values import PAGES, Channel, Fused, Role
from store import evidence, policies, programs
from store.database import Store
from store.records import Change, Standing, stamp

_PAGE_RULES = tuple(map(channel_rule, PAGES))


@dataclass(frozen=True, slots=True)
class Weighed:
    """A program whose policy became another one, and whether it is in dispute.

    `change` is what was flagged; None when it says the same as before on other grounds.
    """

    program_id: str
    policy: Policy
    disputed: bool
    change: Change | None = None


def sides(store: Store, program_id: str, now: datetime) -> Fused:
    """All that is known of one program, weighed now. Raises NotFound."""
    return fuse(known(store, [program_id])[program_id], now.date())


def weigh(
    store: Store,
    now: datetime,
    only: Collection[str] | None = None,
    *,
    told: Mapping[str, Standing] | None = None,
) -> list[Weighed]:
    """Weighs the evidence on each program (with `only`, of these), and lets the outcome stand.

    Programs of which only their pages speak are left to the monitor. Run again, it changes
    nothing; run each night, evidence ages. What stands and needs a review waits in the review
    room; what says something else than before is flagged. `told` names by id what stood before a
    maintainer decided in this very transaction: what follows is one change. Gives the programs of
    which another policy stands than before.
    """
    told = told or {}
    ids = sorted({*_concerned(store, only), *told})
    found = []
    with store.writing():
        standing = policies.standing(store, ids)
        for program_id, pieces in known(store, ids).items():
            fused = fuse(pieces, now.date())
            before = standing.get(program_id)
            stands = _next(program_id, fused, before, stamp(now))
            goes_on = stands or before
            change = (
                None
                if goes_on is None
                else flag(store, goes_on, fused, stamp(now), told=told.get(program_id))
            )
            if stands is not None:
                policies.record(store, stands)
            if goes_on is not None and (stands or change):
                policy = Policy.from_json(goes_on.policy)
                found.append(Weighed(program_id, policy, bool(fused.disputed), change))
    return found


def _concerned(store: Store, only: Collection[str] | None) -> list[str]:
    """The watched programs of which another channel speaks, or once did."""
    ids = {*evidence.of_programs(store, only), *policies.ever_of_origin(store, FUSED)}
    wanted = ids if only is None else ids & set(only)
    return [program.program_id for program in programs.listed(store, sorted(wanted))]


def _next(program_id: str, fused: Fused, before: Standing | None, at: str) -> Standing | None:
    """What stands from now on; None: what stands goes on."""
    counting = {s.evidence.channel for s in fused.sides if s.role in COUNTING}
    beside = bool(counting - {*PAGES, Channel.MAINTAINER})
    if before is None:
        # Its pages were never read: `cycle_id` is empty, and the monitor's first sight to come.
        empty = Policy().to_json()
        stands = Standing(program_id, at, FUSED, fused.policy.to_json(), empty)
        return stands if beside else None
    if not beside and before.origin != FUSED:
        return None
    policy = _with_spans(fused.policy, Policy.from_json(before.reading))
    deciding = [s.evidence for s in fused.sides if s.role is Role.DECIDES]
    by_maintainer = {Channel.MAINTAINER} == {e.channel for e in deciding}
    stood = Policy.from_json(before.policy)
    if _says(stood) == _says(policy) and (by_maintainer or _quoted(stood) == _quoted(policy)):
        return None
    if not beside and Channel.MAINTAINER not in counting and before.cycle_id is not None:
        return replace(before, since=at, origin="read", policy=before.reading, review_id=None)
    review_id = max(e.turn for e in deciding) if by_maintainer and not fused.disputed else None
    return replace(before, since=at, origin=FUSED, policy=policy.to_json(), review_id=review_id)


def _with_spans(policy: Policy, reading: Policy) -> Policy:
    """The policy with what its pages say as they were read: spans, snapshots and all."""
    found: list[Quote] = []
    for quote in policy.evidence:
        of_pages = quote.rules[0] in _PAGE_RULES
        found += [e for e in reading.evidence if e.visa is quote.visa] if of_pages else [quote]
    return replace(policy, evidence=tuple(dict.fromkeys(found)))


def _says(policy: Policy) -> tuple[object, ...]:
    """What makes it another policy when it differs: not its quotes, nor its confidence."""
    return policy.stances, sorted(map(str, policy.conditions)), policy.needs_review


def _quoted(policy: Policy) -> set[tuple[object, ...]]:
    """Who is quoted for what."""
    return {(e.visa, e.stance, e.rules, e.quote, e.url) for e in policy.evidence}
