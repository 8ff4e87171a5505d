"""The parts of the score, their weights and values, as shortlist/data/weights.toml has them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from shortlist.data_files import checked, table
from shortlist.errors import DataError

PartId = Literal["visa", "ready", "second", "sure", "fresh", "near"]
PARTS: tuple[PartId, ...] = ("visa", "ready", "second", "sure", "fresh", "near")
Numbers = NDArray[np.float64]
_STRICT = ConfigDict(extra="forbid")
_Share = Annotated[float, Field(ge=0, le=1)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Part:
    """One thing that the score is made of; `weight` is from 0 to 10."""

    id: PartId
    name: str
    says: str
    weight: Annotated[int, Field(ge=0, le=10)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Values:
    """What the parts are worth, each from 0 to 1."""

    sponsored: _Share
    case_by_case: _Share
    exceptional: _Share
    not_stated: _Share
    own_permit_not_stated: _Share
    other_preferred: _Share
    not_your_preference: _Share
    to_do: _Share
    fresh_days: Annotated[int, Field(ge=0)]
    stale_days: Annotated[int, Field(gt=0)]


@dataclass(frozen=True, slots=True, config=_STRICT)
class Scale:
    """All of it."""

    parts: tuple[Part, ...]
    values: Values

    def weights(self, wanted: Mapping[str, int]) -> dict[PartId, int]:
        """The weight of each part, by what somebody wants, else as the file has it."""
        return {part.id: wanted.get(part.id, part.weight) for part in self.parts}

    def fresh(self, days: Numbers) -> Numbers:
        """What policies are worth that were seen so many days ago; NaN: never."""
        start, end = self.values.fresh_days, self.values.stale_days
        return np.nan_to_num(np.clip((end - days) / (end - start), 0.0, 1.0))

    def fresh_after(self, days: float) -> float:
        """The same for one policy, for which an array would take longer than all else."""
        start, end = self.values.fresh_days, self.values.stale_days
        return min(max((end - days) / (end - start), 0.0), 1.0)


@cache
def scale(folder: Path | None = None) -> Scale:
    """The parts and values of our file, or that of `folder`. Raises DataError."""
    where, data = table("weights.toml", folder)
    found = checked(Scale, {"parts": data.get("part", ()), "values": data.get("values", {})}, where)
    if sorted(part.id for part in found.parts) != sorted(PARTS):
        raise DataError(f"{where}: there must be one part each of {', '.join(PARTS)}")
    if found.values.stale_days <= found.values.fresh_days:
        raise DataError(f"{where}: stale_days must be more than fresh_days")
    return found
