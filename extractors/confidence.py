"""How sure a policy is: a table of what became of answers that rested on the same.

`confidence.toml` counts, for what the rules' word on a visa rests on and how the second reader
stands to it, how many answers were right and wrong on labelled passages that neither was made
with (`python -m benchmarks.calibrate`). Nothing here is set by hand but the threshold.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from extractors.agree import Accord, Ground

REVIEW_BELOW = 0.47
_FILE = Path(__file__).parent / "confidence.toml"
_PRIOR = 2.0  # answers of the same accord, whatever their ground, that a new cell starts with


@dataclass(frozen=True, slots=True)
class Basis:
    """What the answer on one visa rests on."""

    ground: Ground
    accord: Accord


def confidence(bases: Iterable[Basis]) -> float:
    """The chance that the answers on all these visas are right, between 0 and 1."""
    sure = 1.0
    for basis in bases:
        sure *= share(basis)
    return round(sure, 2)


def share(basis: Basis) -> float:
    """The share of answers on one visa that were right when they rested on this.

    A cell with few answers leans on all those of its accord.
    """
    counts = table()
    alike = [count for other, count in counts.items() if other.accord is basis.accord]
    all_right, all_wrong = (sum(count[n] for count in alike) for n in (0, 1))
    usual = (all_right + 1) / (all_right + all_wrong + 2)
    right, wrong = counts.get(basis, (0, 0))
    return (right + _PRIOR * usual) / (right + wrong + _PRIOR)


@cache
def table() -> Mapping[Basis, tuple[int, int]]:
    """By basis, how many answers on labelled passages were right and wrong."""
    data = tomllib.loads(_FILE.read_text("utf-8"))
    return {
        Basis(Ground(ground), Accord(accord)): (row["right"], row["wrong"])
        for ground, accords in data.items()
        for accord, row in accords.items()
    }
