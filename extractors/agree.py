"""Two readers, one answer: what to make of the rules' word on a visa and the second reader's.

Rules know why and err where a page says it in a way that none of them lists; the second reader
knows many ways and cannot say why. Where they agree the answer is as good as sure. Where they do
not, the second reader decides if it is sure enough, and the rules if it is not; how sure it has
to be depends on what the rules' word rests on. How often which of them is right is weighed in
confidence.toml (`benchmarks.calibrate`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from extractors.second import STANCES
from extractors.stated import BESIDE, NAMED, Statement
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

    ALONE = "alone"  # it has no opinion, or none that counts against the rules'
    AGREES = "agrees"
    DOUBTS = "doubts"  # it says otherwise, and is not sure enough to decide
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


# The chance above which the second reader decides, by what the rules' word rests on. Where rules
# know no word, or only lean to one, its likeliest word is right more often than theirs (counted on
# passages that neither was made with). Where they found it said, it has to be sure; and so it has
# where it hears a contradiction, which is rarer on pages than in passages. Where nothing names the
# visa, on the page or in its window, one half is too little: most pages say nothing.
_DECIDES_ABOVE = {
    Ground.NOT_NAMED: 0.9,
    Ground.NAMED: 0.5,
    Ground.LEANT: 0.5,
    Ground.MILD: 0.5,
    Ground.GENERAL: SURE,
    Ground.IMPLIED: SURE,
    Ground.EXPLICIT: SURE,
    Ground.OVERRULED: SURE,
    Ground.CONFLICT: SURE,
}
_UNNAMED_ABOVE = 0.9
_HEARD = 0.6  # a window less sure than this is no proof beside a surer one


def opinion(heard: Sequence[Sequence[tuple[object, Statement]]]) -> Opinion | None:
    """One opinion of several pages' statements on one visa, each with how closely it speaks.

    Of those that state something the closest decide, and of these the surest; windows that state
    nothing are heard only where all do. Pages that surely say different things contradict each
    other, as they do by the rules. None for no statements.
    """
    every = [pair for page in heard for pair in page]
    if not every:
        return None
    said = [rank for rank, one in every if one.stance is not Stance.UNSTATED]
    if not said:
        least = min((one for _, one in every), key=_chance)
        return Opinion(Stance.UNSTATED, _chance(least), ())
    close = max(said)  # type: ignore[type-var]
    nearest = [
        [one for rank, one in page if one.stance is not Stance.UNSTATED and rank == close]
        for page in heard
    ]
    if any(NAMED in one.rules and _chance(one) > SURE for page in nearest for one in page):
        # What is said of the other visa implies less than what is said of this one.
        nearest = [[one for one in page if BESIDE not in one.rules] for page in nearest]
    sure = [word for page in nearest if page and (word := _word(page)).chance > SURE]
    kinds = {word.stance for word in sure}
    if len(kinds) > 1 and kinds != {Stance.SPONSORED, Stance.CONDITIONAL}:
        deciding = tuple(one for word in sure for one in word.deciding)
        return Opinion(Stance.CONFLICTING, min(word.chance for word in sure), deciding)
    return _word([one for page in nearest for one in page])


def _word(said: Sequence[Statement]) -> Opinion:
    """What statements come to that speak equally closely."""
    chances = {one.stance: _chance(one) for one in sorted(said, key=_chance)}
    best = max(chances, key=lambda stance: chances[stance])
    sure = {stance for stance, chance in chances.items() if chance > SURE}
    against = 0.0
    if Stance.CONDITIONAL in sure:
        best = Stance.CONDITIONAL  # it tells more than yes or no, and agrees with either
    elif len(sure) > 1:
        return Opinion(
            Stance.CONFLICTING,
            min(chances[stance] for stance in sure),
            tuple(one for one in said if _chance(one) > SURE),
        )
    else:
        against = max((c for stance, c in chances.items() if stance is not best), default=0.0)
    same = tuple(one for one in said if one.stance is best and _chance(one) > _HEARD)
    first = next(one for one in said if one.stance is best and _chance(one) == chances[best])
    return Opinion(best, chances[best] * (1 - against), same or (first,))


def accord(ground: Ground, stance: Stance, second: Opinion | None) -> Accord:
    """Whether the second reader agrees with the rules' `stance`, and if not, who decides."""
    if second is None:
        return Accord.ALONE
    if second.stance is stance:
        return Accord.AGREES
    enough = _DECIDES_ABOVE[ground] if second.names else _UNNAMED_ABOVE
    if second.stance is Stance.CONFLICTING:
        enough = max(enough, SURE)
    # Rules that found "case by case" found it said; the second reader may have overheard it.
    overheard = stance is Stance.CONDITIONAL and second.stance is Stance.SPONSORED
    return Accord.DECIDES if second.chance > enough and not overheard else Accord.DOUBTS


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
