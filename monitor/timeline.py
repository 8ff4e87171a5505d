"""A program's history as values: which policies stood, what was flagged, when it was not read.

Policies do not follow from changes alone: a maintainer dismisses or corrects one, new rules read
an old page otherwise, pages come to agree with a correction. Each period says how it began and
who stands for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from crawler import Health
from monitor import watchlist
from monitor.compare import Severity
from store import changes, cycles, pages, policies, programs, verdicts
from store.database import Store
from store.records import Change, Observation, Page, Program, Review, Standing, stamp

SEASON_BEGINS = 6  # June: ERAS opens the season of the next year's Match


class Began(StrEnum):
    """How a policy came to stand."""

    FIRST_SIGHT = "first_sight"
    CHANGE = "change"  # its pages changed, and that was flagged
    REVIEW = "review"  # a maintainer decided so
    AGREEMENT = "agreement"  # its pages came to say what a maintainer had decided
    ELSEWHERE = "elsewhere"  # the same words stand on another of its pages
    NEW_RULES = "new_rules"  # better rules read the same pages (reclassify)
    OTHER_CHANNELS = "other_channels"  # a coordinator, FREIDA or residents said so, too


@dataclass(frozen=True, slots=True)
class Period:
    """A policy that stood from `at` to `until` (None: it stands).

    `change` is the flagged change that it began with or was decided on, `reviews` what was decided
    on that, oldest first.
    """

    at: str
    until: str | None
    policy: dict[str, Any]
    channel: str  # website | maintainer, or who else decides: coordinator | freida | ...
    origin: str  # read | dismissed | corrected | fused
    began: Began
    change: int | None = None
    reviews: tuple[Review, ...] = ()
    inherited_from: str | None = None


@dataclass(frozen=True, slots=True)
class Flagged:
    """A change that was flagged, with every decision on it, oldest first."""

    at: str
    change: Change
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True)
class Unread:
    """A page that could not be read from `at` to `until` (None: it still cannot).

    `stale` says that it was so for so many cycles that its policy needs a review.
    """

    at: str
    until: str | None
    url: str
    health: str
    cycles: int
    stale: bool
    detail: str = ""


Entry = Period | Flagged | Unread


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that is known of one program, oldest first; at one time, what was flagged comes first."""

    program: Program
    entries: tuple[Entry, ...]
    removed_at: str | None = None

    def seasons(self) -> list[tuple[int, tuple[Entry, ...]]]:
        """The entries by the season in which each began."""
        found: dict[int, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(season(entry.at), []).append(entry)
        return [(year, tuple(entries)) for year, entries in found.items()]

    def without_trifles(self) -> Timeline:
        """The timeline without changes of wording, and without outages that ended soon."""
        kept = tuple(
            entry
            for entry in self.entries
            if not (isinstance(entry, Flagged) and entry.change.severity == Severity.MINOR)
            and not (isinstance(entry, Unread) and not entry.stale and entry.until is not None)
        )
        return replace(self, entries=kept)


def season(at: str) -> int:
    """The Match year of a time (ISO 8601): from June on, that of the next year.

    >>> season("2026-11-25T02:00:00Z"), season("2027-03-01T02:00:00Z")
    (2027, 2027)
    """
    year, month = int(at[:4]), int(at[5:7])
    return year + 1 if month >= SEASON_BEGINS else year


def timeline(store: Store, program_id: str, *, stale_after_cycles: int = 3) -> Timeline:
    """The timeline of a program that is or was watched. Raises NotFound."""
    program, removed_at = programs.ever(store, program_id)
    flagged = [
        Flagged(change.detected_at, change, tuple(verdicts.of_change(store, change.id)))
        for change in changes.of_program(store, program_id)
    ]
    confirmed = verdicts.of_reading(store, program_id)
    stood = policies.history(store, program_id)
    unread = _unread(store, program, stood, stale_after_cycles, removed_at)
    entries: list[Entry] = [*flagged, *_periods(stood, flagged, confirmed, removed_at), *unread]
    # The sort keeps the order of what has one time: a change, then what stands since.
    return Timeline(program, tuple(sorted(entries, key=lambda entry: entry.at)), removed_at)


def _periods(
    stood: Sequence[Standing],
    flagged: Sequence[Flagged],
    confirmed: Sequence[Review],
    removed_at: str | None,
) -> list[Period]:
    found: list[Period] = []
    before: Standing | None = None
    for standing in stood:
        period = _period(standing, before, flagged, confirmed)
        before = standing
        if found and period.began is Began.REVIEW and standing.origin == "read":
            last = found[-1]
            if last.policy == period.policy:  # accepted: the same goes on, with a name to it
                more = (review for review in period.reviews if review not in last.reviews)
                found[-1] = replace(last, reviews=(*last.reviews, *more))
                continue
        if found:
            found[-1] = replace(found[-1], until=period.at)
        found.append(period)
    if found and removed_at is not None:
        found[-1] = replace(found[-1], until=removed_at)
    return found


def _period(
    standing: Standing,
    before: Standing | None,
    flagged: Sequence[Flagged],
    confirmed: Sequence[Review],
) -> Period:
    began, change, reviews = _began(standing, before, flagged, confirmed)
    return Period(
        at=standing.since,
        until=None,
        policy=standing.policy,
        channel=_channel(standing),
        origin=standing.origin,
        began=began,
        change=change,
        reviews=reviews,
        inherited_from=standing.inherited_from,
    )


def _channel(standing: Standing) -> str:
    """Where a policy comes from: of several channels, the one that decides."""
    if standing.origin == "fused":
        rules = [rule for e in standing.policy["evidence"] for rule in e["rules"][:1]]
        named = (rule.removeprefix("channel:") for rule in rules if rule.startswith("channel:"))
        return next(named, "website")
    return "maintainer" if standing.origin == "corrected" else "website"


def _began(
    standing: Standing,
    before: Standing | None,
    flagged: Sequence[Flagged],
    confirmed: Sequence[Review],
) -> tuple[Began, int | None, tuple[Review, ...]]:
    """How a policy came to stand: by which change, by whose decision."""
    if standing.origin == "fused":
        for entry in flagged:
            if entry.change.cycle_id is None and entry.change.after == standing.policy:
                return Began.OTHER_CHANNELS, entry.change.id, entry.reviews
            if of_it := _deciding(standing, entry.reviews):
                return Began.REVIEW, entry.change.id, of_it
        return Began.OTHER_CHANNELS, None, _deciding(standing, confirmed)
    if before is None:
        return Began.FIRST_SIGHT, None, ()
    if standing.cycle_id != before.cycle_id:
        for entry in flagged:
            if entry.change.cycle_id == standing.cycle_id and entry.change.after == standing.policy:
                return Began.CHANGE, entry.change.id, entry.reviews
        if standing.reading["stances"] == before.reading["stances"]:
            return Began.ELSEWHERE, None, ()
        return Began.AGREEMENT, None, ()
    verdict = "accepted" if standing.origin == "read" else standing.origin
    for entry in flagged:
        of_it = _deciding(standing, entry.reviews)
        if of_it and of_it[0].verdict in (verdict, "undone"):
            return Began.REVIEW, entry.change.id, of_it
    of_reading = _deciding(standing, confirmed)
    if of_reading and of_reading[0].verdict == verdict:
        return Began.REVIEW, None, of_reading
    return Began.NEW_RULES, None, ()


def _deciding(standing: Standing, made: Sequence[Review]) -> tuple[Review, ...]:
    """Of some decisions, that with which a policy began to stand, if it is among them."""
    return tuple(r for r in made if r.id == standing.review_id and r.at == standing.since)


def _unread(
    store: Store,
    program: Program,
    stood: Sequence[Standing],
    stale_after: int,
    removed_at: str | None,
) -> list[Unread]:
    """The times in which a page was not read that its policies rest on; any page, if on none."""
    # A program that was removed has its watches still.
    watched = watchlist.of_one(store, program)
    spoke = {e["url"] for s in stood for e in s.policy["evidence"] if e.get("url")}
    there = set(pages.places(store, spoke).values()) if spoke else set()
    speaking = [page for page in watched if page.url in there] or watched
    found = []
    for page in speaking:
        found += _outages(page, cycles.of_page(store, page.id), stale_after, removed_at)
    return found


def _outages(
    page: Page, seen: Iterable[Observation], stale_after: int, removed_at: str | None
) -> list[Unread]:
    found: list[Unread] = []
    under_way: list[Observation] = []

    def over(until: str | None) -> None:
        if under_way:
            first, last = under_way[0], under_way[-1]
            nights = len({o.cycle_id for o in under_way})
            found.append(
                Unread(
                    _at(first),
                    until,
                    page.url,
                    last.health,
                    nights,
                    nights >= stale_after,
                    last.detail or "",
                )
            )
            under_way.clear()

    for observation in seen:
        if not Health(observation.health).is_page:
            under_way.append(observation)
        elif under_way:
            over(_at(observation))
    over(removed_at)
    return found


def _at(observation: Observation) -> str:
    return stamp(datetime.fromtimestamp(observation.at, UTC))
