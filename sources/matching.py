"""Which watched program a row of somebody else's table is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process, utils

from extractors.rulebook import rulebook
from store.records import Program

LEAST = 0.90  # the confidence below which a name is no match
LEAD = 0.04  # by how much the best must lead the second


@dataclass(frozen=True, slots=True)
class Sought:
    """A program as another table has it; what is empty is not known."""

    acgme_id: str = ""
    institution: str = ""
    specialty: str = ""
    city: str = ""
    state: str = ""

    def __str__(self) -> str:
        named = (self.acgme_id, self.institution, self.specialty, self.city, self.state)
        return ", ".join(filter(None, named))


@dataclass(frozen=True, slots=True)
class Match:
    """The program that is meant, and how sure that is: 1 when its number says so."""

    program: Program
    confidence: float
    by_id: bool


@dataclass(frozen=True, slots=True)
class Unmatched:
    """Why no program is meant, in words."""

    reason: str


class Watchlist:
    """Programs, each to be found by what another table says of it."""

    def __init__(self, watched: Iterable[Program]) -> None:
        """Sorts them by number and specialty once, so that a long table is read in its length."""
        self._numbered: dict[str, list[Program]] = defaultdict(list)
        self._trained: dict[frozenset[str], list[Program]] = defaultdict(list)
        for program in watched:
            self._numbered[_digits(program.acgme_id)].append(program)
            self._trained[_called(program.specialty)].append(program)

    def match(self, sought: Sought) -> Match | Unmatched:
        """Finds a program by its ACGME ID, or else by its names.

        By name its specialty must be the same, its state and city must not be others, and one must
        lead all others clearly. A number that is another program's number is not overruled by a
        name.
        """
        number = _digits(sought.acgme_id)
        if number and (same := self._numbered.get(number)):
            if len(same) == 1:
                return Match(same[0], 1.0, by_id=True)
            ids = ", ".join(p.program_id for p in same)
            return Unmatched(f"several programs have the ACGME ID {sought.acgme_id}: {ids}")
        if not sought.institution or not sought.specialty:
            missing = "no program has its ACGME ID" if number else "it has no ACGME ID"
            return Unmatched(f"{missing}, and to match it by name takes institution and specialty")
        fits = [
            program
            for program in self._trained.get(_called(sought.specialty), ())
            if _may_be(sought, program) and not (number and _digits(program.acgme_id))
        ]
        return _by_name(sought, fits)


def _by_name(sought: Sought, fits: Sequence[Program]) -> Match | Unmatched:
    if not fits:
        return Unmatched("no program of this specialty and place is watched")
    names = [p.institution for p in fits]
    found = process.extract(
        sought.institution, names, scorer=fuzz.token_sort_ratio, processor=utils.default_process,
        limit=2,
    )  # fmt: skip
    (_, score, place), *others = found
    best, sure = fits[place], round(score / 100, 2)
    if sure < LEAST:
        return Unmatched(
            f"the nearest name is {best.program_id} ({sure:.2f}), which is too far off"
        )
    if others and others[0][1] / 100 > sure - LEAD:
        second = fits[others[0][2]]
        return Unmatched(f"it may be {best.program_id} or {second.program_id}: give its ACGME ID")
    return Match(best, sure, by_id=False)


def _may_be(sought: Sought, program: Program) -> bool:
    """Whether the places do not contradict each other."""
    pairs = ((sought.state, program.state), (sought.city, program.city))
    return all(not a or not b or a.casefold() == b.casefold() for a, b in pairs)


@lru_cache(maxsize=4096)
def _called(specialty: str) -> frozenset[str]:
    return rulebook().specialties.called(specialty)


def _digits(number: str) -> str:
    return "".join(c for c in number if c.isdecimal())
