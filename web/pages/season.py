"""`/calendar`: the season's dates, the steps after the Match, and the rules of the land."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from extractors.values import Visa
from shortlist import deadlines, ical, steps
from shortlist.calendar import Season
from shortlist.errors import DataError
from shortlist.knowledge import Knowledge, knowledge
from web.rendering import page
from web.routing import Pages
from web.site import OfSite, Site

router = Pages()

MOST_DEADLINES = 100


@router.page("/calendar")
def calendar(request: Request, site: OfSite) -> Response:
    """What is when in the season that is under way, and how that is known."""
    known, season = _season(site)
    today = site.now().date()
    with site.reading() as store:
        found = deadlines.of_programs(store, known.calendar, season)
    return page(
        request,
        "calendar.html",
        title=f"The season of the {season.match} Match",
        season=season,
        events=sorted(season.events, key=lambda event: event.day),
        deadlines=[one for one in found if one.deadline.day][:MOST_DEADLINES],
        more=max(0, sum(one.deadline.day is not None for one in found) - MOST_DEADLINES),
        paths=[
            (visa, steps.checklist(known.steps, [visa], season)) for visa in (Visa.J1, Visa.H1B)
        ],
        rules=[(rule, rule.ended(today)) for rule in known.rules],
    )


@router.page("/calendar.ics")
def as_calendar(site: OfSite) -> Response:
    """The season's dates for a calendar program, which may ask for them again and again."""
    _, season = _season(site)
    body = _file(season, site.now().date())
    headers = {"Cache-Control": "no-cache"}
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)


@lru_cache(2)
def _file(season: Season, today: date) -> bytes:
    """The file as of the beginning of a day: it has nothing but what the season has."""
    begun = datetime(today.year, today.month, today.day, tzinfo=UTC)
    return ical.written(ical.of_season(season), f"{season.match} Match", begun)


def _season(site: Site) -> tuple[Knowledge, Season]:
    try:
        known = knowledge(site.settings.shortlist_folder)
        return known, known.calendar.current(site.now().date())
    except DataError as error:
        raise HTTPException(503, str(error)) from error
