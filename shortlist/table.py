"""All watched programs in columns: what is asked of each of them is asked of all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from monitor.taken_back import BY_ITSELF
from shortlist.profile import in_places
from shortlist.said import Said, read
from shortlist.weights import Numbers
from store import standings
from store.database import Store
from store.standings import Fact

Places = NDArray[np.intp]  # of programs in the table
Flags = NDArray[np.bool_]  # one for each program

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, eq=False)
class Column(Generic[_Value]):
    """A value of each program. 13,000 programs share a few dozen: each is looked at once."""

    values: tuple[_Value, ...]
    which: Places  # of the values, by program

    def flags(self, of: Callable[[_Value], bool]) -> Flags:
        """What a question about its value answers for each program."""
        return np.array([of(value) for value in self.values], np.bool_)[self.which]

    def numbers(self, of: Callable[[_Value], float]) -> Numbers:
        """The same for a question with a number for an answer."""
        return np.array([of(value) for value in self.values], np.float64)[self.which]

    def counted(self, among: Flags) -> list[tuple[_Value, int]]:
        """The values that these programs have, each with how many have it."""
        counts = np.bincount(self.which[among], minlength=len(self.values))
        return [(value, int(n)) for value, n in zip(self.values, counts, strict=True) if n]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """All programs by name. `confirmed` are those whose policy a maintainer has decided on."""

    facts: tuple[Fact, ...]
    names: NDArray[np.object_]  # the ids
    confirmed: frozenset[str]
    said: Column[Said]
    level: Column[str]
    specialty: Column[str]
    place: Column[tuple[str, str]]  # state and city
    sure: Numbers  # 1 if confirmed, 0 if in doubt, else the confidence
    checked: Numbers  # when its pages were seen, in seconds since 1970; NaN: never

    def ids(self, chosen: Flags) -> tuple[str, ...]:
        """The ids of some programs, by name."""
        return tuple(self.names[chosen].tolist())

    def within(self, places: Sequence[str]) -> Flags:
        """The programs in these places; none for none."""
        if not places:
            return np.zeros(len(self.facts), np.bool_)
        holds = in_places(places)
        return self.place.flags(lambda place: holds(*place))


def table(store: Store) -> Table:
    """The table of what stands now; it is kept while nothing is written to the database."""
    return store.once("table of programs", lambda: _table(store))


def _table(store: Store) -> Table:
    facts = tuple(sorted(standings.facts(store), key=lambda fact: (fact[1], fact[0])))
    confirmed = standings.confirmed(store, but_by=BY_ITSELF)
    said = _column(fact[6] for fact in facts)
    return Table(
        facts,
        np.array([fact[0] for fact in facts], np.object_),
        confirmed,
        Column(tuple(map(read, said.values)), said.which),
        _column(fact[3] for fact in facts),
        _column(fact[2] for fact in facts),
        _column((fact[4], fact[5]) for fact in facts),
        np.array([1.0 if f[0] in confirmed else 0.0 if f[8] else f[7] for f in facts], np.float64),
        np.array([fact[9] or np.nan for fact in facts], np.float64),
    )


def _column(found: Iterable[_Value]) -> Column[_Value]:
    numbers: dict[_Value, int] = {}
    which = [numbers.setdefault(value, len(numbers)) for value in found]
    return Column(tuple(numbers), np.array(which, np.intp))
