"""Whether a program's policy lets an applicant in: the hard limits, before anything is scored.

For each visa that the applicant would train on there is an answer: open; open once something is
done in time; to be asked; or closed. A program is closed when all answers are.

A requirement that is met neither now nor, by the applicant's own plan, in time closes a visa. So
"Step 3 by February 1" closes the H-1B to who plans it for March, and to who plans it not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from extractors.conditions import ConditionKind
from extractors.values import Category, Stance, Visa
from shortlist.calendar import Calendar, Deadline, EventId, Season
from shortlist.land import Rule
from shortlist.profile import Profile
from shortlist.said import Said
from shortlist.weights import Values


class Way(StrEnum):
    """How a program, or one visa of it, stands to an applicant; the best first."""

    OPEN = "open"
    TO_DO = "to_do"  # open once something is done, which the applicant plans in time
    ASK = "ask"  # not stated, at the program's discretion, or contradictory
    CLOSED = "closed"


class Klass(StrEnum):
    """The guide's classes of programs, and two that silence and the table of categories need."""

    J1_AND_H1B = "j1_and_h1b"
    CASE_BY_CASE = "j1_h1b_case_by_case"
    J1_H1B_UNSTATED = "j1_h1b_unstated"
    J1_ONLY = "j1_only"
    H1B_ONLY = "h1b_only"
    NONE = "none"
    UNKNOWN = "unknown"


KLASS_WORDS = {
    Klass.J1_AND_H1B: "J-1 and H-1B",
    Klass.CASE_BY_CASE: "J-1, H-1B case by case",
    Klass.J1_H1B_UNSTATED: "J-1; H-1B not stated, ask",
    Klass.J1_ONLY: "J-1 only",
    Klass.H1B_ONLY: "H-1B only",
    Klass.NONE: "none, or citizens only",
    Klass.UNKNOWN: "unknown: ask",
}
WAY_WORDS = {
    Way.OPEN: "open to you",
    Way.TO_DO: "open once you have done something",
    Way.ASK: "ask first",
    Way.CLOSED: "ruled out",
}
_KLASSES = {
    Category.J1_AND_H1B: Klass.J1_AND_H1B,
    Category.J1_H1B_CASE_BY_CASE: Klass.CASE_BY_CASE,
    Category.J1_H1B_UNSTATED: Klass.J1_H1B_UNSTATED,
    Category.J1_ONLY: Klass.J1_ONLY,
    Category.H1B_ONLY: Klass.H1B_ONLY,
    Category.NO_SPONSORSHIP: Klass.NONE,
}
_ORDER = {way: number for number, way in enumerate(Way)}
_NEEDS = {
    ConditionKind.STEP3_PASSED: "Step 3",
    ConditionKind.ECFMG_CERTIFIED: "the ECFMG certificate",
}
_AT_DISCRETION = {
    ConditionKind.CASE_BY_CASE: "decided case by case",
    ConditionKind.GME_APPROVAL: "needs the approval of its GME office",
    ConditionKind.EXCEPTIONAL_ONLY: "in exceptional cases only",
}


