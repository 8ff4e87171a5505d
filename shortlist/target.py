"""The target list: which programs an applicant may apply to, in which order, and why.

Hard limits first (`shortlist.fit`), then a score that is a weighted mean and nothing else. Each
distinct policy is judged once, for all programs that have it (`shortlist.table`); a program is
looked at more closely only when it is shown.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from math import inf, isnan
from typing import overload

import numpy as np

from monitor.status import Status, statuses
from shortlist.calendar import Season
from shortlist.errors import ProfileError
from shortlist.fit import Judge, Klass, Verdict, Way
from shortlist.knowledge import Knowledge
from shortlist.land import Concern, concerning
from shortlist.profile import Profile, in_places
from shortlist.table import Column, Flags, Places, Table, table
from shortlist.weights import PARTS, Numbers, PartId
from store import search
from store.database import Store
from store.standings import Fact

_DAY = 86_400.0  # seconds


@dataclass(frozen=True)
class Question:
    """Who asks, when, and with what is known; `table` has all programs."""

    profile: Profile
    season: Season
    known: Knowledge
    now: datetime
    table: Table

    @property
    def judge(self) -> Judge:
        """Who judges policies for this applicant."""
        known = self.known
        return Judge(
            self.profile, known.calendar, self.season, known.rules, known.scale.values,
            self.now.date(),
        )  # fmt: skip

    @cached_property
    def verdicts(self) -> Column[Verdict]:
        """How each program stands; each distinct policy is judged once."""
        said, judge = self.table.said, self.judge
        return Column(tuple(map(judge.verdict, said.values)), said.which)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A program that is considered: in its place, with its verdict. `score` is None if closed."""

    program_id: str
    verdict: Verdict
    score: float | None
    fact: Fact


@dataclass(frozen=True, slots=True, eq=False)
class Ranking(Sequence[Ranked]):
    """Programs in an order. A `Ranked` is made of those that are looked at."""

    table: Table
    verdicts: Column[Verdict]
    scores: Numbers
    places: Places  # in the table

    def __len__(self) -> int:
        return len(self.places)

    @overload
    def __getitem__(self, which: int) -> Ranked: ...
    @overload
    def __getitem__(self, which: slice) -> Ranking: ...
    def __getitem__(self, which: int | slice) -> Ranked | Ranking:
        if isinstance(which, slice):
            return replace(self, places=self.places[which])
        place = self.places[which]
        fact, score = self.table.facts[place], float(self.scores[place])
        verdict = self.verdicts.values[self.verdicts.which[place]]
        return Ranked(fact[0], verdict, None if isnan(score) else score, fact)


@dataclass(frozen=True, slots=True)
class Share:
    """What one part adds to a score: `value` from 0 to 1, by its weight; `points` of 100."""

    part: PartId
    weight: int
    value: float
    points: float


@dataclass(frozen=True, slots=True)
class Target:
    """A program of the list, with all that is shown of it. `rank` begins with 1."""

    rank: int
    ranked: Ranked
    status: Status
    shares: tuple[Share, ...]
    confirmed: bool = False  # by a maintainer


@dataclass(frozen=True)
class Shortlist:
    """All programs that a profile is about, judged.

    `open` are those that are not ruled out, the best first; `closed` the others, by name.
    """

    question: Question
    verdicts: Column[Verdict]
    open: Ranking
    closed: Ranking

    @property
    def profile(self) -> Profile:
        """Whose it is."""
        return self.question.profile

    @property
    def chosen(self) -> Ranking:
        """The best of them, as many as there are applications."""
        return self.open[: self.profile.applications]

    @property
    def left_out(self) -> Ranking:
        """Those that would come next."""
        return self.open[self.profile.applications :]

    @cached_property
    def classes(self) -> dict[Klass, Counter[Way]]:
        """By class, how many programs stand how."""
        found: dict[Klass, Counter[Way]] = {klass: Counter() for klass in Klass}
        for verdict, number in self.verdicts.counted(considered(self.question)):
            found[verdict.klass][verdict.way] += number
        return found

    @cached_property
    def ways(self) -> Counter[Way]:
        """How the chosen ones stand."""
        return Counter(ranked.verdict.way for ranked in self.chosen)

    @cached_property
    def reasons(self) -> list[tuple[str, int]]:
        """Why programs are ruled out, and how many, the most frequent first."""
        counted: Counter[str] = Counter()
        for verdict, number in self.verdicts.counted(considered(self.question)):
            if verdict.way is Way.CLOSED:
                counted["; ".join(_why(verdict))] += number
        return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))

    @property
    def concerns(self) -> tuple[Concern, ...]:
        """The rules of the land that concern the applicant."""
        question = self.question
        return concerning(self.profile, question.known.rules, question.now.date())

    def of(self, klass: Klass) -> Ranking:
        """The programs of a class, the best first, those that are ruled out at the end."""
        inside = self.verdicts.flags(lambda verdict: verdict.klass is klass)
        places = np.concatenate((self.open.places, self.closed.places))
        return replace(self.open, places=places[inside[places]])

    def targets(
        self, store: Store, shown: Sequence[Ranked], *, stale_after_cycles: int, first: int = 1
    ) -> list[Target]:
        """Some of them with their policies, in this order."""
        ids = [ranked.program_id for ranked in shown]
        found = statuses(store, only=ids, stale_after_cycles=stale_after_cycles)
        by_id = {status.program.program_id: status for status in found}
        return [
            Target(
                rank,
                r,
                by_id[r.program_id],
                shares(self.question, r.fact, r.verdict),
                r.program_id in self.question.table.confirmed,
            )
            for rank, r in enumerate(shown, first)
        ]


