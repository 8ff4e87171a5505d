"""The table of weights (weights.toml): what evidence weighs, by its channel and its age."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from monitor.timeline import season
from sources.values import Age, Channel, Evidence


class WeightsError(ValueError):
    """A table of weights that cannot be used, and why."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One channel's row of the table."""

    fresh_days: int
    fresh: float
    season: float
    last: float
    older: float
    last_word: bool = True
    coarse: bool = False

    def of(self, age: Age) -> float:
        """What evidence of that age weighs; 0: it does not count."""
        return {
            Age.FRESH: self.fresh,
            Age.SEASON: self.season,
            Age.LAST: self.last,
            Age.OLDER: self.older,
            Age.AHEAD: 0.0,
        }[age]


Table = Mapping[Channel, Weights]


@cache
def table() -> Table:
    """The table that ships. Raises WeightsError."""
    return read((files("sources") / "weights.toml").read_text("utf-8"))


def read(text: str) -> Table:
    """The table in a TOML text; raises WeightsError for one that is incomplete or ambiguous."""
    data: dict[str, Any] = tomllib.loads(text)
    if wrong := set(data) ^ set(Channel):
        raise WeightsError(f"weights: one row for each channel, but not so: {', '.join(wrong)}")
    known = {field.name for field in fields(Weights)}
    found: dict[Channel, Weights] = {}
    for channel in Channel:
        row = data[channel]
        if unknown := set(row) - known:
            raise WeightsError(f"weights.{channel}: unknown key {', '.join(sorted(unknown))}")
        try:
            found[channel] = weights = Weights(**row)
        except TypeError as error:
            raise WeightsError(f"weights.{channel}: {error}") from error
        by_age = [weights.fresh, weights.season, weights.last, weights.older]
        if by_age != sorted(by_age, reverse=True) or not 0 <= by_age[-1] <= by_age[0] < 1:
            raise WeightsError(f"weights.{channel}: from 1 down to 0, and never more with age")
    every = [w for row in found.values() for w in (row.fresh, row.season, row.last, row.older) if w]
    if len(every) != len(set(every)):
        raise WeightsError("weights: two are the same, so nothing says which of them decides")
    return found


def age(evidence: Evidence, today: date, weights: Weights) -> Age:
    """How old evidence is on a day. What is dated after it counts as fresh: clocks differ."""
    this = season(today.isoformat())
    if evidence.season > this:
        return Age.AHEAD
    if evidence.season == this:
        days = (today - date.fromisoformat(evidence.at[:10])).days
        return Age.FRESH if days <= weights.fresh_days else Age.SEASON
    return Age.LAST if evidence.season == this - 1 else Age.OLDER
