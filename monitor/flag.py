"""Decides, per program, whether a reading is news: compare, wait, flag."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from extractors import Condition, Policy, Stance, Visa
from monitor import flapping
from monitor.compare import ChangeKind, Difference, Severity, difference
from monitor.reading import Reading
from monitor.taken_back import close_taken_back
from store import changes, pages, pending, policies
from store.database import Store
from store.records import Change, Standing, stamp


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A difference from what stands, not yet confirmed by a fresh fetch."""

    reading: Reading
    difference: Difference


def suspect(reading: Reading, standing: Standing | None) -> Suspicion | None:
    """The difference between a reading and what its program's pages said when last confirmed.

    None for a first sight: that is an observation, not a change.
    """
    if reading.policy is None or standing is None:
        return None
    if reading.gone:
        return Suspicion(reading, Difference(ChangeKind.PAGE_GONE, Severity.MAJOR))
    found = difference(Policy.from_json(standing.reading), reading.policy)
    if found is None or agrees(reading, standing):
        return None
    if standing.origin != "read":
        # A maintainer's decision held for the statement as it was. The statement is another
        # one now, so what it says is compared with what the maintainer decided.
        found = difference(Policy.from_json(standing.policy), reading.policy) or found
    return Suspicion(reading, found)


def agrees(reading: Reading, standing: Standing) -> bool:
    """Whether the pages have come to say what a maintainer decided: that is no news."""
    if standing.origin == "read" or reading.policy is None:
        return False
    if difference(Policy.from_json(standing.reading), reading.policy) is None:
        return False  # the pages still say what the maintainer decided against
    found = difference(Policy.from_json(standing.policy), reading.policy)
    return found is None or found.kind is ChangeKind.WORDING_CHANGED


def confirmed(first: Suspicion, second: Suspicion | None) -> bool:
    """Whether a fresh fetch shows the very difference that the first one did."""
    return (
        second is not None
        and first.difference == second.difference
        and first.reading.policy is not None
        and second.reading.policy is not None
        and first.reading.policy.stances == second.reading.policy.stances
        and set(first.reading.policy.conditions) == set(second.reading.policy.conditions)
    )


def observe(store: Store, reading: Reading, cycle_id: int, now: datetime) -> None:
    """From now on, what a program's pages say stands as its policy, without any news.

    At first sight, or when the pages have come to agree with a maintainer. Inside `writing()`.
    """
    assert reading.policy is not None  # noqa: S101 (what was not seen says nothing)
    policy = reading.policy.to_json()
    policies.record(
        store,
        Standing(
            program_id=reading.program.program_id,
            since=stamp(now),
            origin="read",
            policy=policy,
            reading=policy,
            inherited_from=reading.inherited_from,
            cycle_id=cycle_id,
        ),
    )


def speaks_elsewhere(store: Store, reading: Reading, standing: Standing) -> bool:
    """Whether pages say what stands, in the same words, but not those that said it before.

    The program's own page has dropped what its institution's says as well, or the sentence has
    moved to another page of the site.
    """
    if reading.policy is None:
        return False
    before = moved_along(store, Policy.from_json(standing.reading))
    return _places(before) != _places(reading.policy)


def _places(policy: Policy) -> set[tuple[Visa, str | None]]:
    return {(e.visa, e.url) for e in policy.evidence}


def quote_elsewhere(
    store: Store, reading: Reading, standing: Standing, cycle_id: int, now: datetime
) -> None:
    """The policy stands as it is, with its quotes where they can be read now. Inside `writing()`.

    A change of what is quoted later is one of these pages.
    """
    assert reading.policy is not None  # noqa: S101 (see speaks_elsewhere)
    read = reading.policy.to_json()
    quotes = {"evidence": read["evidence"]}
    policies.record(
        store,
        replace(
            standing,
            since=stamp(now),
            policy={**standing.policy, **quotes} if standing.origin == "read" else standing.policy,
            reading={**standing.reading, **quotes},
            inherited_from=reading.inherited_from,
            cycle_id=cycle_id,
        ),
    )
    pending.stop_waiting(store, standing.program_id)


def settle(
    store: Store,
    suspicion: Suspicion,
    standing: Standing,
    *,
    cycle_id: int,
    now: datetime,
    silent: Collection[str] = (),
    withdraw_cycles: int = 1,
    flap: flapping.Settings | None = None,
) -> Change | None:
    """Flags a confirmed difference; what is gone (`silent`) only when all of it was seen again.

    In a night in which all pages are gone, nothing can be said of what waits beside. A policy that
    goes back and forth is held (see monitor.flapping). One transaction: the change, and the policy
    that stands from now on. Run again, for the same cycle, it flags nothing twice.
    """
    reading, found = suspicion.reading, suspicion.difference
    program_id = reading.program.program_id
    assert reading.policy is not None  # noqa: S101 (see suspect)
    with store.writing():
        gone = found.kind is ChangeKind.PAGE_GONE  # its policy stands meanwhile
        if silent:
            pending.wait(store, program_id, silent, cycle_id, forget=not gone)
            decisive = _decisive(silent, Policy.from_json(standing.reading), reading.policy)
            if min(pending.waited(store, program_id, s) for s in decisive) < withdraw_cycles:
                return None
        if flapping.holds(
            store,
            reading,
            standing,
            cycle_id=cycle_id,
            now=now,
            settings=flap or flapping.Settings(),
        ):
            if not silent:
                pending.wait(store, program_id, [pending.HELD], cycle_id)
            return None
        after = standing.policy if gone else reading.policy.to_json()
        change = changes.flag(
            store,
            Change(
                id=0,
                program_id=program_id,
                cycle_id=cycle_id,
                kind=str(found.kind),
                severity=str(found.severity),
                status="open",
                before=standing.policy,
                after=after,
                detected_at=stamp(now),
                url=_url(after) or _url(standing.policy),
            ),
        )
        if change is None or gone:
            return change
        close_taken_back(store, change, now)
        policies.record(
            store,
            replace(
                standing,
                since=stamp(now),
                origin="read",
                policy=after,
                reading=after,
                inherited_from=reading.inherited_from,
                cycle_id=cycle_id,
                review_id=None,
            ),
        )
        pending.stop_waiting(store, program_id)
        return change


