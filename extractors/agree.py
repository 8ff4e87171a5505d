"""Two readers, one answer: what to make of the rules' word on a visa and the second reader's.

Rules know why and err where a page says it in a way that none of them lists; the second reader
knows many ways and cannot say why. Where they agree the answer is as good as sure. Where they do
not, rules that found it said in so many words decide, and the second reader, if it is sure, where
rules only leaned or heard nothing. How often each is right is counted in confidence.toml
(`benchmarks.calibrate`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from extractors.second import STANCES
from extractors.stated import NAMED, Statement
from extractors.values import Stance

SURE = 0.95  # a chance above which the second reader is as good as sure


class Ground(StrEnum):
    """What the rules' word on one visa rests on."""

    NOT_NAMED = "not_named"  # no sentence names the visa
    NAMED = "named"  # one does, and no rule knows what it says
    LEANT = "leant"  # by the words around it, and no phrase
    MILD = "mild"  # "must hold a J-1"
    GENERAL = "general"  # "no visas"
    IMPLIED = "implied"  # "J-1 only", of the H-1B
    EXPLICIT = "explicit"  # in so many words
    OVERRULED = "overruled"  # the same, and another statement says otherwise
    CONFLICT = "conflict"  # equals that disagree


class Accord(StrEnum):
    """How the second reader's opinion stands to the rules' word."""

    ALONE = "alone"  # it has no opinion: nothing on the page is about visas
    AGREES = "agrees"
    UNSURE = "unsure"  # it agrees, and is not sure itself
    DOUBTS = "doubts"  # it says otherwise, without being sure
    DENIES = "denies"  # it says otherwise, and is sure, but the rules decide
    DECIDES = "decides"  # it says otherwise, and decides


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the second reader makes of all windows that speak to the asker of one visa."""

    stance: Stance
    chance: float
    deciding: tuple[Statement, ...]

    @property
    def names(self) -> bool:
        """Whether it rests on a window that names the visa: what only implies it is not enough."""
        return not self.deciding or any(NAMED in one.rules for one in self.deciding)


# The chance above which the second reader decides, by what the rules' word rests on. What rules
# found said in so many words stands: they read a sentence the same wherever it stands, and a
# page that changes around it must not change the policy. Of a visa that no sentence names nothing
# is taken from it: "Apply through ERAS only", beside a J-1, would refuse the H-1B.
_DECIDES_ABOVE = {
    Ground.LEANT: 0.95,
    Ground.NAMED: 0.993,
}
_HEARD = 0.6  # a window less sure than this is no proof beside a surer one


def opinion(heard: Sequence[tuple[object, Statement]]) -> Opinion | None:
    """One opinion of several statements on one visa, each with how closely it speaks to the asker.

    Of those that state something the closest decide, and of these the surest; windows that state
    nothing are heard only where all do. None for no statements.
    """
    if not heard:
        return None
    said = [pair for pair in heard if pair[1].stance is not Stance.UNSTATED]
    if not said:
        least = min((one for _, one in heard), key=_chance)
        return Opinion(Stance.UNSTATED, _chance(least), ())
    close = max(pair[0] for pair in said)  # type: ignore[type-var]
    nearest = [one for rank, one in said if rank == close]
    best = max(nearest, key=_chance)
    against = max((_chance(one) for one in nearest if one.stance is not best.stance), default=0.0)
    same = tuple(one for one in nearest if one.stance is best.stance and _chance(one) > _HEARD)
    return Opinion(best.stance, _chance(best) * (1 - against), same or (best,))


def accord(ground: Ground, stance: Stance, second: Opinion | None) -> Accord:
    """Whether the second reader agrees with the rules' `stance`, and if not, who decides."""
    if second is None:
        return Accord.ALONE
    if second.stance is stance:
        return Accord.AGREES if second.chance > SURE else Accord.UNSURE
    # "Fellows may also have the H-1B": what is meant beside what is said, rules have by heart.
    open_ = second.stance is not Stance.UNSTATED or ground is Ground.LEANT
    if open_ and second.names and second.chance > _DECIDES_ABOVE.get(ground, 1):
        return Accord.DECIDES
    return Accord.DENIES if second.chance > SURE else Accord.DOUBTS


def speaks(statement: Statement) -> bool:
    """Whether a policy may rest on it: it has a stance, and the second reader's is no guess."""
    return statement.stance is not Stance.UNSTATED and (
        not statement.chances or _chance(statement) > SURE
    )


def states_something(statements: Sequence[Statement]) -> bool:
    """Whether a page says a word on any visa, be it for whomever."""
    return any(map(speaks, statements))


def _chance(statement: Statement) -> float:
    return statement.chances[STANCES.index(statement.stance)]
