"""The target list: which programs an applicant may apply to, in which order, and why.

Hard limits first (`shortlist.fit`), then a score that is a weighted mean and nothing else. All
programs are judged in one pass over what stands for them; a policy is looked at more closely only
for those that are shown.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from monitor.status import Status, statuses
from monitor.taken_back import BY_ITSELF
from shortlist import said
from shortlist.calendar import Season
from shortlist.errors import ProfileError
from shortlist.fit import Judge, Klass, Verdict, Way
from shortlist.knowledge import Knowledge
from shortlist.land import Concern, concerning
from shortlist.profile import Profile, places_hold
from shortlist.weights import PARTS, PartId
from store import search, standings
from store.database import Store
from store.standings import Fact

_DAY = 86_400.0  # seconds


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks, when, and with what is known.

    `facts` are all programs, `confirmed` those whose policy a maintainer has decided on.
    """

    profile: Profile
    season: Season
    known: Knowledge
    now: datetime
    facts: Sequence[Fact]
    confirmed: frozenset[str] = frozenset()

    @property
    def judge(self) -> Judge:
        """Who judges policies for this applicant."""
        known = self.known
        return Judge(
            self.profile, known.calendar, self.season, known.rules, known.scale.values,
            self.now.date(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ranked:
    """A program that is considered: in its place, with its verdict. `score` is None if closed."""

    program_id: str
    verdict: Verdict
    score: float | None
    fact: Fact


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
    open: tuple[Ranked, ...]
    closed: tuple[Ranked, ...]

    @property
    def profile(self) -> Profile:
        """Whose it is."""
        return self.question.profile

    @property
    def chosen(self) -> tuple[Ranked, ...]:
        """The best of them, as many as there are applications."""
        return self.open[: self.profile.applications]

    @property
    def left_out(self) -> tuple[Ranked, ...]:
        """Those that would come next."""
        return self.open[self.profile.applications :]

    @cached_property
    def classes(self) -> dict[Klass, Counter[Way]]:
        """By class, how many programs stand how."""
        found: dict[Klass, Counter[Way]] = {klass: Counter() for klass in Klass}
        for ranked in (*self.open, *self.closed):
            found[ranked.verdict.klass][ranked.verdict.way] += 1
        return found

    @cached_property
    def ways(self) -> Counter[Way]:
        """How the chosen ones stand."""
        return Counter(ranked.verdict.way for ranked in self.chosen)

    @cached_property
    def reasons(self) -> list[tuple[str, int]]:
        """Why programs are ruled out, and how many, the most frequent first."""
        counted = Counter("; ".join(_why(ranked.verdict)) for ranked in self.closed)
        return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))

    @property
    def concerns(self) -> tuple[Concern, ...]:
        """The rules of the land that concern the applicant."""
        question = self.question
        return concerning(self.profile, question.known.rules, question.now.date())

    def of(self, klass: Klass) -> tuple[Ranked, ...]:
        """The programs of a class, the best first, those that are ruled out at the end."""
        return tuple(r for r in (*self.open, *self.closed) if r.verdict.klass is klass)

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
                r.program_id in self.question.confirmed,
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
        standings.facts(store),
        standings.confirmed(store, but_by=BY_ITSELF),
    )


def shortlist(question: Question) -> Shortlist:
    """Judges all programs that the profile is about, and puts those that are open in order."""
    judge, marks = question.judge, _Marks(question)
    verdicts: dict[str | None, tuple[Verdict, bool, float]] = {}
    opened, closed = [], []
    sure, fresh, near = marks.sure, marks.fresh, marks.near
    confirmed = question.confirmed
    now, span = question.now.timestamp(), question.known.scale.values
    start, width = span.fresh_days * _DAY, (span.stale_days - span.fresh_days) * _DAY
    for fact in considered(question):
        what = fact[6]
        known = verdicts.get(what)
        if known is None:
            verdict = judge.verdict(said.read(what))
            known = verdicts[what] = (verdict, verdict.way is Way.CLOSED, marks.of(verdict))
        if known[1]:
            closed.append((fact[1], fact[0], known[0], fact))
            continue
        score = known[2]
        if fact[0] in confirmed:
            score += sure
        elif not fact[8]:
            score += sure * fact[7]
        if fact[9]:
            share = 1.0 - (now - fact[9] - start) / width
            score += fresh * (1.0 if share > 1.0 else share if share > 0.0 else 0.0)
        if near:
            score += near[fact[4], fact[5]]
        opened.append((-score, fact[1], fact[0], known[0], fact))
    opened.sort(key=lambda entry: entry[:3])
    closed.sort(key=lambda entry: entry[:2])
    return Shortlist(
        question,
        tuple([Ranked(e[2], e[3], -e[0], e[4]) for e in opened]),
        tuple([Ranked(e[1], e[2], None, e[3]) for e in closed]),
    )


def considered(question: Question) -> Iterable[Fact]:
    """The programs that a profile is about: of its level, specialties and places."""
    profile = question.profile
    facts: Iterable[Fact] = question.facts
    if profile.level != "any":
        facts = [f for f in facts if f[3] == profile.level]
    if profile.specialties:
        wanted = {name.casefold() for name in profile.specialties}
        facts = [f for f in facts if f[2].casefold() in wanted]
    if profile.places:
        inside = {
            place: places_hold(profile.places, *place) for place in {(f[4], f[5]) for f in facts}
        }
        facts = [f for f in facts if inside[f[4], f[5]]]
    return facts


def shares(question: Question, fact: Fact, verdict: Verdict) -> tuple[Share, ...]:
    """Part by part, what a score is made of; their points are the score."""
    scale = question.known.scale
    weights = scale.weights(question.profile.weights)
    days = (question.now.timestamp() - fact[9]) / _DAY if fact[9] else None
    values: dict[PartId, float] = {
        **of_verdict(question, verdict),
        "sure": 1.0 if fact[0] in question.confirmed else 0.0 if fact[8] else fact[7],
        "fresh": 0.0 if days is None else scale.fresh(days),
        "near": float(places_hold(question.profile.near, fact[4], fact[5])),
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


class _Marks:
    """The points of the parts, computed once and not for each of 13,000 programs."""

    def __init__(self, question: Question) -> None:
        self._question = question
        weights = question.known.scale.weights(question.profile.weights)
        self._unit = 100 / (sum(weights.values()) or 1)
        self._weights = weights
        self.sure = weights["sure"] * self._unit
        self.fresh = weights["fresh"] * self._unit
        near = question.profile.near
        places = {(f[4], f[5]) for f in question.facts} if near else set()
        self.near = {
            place: weights["near"] * self._unit * places_hold(near, *place) for place in places
        }

    def of(self, verdict: Verdict) -> float:
        """The points of what the policy decides."""
        parts = of_verdict(self._question, verdict)
        return self._unit * sum(self._weights[part] * value for part, value in parts.items())


def _why(verdict: Verdict) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words for answer in verdict.answers for words in answer.why))


def _unknown(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"no watched program has the specialty '{name}'{hint}"