def moved_along(store: Store, policy: Policy) -> Policy:
    """The policy with its evidence at the addresses where its pages are now."""
    at = pages.places(store, {e.url for e in policy.evidence if e.url})
    evidence = tuple(replace(e, url=at[e.url]) if e.url else e for e in policy.evidence)
    return replace(policy, evidence=evidence)


def fallen_silent(
    before: Policy,
    suspicion: Suspicion,
    watched: Collection[str],
    inherited: Collection[str] = (),
    gone: Collection[str] = (),
) -> tuple[str, ...]:
    """What is gone, if that is all that a difference is: it is believed in two cycles only.

    `before` is what the pages said, at their addresses of today (see `moved_along`). Whatever
    else the pages say in the second cycle, it is the same that is gone. What only pages said
    that have been `gone` for long enough is believed already, and so is what is gone beside
    conditions that are others for a visa still spoken of: the night is one for news, and they are
    told together.
    """
    policy, kind = suspicion.reading.policy, suspicion.difference.kind
    if policy is None or kind is ChangeKind.PAGE_GONE:
        return (str(kind),)
    visas = silenced(before, policy, watched, inherited, gone)
    no_news = all(_about(policy, visa) == _about(before, visa) for visa, _ in policy.stances)
    if kind is ChangeKind.STATEMENT_WITHDRAWN and not visas and no_news:
        visas = tuple(
            visa
            for visa, _ in before.stances
            if policy.stance(visa) is Stance.UNSTATED
            and not {e.url for e in before.evidence if e.visa is visa} <= set(gone)
        )
    return tuple(map(_silent_on, visas))


def _silent_on(visa: Visa) -> str:
    return f"silent on {visa}"


def _decisive(silent: Collection[str], before: Policy, after: Policy) -> list[str]:
    """What of that which is gone makes the policy another one, or all of it if nothing does.

    The rest, another page says the same: whether it is gone for good need not be known yet.
    """
    differ = {_silent_on(visa) for visa in Visa if _about(before, visa) != _about(after, visa)}
    return [one for one in silent if one in differ] or list(silent)


def _about(policy: Policy, visa: Visa) -> tuple[Stance, frozenset[Condition]]:
    return policy.stance(visa), frozenset(c for c in policy.conditions if c.visa is visa)


def unsaid(before: Policy, after: Policy, places: Collection[str]) -> tuple[Visa, ...]:
    """The visas of which pages at these addresses spoke and none does, whatever else is new."""
    spoke, speaks = ({e.visa for e in said.evidence if e.url in places} for said in (before, after))
    return tuple(visa for visa in Visa if visa in spoke - speaks)


def silenced(
    before: Policy,
    after: Policy,
    watched: Collection[str],
    inherited: Collection[str] = (),
    gone: Collection[str] = (),
) -> tuple[Visa, ...]:
    """The visas of which watched pages have fallen silent, if that is all that differs.

    `watched` are the addresses of the program's pages, `inherited` those among them that are
    its institution's. Nothing is said of these visas now, or only by other pages: the
    institution's, or one that used to contradict. In one night that is as likely to be a page
    that failed, unless it has been `gone` for longer. Where a page of the program's own begins
    to speak, that is the news, whoever is silent now.
    """

    def said(policy: Policy, visa: Visa) -> set[tuple[str | None, Stance]]:
        return {(e.url, e.stance) for e in policy.evidence if e.visa is visa}

    def told(policy: Policy, visa: Visa) -> tuple[object, ...]:
        return *_about(policy, visa), {url for url, _ in said(policy, visa)}

    slow = []
    for visa in (v for v in Visa if told(before, v) != told(after, v)):
        said_before, said_after = said(before, visa), said(after, visa)
        spoke = {url for url, _ in said_before}
        heard = {url for url, _ in said_after}
        silent = spoke - heard
        if heard - spoke - set(inherited):
            return ()
        news = {one for one in said_after - said_before if one[0] in spoke}
        if not silent or not silent <= set(watched) or news:
            return ()
        if not silent <= set(gone):
            slow.append(visa)
    return tuple(slow)


def _url(policy: dict[str, object]) -> str | None:
    evidence = policy["evidence"]
    assert isinstance(evidence, list)  # noqa: S101 (a policy's JSON)
    return next((str(e["url"]) for e in evidence if e.get("url")), None)
