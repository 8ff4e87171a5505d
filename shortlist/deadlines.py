"""Programs' own deadlines, placed in the season: Step 3 by February 1."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from extractors.values import Condition
from monitor.diff import CONDITION_WORDS
from shortlist.calendar import Calendar, Deadline, Season
from shortlist.ical import Dated
from shortlist.said import read
from store import programs, standings
from store.database import Store
from store.records import Program


@dataclass(frozen=True, slots=True)
class ProgramDeadline:
    """What a program asks for on a visa, and by when."""

    program: Program
    condition: Condition
    deadline: Deadline

    @property
    def words(self) -> str:
        """`Step 3 passed, for the H-1B`."""
        return f"{CONDITION_WORDS[self.condition.kind]}, for the {self.condition.visa}"


def of_programs(store: Store, calendar: Calendar, season: Season) -> list[ProgramDeadline]:
    """The deadlines of all watched programs, the earliest first; those without a day at the end."""
    dated = {fact[0]: read(fact[6]) for fact in standings.with_dates(store)}
    known = programs.ever_listed(store, dated) if dated else {}
    found = [
        ProgramDeadline(known[program_id], condition, calendar.place(condition.by, season))
        for program_id, said in dated.items()
        for condition in said.conditions
        if condition.by
    ]
    return sorted(found, key=lambda d: (d.deadline.day is None, d.deadline.day, _name(d.program)))


def as_dates(found: Iterable[ProgramDeadline], season: Season) -> list[Dated]:
    """Those that have a day, for a calendar file."""
    return [
        Dated(
            uid=f"{season.match}-{d.program.program_id}-{d.condition.visa}-{d.condition.kind}",
            name=f"{d.words}: {_name(d.program)}" + ("" if d.deadline.sure else " (ask)"),
            day=d.deadline.day,
            says=f'Its page says: "{d.deadline.words}".'
            + ("" if d.deadline.sure else " The day was reckoned from that: ask the program."),
            url=d.program.eligibility_url or d.program.website_url,
        )
        for d in found
        if d.deadline.day is not None
    ]


def _name(program: Program) -> str:
    return f"{program.institution}, {program.specialty}"
