"""How sure a policy is: the chance that an answer is right which rests on what this one does.

`confidence.toml` weighs the signs that an answer gives of itself: what the rules' word rests on,
how the second reader stands to it, how sure that one is, and what the answer is. The weights are
those of a logistic regression on labelled passages that neither reader was made with
(`python -m benchmarks.calibrate`). Nothing here is set by hand but the threshold.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from extractors.agree import Accord, Ground
from extractors.values import Stance

REVIEW_BELOW = 0.42
_FILE = Path(__file__).parent / "confidence.toml"
_LEAST = 1e-4  # of a chance and what it lacks of 1: one that is rounded to 0 or 1 is not certain


@dataclass(frozen=True, slots=True)
class Basis:
    """What the `answer` on one visa rests on.

    `chance` is how likely the second reader takes its own word to be, which is `instead` where it
    is not the answer; `names` says whether that word rests on a sentence which names the visa.
    """

    ground: Ground
    accord: Accord
    answer: Stance
    chance: float = 1.0
    instead: Stance | None = None
    names: bool = True


def confidence(bases: Iterable[Basis]) -> float:
    """The chance that the answers on all these visas are right, between 0 and 1."""
    sure = 1.0
    for basis in bases:
        sure *= share(basis)
    return round(sure, 2)


def share(basis: Basis) -> float:
    """The chance that the answer on one visa is right which rests on this, between 0 and 1."""
    known = weights()
    return 1 / (1 + math.exp(-sum(known.get(sign, 0.0) * x for sign, x in signs(basis).items())))


def signs(basis: Basis) -> dict[str, float]:
    """What an answer shows of itself, by the names of the weights; all others are 0."""
    found = {"any": 1.0, f"ground {basis.ground}": 1.0, f"answer {basis.answer}": 1.0}
    found[f"reader {basis.accord}"] = 1.0
    if basis.accord is not Accord.ALONE:
        odds = math.log((basis.chance + _LEAST) / (1 - basis.chance + _LEAST))
        found[f"reader {basis.accord}, odds"] = odds
        if not basis.names:
            found["reader names no visa"] = 1.0
    if basis.instead is not None:
        found[f"reader says {basis.instead}"] = 1.0
    return found


@cache
def weights() -> Mapping[str, float]:
    """The weight of each sign, in log odds."""
    data: dict[str, float] = tomllib.loads(_FILE.read_text("utf-8"))["weights"]
    return data
