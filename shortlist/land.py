"""The rules of the land: what the nation adds to a program's policy, and never part of one."""

from __future__ import annotations

from dataclasses import dataclass as plain_dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict
from pydantic.dataclasses import dataclass

from extractors.values import Visa
from shortlist.calendar import EventId
from shortlist.data_files import checked, table
from shortlist.errors import DataError
from shortlist.profile import Profile, countries


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Rule:
    """One rule. `until` is its end by its own words: it may have been prolonged.

    With `requires` it asks something of every applicant on these visas, by an event's last day.
    `countries` are nationalities; none: all of them.
    """

    id: str
    title: str
    says: str
    visas: tuple[Visa, ...]
    since: date
    source: str
    seen: date
    until: date | None = None
    outside_us_only: bool = False
    countries: tuple[str, ...] = ()
    us_graduates_exempt: bool = False
    requires: Literal["step3_passed", "ecfmg_certified"] | None = None
    by: EventId | None = None

    def ended(self, today: date) -> bool:
        """Whether it is over by its own words."""
        return self.until is not None and self.until < today


@plain_dataclass(frozen=True, slots=True)
class Concern:
    """A rule that concerns somebody, or may; `because` says what that hangs on."""

    rule: Rule
    ended: bool
    because: str


@cache
def rules(folder: Path | None = None) -> tuple[Rule, ...]:
    """The rules of our file, or that of `folder`. Raises DataError."""
    where, data = table("land.toml", folder)
    found = tuple(checked(Rule, entry, where) for entry in data.get("rule", ()))
    for rule in found:
        if unknown := sorted(set(rule.countries) - set(countries())):
            raise DataError(f"{where}: rule {rule.id}: no such country: {', '.join(unknown)}")
        if (rule.requires is None) is not (rule.by is None):
            raise DataError(f"{where}: rule {rule.id}: requires and by go together")
    names = [rule.id for rule in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise DataError(f"{where}: twice: rule {', '.join(twice)}")
    return found


def concerning(profile: Profile, known: tuple[Rule, ...], today: date) -> tuple[Concern, ...]:
    """The rules that concern an applicant, or may: those that are in force first."""
    found = []
    for rule in known:
        if today < rule.since or not set(rule.visas) & set(profile.visas):
            continue
        if rule.us_graduates_exempt and profile.us_graduate:
            continue
        if rule.outside_us_only and profile.in_us:
            continue
        if rule.countries and profile.nationality not in (*rule.countries, ""):
            continue
        found.append(Concern(rule, rule.ended(today), _because(rule, profile)))
    return tuple(sorted(found, key=lambda concern: concern.ended))


def _because(rule: Rule, profile: Profile) -> str:
    visas = " or ".join(str(v) for v in rule.visas if v in profile.visas)
    hangs = []
    if rule.countries:
        hangs.append(
            f"for nationals of {profile.nationality}"
            if profile.nationality
            else "depends on your nationality, which the profile does not say"
        )
    if rule.outside_us_only and profile.in_us is None:
        hangs.append("for those outside the United States")
    return "; ".join([f"concerns the {visas}", *hangs])
