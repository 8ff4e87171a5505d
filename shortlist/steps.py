"""What has to be done after the Match on each path, with days from the season's calendar."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass as plain_dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from extractors.values import Visa
from shortlist.calendar import EventId, Season
from shortlist.data_files import checked, table
from shortlist.ical import Dated


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Step:
    """One thing to do: so many days after the first day of an event, or after its last."""

    id: str
    visa: Visa
    says: str
    who: str
    event: EventId
    source: str
    days: Annotated[int, Field(ge=-366, le=366)] = 0
    last: bool = False

    def day(self, season: Season) -> date:
        """About when, in a season."""
        event = season.event(self.event)
        return (event.last if self.last else event.day) + timedelta(days=self.days)


@plain_dataclass(frozen=True, slots=True)
class Due:
    """A step with its day in a season."""

    day: date
    step: Step


@cache
def steps(folder: Path | None = None) -> tuple[Step, ...]:
    """The steps of our file, or that of `folder`. Raises DataError."""
    where, data = table("steps.toml", folder)
    return tuple(checked(Step, entry, where) for entry in data.get("step", ()))


def checklist(known: Iterable[Step], visas: Collection[Visa], season: Season) -> tuple[Due, ...]:
    """The steps on the paths of these visas, in order of their days."""
    due = [Due(step.day(season), step) for step in known if step.visa in visas]
    return tuple(sorted(due, key=lambda d: (d.day, d.step.id)))


def as_dates(due: Iterable[Due], season: Season) -> list[Dated]:
    """The steps for a calendar file."""
    return [
        Dated(
            uid=f"{season.match}-step-{d.step.id}",
            name=f"{d.step.visa}: {d.step.says}",
            day=d.day,
            says=f"By {d.step.who}; about this day. Source: {d.step.source}",
            url=d.step.source,
        )
        for d in due
    ]
