"""The current policy of each program, and how its pages are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from crawler import Health
from extractors import Policy
from monitor import flapping, watchlist
from store import cycles, flaps, policies
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
    if only is not None and not only:
        return []
    watched = watchlist.load(store, only or ())
    held = flaps.under_way(store)
    standing = policies.standing(store, only)
    stood = {i: Policy.from_json(stands.policy) for i, stands in standing.items()}
    speaking = {i: _speaking(watched.pages_of(i), stood.get(i)) for i in watched.programs}
    ids = None if only is None else {page.id for pages in speaking.values() for page in pages}
    latest, good = cycles.latest(store, ids), cycles.latest_good(store, ids)

    def status(program: Program) -> Status:
        stands, policy = standing.get(program.program_id), stood.get(program.program_id)
        pages = speaking[program.program_id]
        health, detail = _health([latest[page.id] for page in pages if page.id in latest])
        seen = [good[page.id].at for page in pages if page.id in good]
        stale = False
        if policy is not None and health != "ok":
            # A program with another address has no page until the next cycle.
            nights = max((cycles.unhealthy_cycles(store, page.id) for page in pages), default=0)
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

    return [status(program) for program in watched.programs.values()]


def _speaking(pages: list[Page], policy: Policy | None) -> list[Page]:
    """The pages that carry the policy; the others count only while there is none."""
    carrying = {e.url for e in policy.evidence} if policy else set()
    return [page for page in pages if page.url in carrying] or pages


def _health(observations: list[Observation]) -> tuple[str, str]:
    """The worst health of some pages, and what is wrong there in words."""
    if not observations:
        return "never_seen", "no page of it has been found yet"
    worst = min(observations, key=lambda o: _WORST.index(Health(o.health).summary))
    health = Health(worst.health).summary
    return health, "" if health == "ok" else worst.detail or worst.health
