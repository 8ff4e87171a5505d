"""What is read in one sentence: claims on visas, demands on claims, and what stays open."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise

from extractors.conditions import ConditionKind
from extractors.reading_text import Mention, ReadingText
from extractors.rulebook import Hit, RuleKind
from extractors.values import Stance, Visa

STATUSES = (Visa.CITIZEN, Visa.PERMANENT_RESIDENT)


LEANT = "leant"  # in `rules`: no phrase said so, only the words around


class Strength(IntEnum):
    """How a claim is made; the stronger decides."""

    MILD = 1  # "must hold a J-1": not said in so many words
    GENERAL = 2  # "we sponsor no visas": of all, not of this one
    IMPLIED = 3  # "J-1 only": of H-1B by silence
    EXPLICIT = 4  # "H-1B is not sponsored"


@dataclass(frozen=True, slots=True)
class Claim:
    """One visa (or ANY, OTHER), what is said of it, how, and the rules that fired."""

    visa: str
    stance: Stance
    strength: Strength
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Demand:
    """A condition with the visas it is put on; none when the sentence names none."""

    kind: ConditionKind
    visas: tuple[str, ...]
    rule: str
    start: int
    end: int


@dataclass(slots=True)
class Reading:
    """All that is read in one sentence."""

    text: ReadingText
    claims: list[Claim] = field(default_factory=list)
    demands: list[Demand] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    unclaimed: list[Mention] = field(default_factory=list)
    answer: Stance | None = None
    others: bool = False  # about scholars, observers, faculty
    trainees: bool = False
    stance: Stance | None = None  # of the cues, whatever visas they speak of
    leans_back: bool = False  # "this", "such requests": speaks of what was said before
    citizens: tuple[str, ...] = ()  # rules that say: citizens only
    leftover: int = 0  # words that no rule knows
    hits: list[Hit] = field(default_factory=list)  # of all rules, for whoever asks why
    live: list[Hit] = field(default_factory=list)  # those of them that count
    clauses: list[Clause] = field(default_factory=list)

    @property
    def aside(self) -> bool:
        """Whether it speaks of moonlighting, waivers, papers: of what is not sponsoring."""
        return any(h.rule.kind is RuleKind.ASIDE for h in self.hits)

    @property
    def visas(self) -> tuple[str, ...]:
        """The visas named, each once."""
        return tuple(dict.fromkeys(m.visa for m in self.mentions))


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch between two turns, with the visas and the cues in it."""

    start: int
    end: int
    mentions: tuple[Mention, ...]
    cues: tuple[Hit, ...]


def stretches(text: str, clause: Clause) -> list[tuple[int, int]]:
    """For each visa of a clause the part that speaks of it: up to a comma or "and" before the
    next, where the two are not listed side by side."""
    cuts = [clause.start]
    group = [0][: len(clause.mentions)]  # for each mention, the number of its part
    for before, after in pairwise(clause.mentions):
        between = text[before.end : after.start].lower()
        if between.strip(" ,") not in _JOINS:
            cut = max(between.rfind(","), between.rfind(" and "))
            if cut >= 0:
                cuts.append(before.end + cut)
        group.append(len(cuts) - 1)
    ends = [*cuts[1:], clause.end]
    return [(cuts[number], ends[number]) for number in group]


_JOINS = frozenset(("", "and", "or", "and/or", "/", "&", "as well as", "plus", "nor"))
