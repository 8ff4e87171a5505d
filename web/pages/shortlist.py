"""`/shortlist`: where to apply, for a profile that only the address holds; and as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from shortlist import ical, steps, whatif
from shortlist.advice import Advice, advise, why
from shortlist.dates import dates_of
from shortlist.errors import DataError, ProfileError
from shortlist.fit import KLASS_WORDS, WAY_WORDS, Klass, Way
from shortlist.knowledge import Knowledge, knowledge
from shortlist.profile import MOST_APPLICATIONS, countries, profile
from shortlist.target import Ranked, Shortlist, Target, ask, shortlist
from shortlist.telling import COLUMNS, cut, rows, unranked
from shortlist.whatif import Otherwise
from store import programs, search
from store.database import Store
from store.records import Program
from web import csvfile, profile_form
from web.rendering import page
from web.routing import Pages
from web.site import OfSite, Site
from web.views import View, viewed

router = Pages()

SHOWN = 50  # programs on one page
MOST_NAMED = 5  # that a "what if" names
_PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}

_Class = Annotated[Klass | None, Query(alias="class")]
_Page = Annotated[int, Query(alias="page", ge=1, le=1000)]


@dataclass(frozen=True, slots=True)
class Shown:
    """A program of the list as the page shows it."""

    target: Target
    view: View
    why: tuple[str, ...]
    advice: Advice


@dataclass(frozen=True, slots=True)
class Supposed:
    """A "what if", with the address of the list that it leads to and some names."""

    otherwise: Otherwise
    query: str
    opens: tuple[Program, ...]
    closes: tuple[Program, ...]


@router.page("/shortlist")
def where_to_apply(
    request: Request, site: OfSite, klass: _Class = None, number: _Page = 1
) -> Response:
    """The form, and the list of the profile that the address holds."""
    known = _knowledge(site)
    values = profile_form.values(request.query_params)
    if not profile_form.asked(request.query_params):
        return _form(request, site, known, values)
    try:
        mine = profile(values, "the form")
        with site.reading() as store:
            question = ask(store, mine, known, site.now())
            found = shortlist(question)
            ranked: Sequence[Ranked] = found.of(klass) if klass else found.chosen
            first = (number - 1) * SHOWN
            targets = found.targets(
                store,
                ranked[first : first + SHOWN],
                stale_after_cycles=site.settings.stale_after_cycles,
                first=first + 1,
            )
            shown = [
                Shown(target, view, why(target), advise(question, target))
                for target, view in zip(
                    targets, viewed(store, [target.status for target in targets]), strict=True
                )
            ]
            supposed = _supposed(store, whatif.proposals(question))
            choices = search.choices(store)
    except ProfileError as error:
        return _form(request, site, known, values, faults=error.faults)
    due = steps.checklist(known.steps, mine.visas, question.season)
    return page(
        request,
        "shortlist.html",
        title="Where to apply",
        headers=_PRIVATE,
        **_fields(known, values, choices),
        faults=(),
        found=found,
        shown=shown,
        chosen_ids=" ".join(r.program_id for r in found.chosen),
        klass=klass,
        number=number,
        last_page=max(1, -(-len(ranked) // SHOWN)),
        cut=cut(found),
        unranked=unranked(mine),
        supposed=supposed,
        most_named=MOST_NAMED,
        due=due,
        query=profile_form.address(mine),
        about=profile_form.described(mine),
        part_names={part.id: part.name for part in known.scale.parts},
        mail=bool(site.settings.home),
    )


@router.page("/shortlist.csv")
def as_csv(request: Request, site: OfSite) -> Response:
    """The list for a spreadsheet; without a profile, its columns."""
    lines: list[tuple[object, ...]] = [COLUMNS]
    if profile_form.asked(request.query_params):
        with site.reading() as store:
            found = _of_address(request, site, store)
            stale = site.settings.stale_after_cycles
            lines = list(rows(found, found.targets(store, found.chosen, stale_after_cycles=stale)))
    return _file(b"".join(csvfile.lines(lines)), "text/csv; charset=utf-8", "target-list.csv")


@router.page("/shortlist.ics")
def as_calendar(request: Request, site: OfSite) -> Response:
    """The list's dates for a calendar program; without a profile, the season's."""
    if profile_form.asked(request.query_params):
        with site.reading() as store:
            found = _of_address(request, site, store)
            dates, season = dates_of(store, found), found.question.season
    else:
        season = _knowledge(site).calendar.current(site.now().date())
        dates = ical.of_season(season)
    body = ical.written(dates, f"{season.match} Match", site.now())
    return _file(body, "text/calendar; charset=utf-8", "target-list.ics")


def _of_address(request: Request, site: Site, store: Store) -> Shortlist:
    try:
        mine = profile(profile_form.values(request.query_params), "the address")
        return shortlist(ask(store, mine, _knowledge(site), site.now()))
    except ProfileError as error:
        raise HTTPException(422, str(error)) from error


def _form(
    request: Request,
    site: Site,
    known: Knowledge,
    values: dict[str, Any],
    *,
    faults: tuple[tuple[str, str], ...] = (),
) -> Response:
    with site.reading() as store:
        choices = search.choices(store)
    return page(
        request,
        "shortlist.html",
        status=422 if faults else 200,
        title="Where to apply",
        headers=_PRIVATE if faults else None,
        **_fields(known, values, choices),
        faults=faults,
        found=None,
    )


def _fields(known: Knowledge, values: dict[str, Any], choices: search.Choices) -> dict[str, Any]:
    """What the form is made of."""
    return {
        "values": values,
        "cities": [place for place in _texts(values.get("places")) if "," in place],
        "wants": profile_form.WANTS,
        "step3": profile_form.STEP3,
        "ecfmg": profile_form.ECFMG,
        "levels": profile_form.LEVELS,
        "in_us": profile_form.IN_US,
        "scores": profile_form.SCORES,
        "countries": countries(),
        "choices": choices,
        "parts_of_score": known.scale.parts,
        "moved": any(
            str(values.get("weights", {}).get(part.id, part.weight)) != str(part.weight)
            for part in known.scale.parts
        ),
        "most_applications": MOST_APPLICATIONS,
        "class_words": KLASS_WORDS,
        "way_words": WAY_WORDS,
        "ways": tuple(Way),
    }


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _supposed(store: Store, found: Sequence[Otherwise]) -> list[Supposed]:
    named = {i for one in found for ids in (one.opens, one.closes) for i in ids[:MOST_NAMED]}
    known = programs.ever_listed(store, named) if named else {}

    def some(ids: tuple[str, ...]) -> tuple[Program, ...]:
        return tuple(known[i] for i in ids[:MOST_NAMED])

    return [
        Supposed(one, profile_form.address(one.profile), some(one.opens), some(one.closes))
        for one in found
    ]


def _knowledge(site: Site) -> Knowledge:
    try:
        return knowledge(site.settings.shortlist_folder)
    except DataError as error:
        raise HTTPException(503, str(error)) from error


def _file(body: bytes, kind: str, name: str) -> Response:
    headers = {**_PRIVATE, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, media_type=kind, headers=headers)
