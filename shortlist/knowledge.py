"""All that a target list rests on beside the policies: calendar, rules, weights, steps, letter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shortlist import data_files, land, steps, weights
from shortlist.calendar import Calendar, calendar
from shortlist.land import Rule
from shortlist.steps import Step
from shortlist.weights import Scale


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What the files say."""

    calendar: Calendar
    rules: tuple[Rule, ...]
    scale: Scale
    steps: tuple[Step, ...]
    letter: str


@cache
def knowledge(folder: Path | None = None) -> Knowledge:
    """Our files, or those of `folder` where it has them. Raises DataError."""
    return Knowledge(
        calendar(folder),
        land.rules(folder),
        weights.scale(folder),
        steps.steps(folder),
        data_files.text("letter.txt", folder),
    )
