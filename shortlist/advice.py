"""What to do next about a program, and how it stands, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from extractors.values import Stance, Visa
from shortlist.fit import Verdict, Way
from shortlist.letter import Letter, draft
from shortlist.target import Question, Target

_EVEN = 0.5  # a confidence below which a reading is more likely wrong than right
LONG_AGO = 60  # days


@dataclass(frozen=True, slots=True)
class Advice:
    """The next steps, the most pressing first; `letter` where the program should be asked."""

    steps: tuple[str, ...]
    letter: Letter | None


def why(target: Target) -> tuple[str, ...]:
    """Why a program stands where it does: for each visa that the applicant takes."""
    found = [words for answer in target.ranked.verdict.answers for words in answer.why]
    return tuple(dict.fromkeys(found))


def advise(question: Question, target: Target) -> Advice:
    """What the applicant should do next about this program."""
    steps = list(_to_have(target.ranked.verdict))
    reasons = tuple(_to_ask(target, question.now))
    letter = None
    if reasons:
        steps.append(f"ask its coordinator: {', '.join(reasons)}")
        letter = draft(
            question.known.letter, target.status.program, question.profile, question.season,
            _stances(target),
        )  # fmt: skip
    else:
        steps.append("read its page once more before you apply")
    return Advice(tuple(steps), letter)


def _to_have(verdict: Verdict) -> Iterator[str]:
    for answer in verdict.answers:
        other = "" if answer is verdict.best else f", for the {answer.visa}"
        for one in answer.to_do:
            yield f"have {one.words}" + (", as the law asks" if one.rule else "") + other


def _to_ask(target: Target, now: datetime) -> Iterator[str]:
    status, verdict = target.status, target.ranked.verdict
    if verdict.way is Way.ASK:
        yield verdict.best.why[0]
    if status.policy is None:
        return
    if status.stale:
        yield "its page could not be read for days"
    elif status.policy.needs_review:
        yield "its policy is in doubt"
    elif not target.confirmed and status.policy.confidence < _EVEN:
        yield "it may have been read wrongly"
    if status.as_of and (days := _days_since(status.as_of, now)) > LONG_AGO:
        yield f"its page was seen last {days} days ago"
    if any("ask)" in one.words for one in verdict.best.to_do):
        yield "by which day, in this season"


def _stances(target: Target) -> dict[Visa, Stance]:
    return dict(target.status.policy.stances) if target.status.policy else {}


def _days_since(stamp: str, now: datetime) -> int:
    return (now.astimezone(UTC) - datetime.fromisoformat(stamp)).days
