"""Who asks: the facts about an applicant that policies and rules turn on, and what matters to them.

A profile comes from a file (TOML or JSON), the command line or a form, through `profile()`, which
names every fault at once. It holds no name and no address, and is never stored.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from extractors.values import Visa
from shortlist import data_files
from shortlist.errors import ProfileError
from store.states import NAMES

MOST_APPLICATIONS = 500


class Wants(StrEnum):
    """On which visa somebody would train; the last three need none."""

    J1 = "J-1"
    H1B = "H-1B"
    EITHER = "either"
    EAD = "EAD"
    PERMANENT_RESIDENT = "permanent_resident"
    CITIZEN = "citizen"


VISAS = {
    Wants.J1: (Visa.J1,),
    Wants.H1B: (Visa.H1B,),
    Wants.EITHER: (Visa.J1, Visa.H1B),
    Wants.EAD: (Visa.EAD,),
    Wants.PERMANENT_RESIDENT: (Visa.PERMANENT_RESIDENT,),
    Wants.CITIZEN: (Visa.CITIZEN,),
}
_LETTERS = {name.lower(): letters for letters, name in NAMES.items()}


def _milestone(done: str) -> BeforeValidator:
    def check(value: object) -> object:
        if isinstance(value, date) or value in (done, "no"):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            raise ValueError(
                f"'{value}' is none of: {done}, no, or the planned day as 2026-12-15"
            ) from None

    return BeforeValidator(check)


def _place(value: object) -> object:
    """`ma`, `Massachusetts` as `MA`; `boston, ma` as `Boston, MA`."""
    if not isinstance(value, str):
        return value
    city, comma, state = value.rpartition(",")
    state = state.strip()
    letters = state.upper() if state.upper() in NAMES else _LETTERS.get(state.lower())
    if letters is None:
        raise ValueError(f"'{value}' is no state; write MA, Massachusetts or Boston, MA")
    return f"{' '.join(city.split())}, {letters}" if comma else letters


def _nationality(value: object) -> object:
    if not isinstance(value, str) or not value:
        return value
    known = {country.lower(): country for country in countries()}
    if value.strip().lower() not in known:
        raise ValueError(
            f"'{value}' is not among the countries in shortlist/data/countries.txt; leave it out, "
            "or write the name as it is there"
        )
    return known[value.strip().lower()]


Milestone = Annotated[date | str, _milestone("passed")]
Certificate = Annotated[date | str, _milestone("certified")]
Place = Annotated[str, BeforeValidator(_place)]
_Words = Annotated[str, Field(min_length=1, max_length=100)]


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Profile:
    """An applicant. Only `visa` must be given.

    `step3` and `ecfmg` are "passed" or "certified", "no" for no plan, or the planned day.
    `places` are the only ones that count, `near` those that are preferred; a place is a state's
    letters, or a city with them. `in_us` is None when it is not said. `graduated` and `scores` are
    part of no visa policy and rank nothing: drafted mails ask whether there is a limit on them.
    """

    visa: Wants
    prefers: Literal["", "J-1", "H-1B"] = ""
    step3: Milestone = "no"
    ecfmg: Certificate = "certified"
    us_graduate: bool = False
    holds_h1b: bool = False
    in_us: bool | None = None
    nationality: Annotated[str, BeforeValidator(_nationality)] = ""
    level: Literal["residency", "fellowship", "any"] = "residency"
    specialties: tuple[_Words, ...] = ()
    places: tuple[Place, ...] = ()
    near: tuple[Place, ...] = ()
    graduated: Annotated[int, Field(ge=1950, le=2100)] | None = None
    scores: Mapping[str, Annotated[int, Field(ge=0, le=300)]] = field(default_factory=dict)
    applications: Annotated[int, Field(ge=1, le=MOST_APPLICATIONS)] = 40
    weights: Mapping[str, Annotated[int, Field(ge=0, le=10)]] = field(default_factory=dict)

    @property
    def visas(self) -> tuple[Visa, ...]:
        """What they would train on; a status counts as one."""
        return VISAS[self.visa]

    @property
    def passed_step3(self) -> date | None:
        """On which day Step 3 is passed: long ago, some day, or None for no plan."""
        return _day(self.step3, "passed")

    @property
    def certified(self) -> date | None:
        """The same of the ECFMG certificate."""
        return _day(self.ecfmg, "certified")


_PROFILE = TypeAdapter(Profile)


def profile(values: Mapping[str, Any], where: str = "profile") -> Profile:
    """The profile that these values make. Raises ProfileError with every fault."""
    from shortlist.weights import scale  # which needs what a profile is

    try:
        made = _PROFILE.validate_python(values)
    except ValidationError as error:
        raise ProfileError(where, tuple(_fault(e) for e in error.errors())) from error
    names = [part.id for part in scale().parts]
    faults = [
        (f"weights.{name}", f"there is no such weight; there are {', '.join(names)}")
        for name in made.weights
        if name not in names
    ]
    if made.prefers and made.visa is not Wants.EITHER:
        faults.append(("prefers", f"says something only with visa = either, not {made.visa}"))
    if faults:
        raise ProfileError(where, tuple(faults))
    return made


def values_in(path: Path) -> dict[str, Any]:
    """What a profile's file says: TOML, or JSON where its name ends so. Raises ProfileError."""
    try:
        text = data_files.bounded(path)
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise ProfileError("profile", ((str(path), f"cannot be read: {words}"),)) from error
    try:
        values = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
        raise ProfileError("profile", ((str(path), f"not valid {kind}: {error}"),)) from error
    if not isinstance(values, dict):
        raise ProfileError("profile", ((str(path), "a profile is a table of names and values"),))
    return values


@cache
def countries() -> tuple[str, ...]:
    """The countries that a nationality can be of, by name."""
    return tuple(data_files.text("countries.txt", None).split("\n"))[:-1]


def in_places(places: Sequence[str]) -> Callable[[str, str], bool]:
    """Tells of a state and a city whether one of the places has it in it."""
    states, cities = frozenset(places), frozenset(place.lower() for place in places)
    return lambda state, city: state in states or f"{city}, {state}".lower() in cities


def _day(value: date | str, done: str) -> date | None:
    if isinstance(value, date):
        return value
    return date.min if value == done else None


def _fault(error: Any) -> tuple[str, str]:
    name = ".".join(str(part) for part in error["loc"] if not str(part).startswith("function"))
    if error["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        known = ", ".join(Profile.__dataclass_fields__)
        return name, f"there is no such thing in a profile; there are {known}"
    if error["type"] in ("missing", "missing_argument"):
        return name, f"must be given: {', '.join(Wants)}"
    return name, error["msg"].removeprefix("Value error, ")