def ask(store: Store, profile: Profile, known: Knowledge, now: datetime) -> Question:
    """What is to be answered, with all programs. Raises ProfileError for an unknown specialty."""
    specialties = search.choices(store).specialties
    spelled = {name.casefold() for name in specialties}
    faults = tuple(
        ("specialties", _unknown(name, specialties))
        for name in profile.specialties
        if name.casefold() not in spelled
    )
    if faults:
        raise ProfileError("profile", faults)
    season = known.calendar.current(now.date())
    return Question(
        profile,
        season,
        known,
        now.astimezone(UTC),
        table(store),
    )


def shortlist(question: Question) -> Shortlist:
    """Judges all programs that the profile is about, and puts those that are open in order."""
    found, inside = question.verdicts, considered(question)
    shut = found.flags(lambda verdict: verdict.way is Way.CLOSED)
    scores = _scores(question, found)
    opened = np.flatnonzero(inside & ~shut)
    # By name where scores are equal, as the table is and a stable sort leaves it; the last digits
    # of a sum are no difference.
    opened = opened[np.argsort(-scores[opened].round(9), kind="stable")]
    ranking = Ranking(question.table, found, np.where(shut, np.nan, scores), opened)
    closed = replace(ranking, places=np.flatnonzero(inside & shut))
    return Shortlist(question, found, ranking, closed)


def considered(question: Question) -> Flags:
    """The programs that a profile is about: of its level, specialties and places."""
    profile, every = question.profile, question.table
    found = np.ones(len(every.facts), np.bool_)
    if profile.level != "any":
        found &= every.level.flags(lambda level: level == profile.level)
    if profile.specialties:
        wanted = {name.casefold() for name in profile.specialties}
        found &= every.specialty.flags(lambda name: name.casefold() in wanted)
    if profile.places:
        found &= every.within(profile.places)
    return found


def _scores(question: Question, found: Column[Verdict]) -> Numbers:
    """The points of all programs: the sums of what `shares` gives for each."""
    every, scale, near = question.table, question.known.scale, question.profile.near
    weights = scale.weights(question.profile.weights)
    unit = 100 / (sum(weights.values()) or 1)
    days = (question.now.timestamp() - every.checked) / _DAY
    return (
        found.numbers(
            lambda verdict: (
                unit
                * sum(
                    weights[part] * value for part, value in of_verdict(question, verdict).items()
                )
            )
        )
        + weights["sure"] * unit * every.sure
        + weights["fresh"] * unit * scale.fresh(days)
        + weights["near"] * unit * every.within(near)
    )


def shares(question: Question, fact: Fact, verdict: Verdict) -> tuple[Share, ...]:
    """Part by part, what a score is made of; their points are the score."""
    scale = question.known.scale
    weights = scale.weights(question.profile.weights)
    checked = fact[9]
    days = inf if checked is None else (question.now.timestamp() - checked) / _DAY
    values: dict[PartId, float] = {
        **of_verdict(question, verdict),
        "sure": 1.0 if fact[0] in question.table.confirmed else 0.0 if fact[8] else fact[7],
        "fresh": scale.fresh_after(days),
        "near": float(in_places(question.profile.near)(fact[4], fact[5])),
    }
    total = sum(weights.values()) or 1
    return tuple(
        Share(p, weights[p], values[p], 100 * weights[p] * values[p] / total) for p in PARTS
    )


def of_verdict(question: Question, verdict: Verdict) -> dict[PartId, float]:
    """The parts of a score that the policy alone decides."""
    done = not verdict.best.to_do and verdict.way is not Way.CLOSED
    return {
        "visa": verdict.best.value,
        "ready": 1.0 if done else question.known.scale.values.to_do,
        "second": float(verdict.ways_in > 1),
    }


def _why(verdict: Verdict) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words for answer in verdict.answers for words in answer.why))


def _unknown(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"no watched program has the specialty '{name}'{hint}"
