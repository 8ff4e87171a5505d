"""The current policy of each program, and how its pages are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from crawler import Health
from extractors import Policy
from monitor import flapping, watchlist
from store import cycles, flaps, pages, policies, programs
from store.database import Store
from store.records import Observation, Page, Program, stamp

# The worst first: what a policy's health is when its pages differ.
_WORST = ("gone", "blocked", "unreachable", "ok")


@dataclass(frozen=True, slots=True)
class Status:
    """A program with the policy that stands. `policy` is None when no page was ever seen.

    `as_of` is when its pages were last seen to say so (ISO 8601, UTC); `detail` says in words
    what is wrong with a page that is not `ok`.
    """

    program: Program
    policy: Policy | None
    health: str  # ok | unreachable | blocked | gone | never_seen
    as_of: str | None = None
    since: str | None = None  # when the policy began to stand
    inherited_from: str | None = None
    origin: str = "read"
    detail: str = ""
    stale: bool = False  # its pages were not seen for several cycles
    flapping: str = ""  # in words, what its pages say by turns

    def to_json(self) -> dict[str, Any]:
        """The object of `policies --json`."""
        policy = (self.policy or Policy()).to_json()
        for evidence in policy["evidence"]:
            evidence.pop("context", None)
        return {
            "program_id": self.program.program_id,
            **policy,
            "as_of": self.as_of,
            "health": self.health,
            "inherited_from": self.inherited_from,
        }


def statuses(
    store: Store, *, only: Collection[str] | None = None, stale_after_cycles: int = 3
) -> list[Status]:
    """The status of every watched program, by id; with `only`, of these.

    A policy whose page was not seen for `stale_after_cycles` cycles needs a review, and so does
    one that goes back and forth. Raises NotFound for an id that is not watched.
    """
    if only is None:
        return _statuses(store, None, stale_after_cycles)

    def made(ids: list[str]) -> dict[str, Status]:
        found = _statuses(store, ids, stale_after_cycles)
        return {status.program.program_id: status for status in found}

    by_id = store.each(("status", stale_after_cycles), sorted(set(only)), made)
    return [by_id[program_id] for program_id in sorted(by_id)]


def _statuses(store: Store, only: Collection[str] | None, stale_after_cycles: int) -> list[Status]:
    if only is not None and not only:
        return []
    watched = programs.listed(store, only)
    if only is not None:
        for program_id in set(only).difference(p.program_id for p in watched):
            programs.get(store, program_id)  # which says what is wrong
    held = flaps.under_way(store)
    standing = policies.standing(store, only)
    stood = {i: Policy.from_json(stands.policy) for i, stands in standing.items()}
    speaking = _speaking(store, watched, stood, everybody=only is None)
    ids = None if only is None else {page.id for told in speaking.values() for page in told}
    latest = cycles.latest(store, ids)
    good = {page_id: last for page_id, last in latest.items() if Health(last.health).is_page}
    good |= cycles.latest_good(store, set(latest).difference(good))

    def status(program: Program) -> Status:
        stands, policy = standing.get(program.program_id), stood.get(program.program_id)
        told = speaking[program.program_id]
        health, detail = _health([latest[page.id] for page in told if page.id in latest])
        seen = [good[page.id].at for page in told if page.id in good]
        stale = False
        if policy is not None and health != "ok":
            # A program with another address has no page until the next cycle.
            nights = max((cycles.unhealthy_cycles(store, page.id) for page in told), default=0)
            stale = nights >= stale_after_cycles
            policy = replace(policy, needs_review=policy.needs_review or stale)
        by_turns = (
            flapping.by_turns(store, program.program_id) if program.program_id in held else ""
        )
        if policy is not None and by_turns:
            policy = replace(policy, needs_review=True)
        return Status(
            program=program,
            policy=policy,
            health=health,
            as_of=stamp(datetime.fromtimestamp(max(seen), UTC)) if seen else None,
            since=stands.since if stands else None,
            inherited_from=stands.inherited_from if stands else None,
            origin=stands.origin if stands else "read",
            detail=detail,
            stale=stale,
            flapping=by_turns,
        )

    return [status(program) for program in watched]


def _speaking(
    store: Store, watched: list[Program], stood: Mapping[str, Policy], *, everybody: bool
) -> dict[str, list[Page]]:
    """By program, the pages that carry its policy; the others count only while there is none."""
    carrying = {i: {e.url for e in policy.evidence if e.url} for i, policy in stood.items()}
    found: dict[str, list[Page]] = {}
    if not everybody:  # most have some, and a few of many pages are found by their addresses
        own, offices = defaultdict(list), defaultdict(list)
        for watch in pages.watches_at(store, set().union(*carrying.values())):
            if watch.program_id is not None:
                own[watch.program_id].append(watch.page)
            elif watch.institution is not None:
                offices[watch.institution].append(watch.page)
        for program in watched:
            both = (*own[program.program_id], *offices[program.institution])
            urls = carrying.get(program.program_id, ())
            if speaking := [page for page in both if page.url in urls]:
                found[program.program_id] = speaking
    if rest := [p.program_id for p in watched if p.program_id not in found]:
        every = watchlist.load(store, () if everybody else rest)
        for program_id in rest:
            all_of_it = every.pages_of(program_id)
            urls = carrying.get(program_id, ())
            found[program_id] = [page for page in all_of_it if page.url in urls] or all_of_it
    return found


def _health(observations: list[Observation]) -> tuple[str, str]:
    """The worst health of some pages, and what is wrong there in words."""
    if not observations:
        return "never_seen", "no page of it has been found yet"
    worst = min(observations, key=lambda o: _WORST.index(Health(o.health).summary))
    health = Health(worst.health).summary
    return health, "" if health == "ok" else worst.detail or worst.health