@dataclass(frozen=True, slots=True)
class ToDo:
    """What an applicant still has to do for a visa; `rule` is the rule of the land that asks."""

    words: str  # `Step 3 by 2027-02-01`
    kind: ConditionKind
    by: date
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """How one visa stands: `value` is what it is worth to the score, from 0 to 1."""

    visa: Visa
    way: Way
    value: float
    why: tuple[str, ...]
    to_do: tuple[ToDo, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a program stands; `answers` has the best first."""

    klass: Klass
    answers: tuple[Answer, ...]

    @property
    def way(self) -> Way:
        """How the visa to go for stands."""
        return self.answers[0].way

    @property
    def best(self) -> Answer:
        """The visa to go for."""
        return self.answers[0]

    @property
    def ways_in(self) -> int:
        """How many visas are not closed."""
        return sum(answer.way is not Way.CLOSED for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges policies for one applicant in one season, by the rules that are in force today."""

    profile: Profile
    calendar: Calendar
    season: Season
    rules: tuple[Rule, ...]
    values: Values
    today: date

    def verdict(self, said: Said) -> Verdict:
        """How a program stands whose policy says this."""
        answers = [self._answer(said, visa) for visa in self.profile.visas]
        answers.sort(key=lambda a: (_ORDER[a.way] if a.way is Way.CLOSED else 0, -a.value))
        return Verdict(klass(said), tuple(answers))

    def _answer(self, said: Said, visa: Visa) -> Answer:
        if visa not in (Visa.J1, Visa.H1B):
            return self._with_own_status(said, visa)
        stance = said.stance(visa)
        kinds = {c.kind for c in said.on(visa)}
        if shut := self._shut(stance, kinds, visa):
            return Answer(visa, Way.CLOSED, 0.0, (shut,))
        to_do: list[ToDo] = []
        for needed in self._needed(said, visa):
            have = self._have(needed.kind)
            if have is None or have > needed.by:
                return Answer(visa, Way.CLOSED, 0.0, (_too_late(needed, have, visa),))
            if have != date.min:
                to_do.append(needed)
        way, value, why = self._offer(stance, kinds, visa)
        if to_do and way is Way.OPEN:
            way = Way.TO_DO
        if ConditionKind.PREFERRED_OTHER in kinds:
            value *= self.values.other_preferred
            why = (*why, f"it prefers another visa to the {visa}")
        if self.profile.prefers not in ("", visa):
            value *= self.values.not_your_preference
        if ConditionKind.APPLICANT_PAYS in kinds:
            why = (*why, f"you pay the fees of the {visa}")
        return Answer(visa, way, value, why, shortest(to_do))

    def _shut(self, stance: Stance, kinds: set[ConditionKind], visa: Visa) -> str:
        """Why a visa is closed whatever the applicant does; empty when it is not."""
        if ConditionKind.PAUSED in kinds:
            return f"its {visa} sponsorship is paused"
        if stance is Stance.NOT_SPONSORED:
            return f"it does not sponsor the {visa}"
        if ConditionKind.US_GRADUATES_ONLY in kinds and not self.profile.us_graduate:
            return f"the {visa} is for graduates of US schools only"
        holds = visa is Visa.H1B and self.profile.holds_h1b
        if ConditionKind.TRANSFER_ONLY in kinds and not holds:
            return f"the {visa} is for those who hold one already"
        return ""

    def _offer(
        self, stance: Stance, kinds: set[ConditionKind], visa: Visa
    ) -> tuple[Way, float, tuple[str, ...]]:
        worth = self.values
        if stance is Stance.UNSTATED:
            return Way.ASK, worth.not_stated, (f"nothing is said of the {visa}",)
        if stance is Stance.CONFLICTING:
            return Way.ASK, worth.not_stated, (f"its pages contradict each other on the {visa}",)
        if ConditionKind.EXCEPTIONAL_ONLY in kinds:
            return Way.ASK, worth.exceptional, (f"the {visa} in exceptional cases only",)
        at_discretion = [words for kind, words in _AT_DISCRETION.items() if kind in kinds]
        if at_discretion:
            return Way.ASK, worth.case_by_case, tuple(f"the {visa}: {w}" for w in at_discretion)
        met = (ConditionKind.US_GRADUATES_ONLY, ConditionKind.TRANSFER_ONLY)
        if stance is Stance.CONDITIONAL and not kinds & set(met):
            return Way.ASK, worth.case_by_case, (f"the {visa} on conditions",)
        return Way.OPEN, worth.sponsored, (f"it sponsors the {visa}",)

    def _with_own_status(self, said: Said, visa: Visa) -> Answer:
        """For those who need no sponsor: closed only where a page says so."""
        stance, name = said.stance(visa), _STATUS[visa]
        if visa is Visa.CITIZEN or stance is Stance.SPONSORED:
            return Answer(visa, Way.OPEN, self.values.sponsored, (f"open to {name}",))
        if stance is Stance.NOT_SPONSORED:
            return Answer(visa, Way.CLOSED, 0.0, (f"it does not take {name}",))
        refuses = said.category is Category.NO_SPONSORSHIP
        if visa is Visa.PERMANENT_RESIDENT:
            if refuses and said.stance(Visa.CITIZEN) is Stance.SPONSORED:
                return Answer(visa, Way.CLOSED, 0.0, ("it takes citizens only",))
            return Answer(visa, Way.OPEN, self.values.sponsored, (f"open to {name}",))
        words = f"nothing is said of {name}"
        if refuses:
            words += ", and it sponsors no visa"
        return Answer(visa, Way.ASK, self.values.own_permit_not_stated, (words,))

    def _needed(self, said: Said, visa: Visa) -> Iterator[ToDo]:
        """What the program asks for, and then what the law does."""
        for condition in said.on(visa):
            if condition.kind not in _NEEDS:
                continue
            if condition.kind is ConditionKind.ECFMG_CERTIFIED and self.profile.us_graduate:
                continue
            due = self.calendar.place(condition.by, self.season) if condition.by else None
            yield self._to_do(condition.kind, due)
        for rule in self.rules:
            if rule.requires is None or rule.by is None or visa not in rule.visas:
                continue
            if (rule.us_graduates_exempt and self.profile.us_graduate) or not self._holds(rule):
                continue
            kind, last = ConditionKind(rule.requires), self.season.event(rule.by).last
            yield ToDo(f"{_NEEDS[kind]} by {last}", kind, last, rule.id)

    def _holds(self, rule: Rule) -> bool:
        return rule.since <= self.today and not rule.ended(self.today)

    def _to_do(self, kind: ConditionKind, due: Deadline | None) -> ToDo:
        last = self.season.event(EventId.START).day
        day = due.day if due and due.day else last
        words = f"{_NEEDS[kind]} by {day}"
        if due and not due.sure:
            words += f' (its page says "{due.words}": ask)'
        return ToDo(words, kind, day)

    def _have(self, kind: ConditionKind) -> date | None:
        if kind is ConditionKind.STEP3_PASSED:
            return self.profile.passed_step3
        return self.profile.certified


_STATUS = {
    Visa.EAD: "an EAD",
    Visa.PERMANENT_RESIDENT: "permanent residents",
    Visa.CITIZEN: "citizens",
}


def klass(said: Said) -> Klass:
    """The class of a program; what is stale or in doubt is no class of its own, but a mark."""
    return _KLASSES.get(said.category, Klass.UNKNOWN) if said.seen else Klass.UNKNOWN


def shortest(to_do: Iterable[ToDo]) -> tuple[ToDo, ...]:
    """Of each thing the earliest deadline, which holds the others."""
    first: dict[ConditionKind, ToDo] = {}
    for one in sorted(to_do, key=lambda one: one.by):
        first.setdefault(one.kind, one)
    return tuple(first.values())


def _too_late(needed: ToDo, have: date | None, visa: Visa) -> str:
    plan = f"you plan it for {have}" if have else "you have no plan for it"
    who = "the law" if needed.rule else "it"
    return f"for the {visa} {who} asks for {needed.words}, and {plan}"
