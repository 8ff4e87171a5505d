"""All dates that a list has for an applicant, for a calendar file."""

from __future__ import annotations

from shortlist import deadlines, ical, steps
from shortlist.target import Shortlist
from store.database import Store


def dates_of(store: Store, found: Shortlist) -> list[ical.Dated]:
    """The season's dates, the chosen programs' own deadlines, and the steps after the Match."""
    question = found.question
    season, known = question.season, question.known
    chosen = {ranked.program_id for ranked in found.chosen}
    own = [
        one
        for one in deadlines.of_programs(store, known.calendar, season)
        if one.program.program_id in chosen and one.condition.visa in question.profile.visas
    ]
    due = steps.checklist(known.steps, question.profile.visas, season)
    return [
        *ical.of_season(season),
        *deadlines.as_dates(own, season),
        *steps.as_dates(due, season),
    ]
