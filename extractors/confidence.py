"""How sure a policy is: a table of what became of policies of the same kind.

`confidence.toml` counts, for each kind, how many of the labelled passages were read rightly and
wrongly (`python -m benchmarks.calibrate`). Nothing here is set by hand but the threshold.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

from extractors.readings import Strength
from extractors.values import Stance

REVIEW_BELOW = 0.5
_FILE = Path(__file__).parent / "confidence.toml"


class Kind(StrEnum):
    """What a policy rests on, as far as it tells how often such a policy is right."""

    NOT_SPOKEN_OF = "not_spoken_of"  # no sentence names a visa
    SILENT = "silent"  # visas are named, and nothing is read of them
    LEANT = "leant"  # a visa is stated by the words around it alone
    ONE_VISA = "one_visa"  # the other is not named
    OTHER_NAMED = "other_named"  # one visa is stated, and the other named, but not what of it
    OTHER_UNREAD = "other_unread"  # the same, beside words of sponsoring
    CONFLICT = "conflict"
    PARTLY = "partly"  # "no visas" decides on a visa of which a sentence was not understood
    OVERRULED = "overruled"  # a statement that counts less says otherwise
    GENERAL = "general"  # both visas, by "no visas"
    HINTED = "hinted"  # both visas, one by a mild statement or an "only"
    EXPLICIT = "explicit"  # both visas, in so many words


@dataclass(frozen=True, slots=True)
class Ground:
    """What one visa's stance rests on."""

    stance: Stance = Stance.UNSTATED
    strength: Strength = Strength.MILD
    overruled: bool = False
    named: bool = False  # in a sentence that was not understood
    leant: bool = False  # by the words around it, and no phrase
    sponsoring: bool = False  # and that speaks of sponsoring


def kind_of(j1: Ground, h1b: Ground, *, spoken: bool) -> Kind:
    """The kind of a policy, by the grounds of its two visas."""
    both = (j1, h1b)
    stated = [g for g in both if g.stance is not Stance.UNSTATED]
    if any(g.stance is Stance.CONFLICTING for g in both):
        return Kind.CONFLICT
    if not stated:
        return Kind.SILENT if spoken else Kind.NOT_SPOKEN_OF
    if any(g.leant for g in stated):
        return Kind.LEANT
    if len(stated) == 1:
        other = h1b if stated[0] is j1 else j1
        if other.sponsoring:
            return Kind.OTHER_UNREAD
        return Kind.OTHER_NAMED if other.named else Kind.ONE_VISA
    if any(g.sponsoring and g.strength is Strength.GENERAL for g in both):
        return Kind.PARTLY
    if any(g.overruled for g in both):
        return Kind.OVERRULED
    strengths = {g.strength for g in both}
    if strengths == {Strength.EXPLICIT}:
        return Kind.EXPLICIT
    return Kind.GENERAL if Strength.GENERAL in strengths else Kind.HINTED


def confidence(kind: Kind) -> float:
    """The share of policies of this kind that were right."""
    right, wrong = table().get(kind, (0, 0))
    return round((right + 1) / (right + wrong + 2), 2)


@cache
def table() -> Mapping[Kind, tuple[int, int]]:
    """By kind, how many labelled passages were read rightly and wrongly."""
    data = tomllib.loads(_FILE.read_text("utf-8"))
    return {Kind(name): (row["right"], row["wrong"]) for name, row in data["kind"].items()}
