"""The API's addresses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from extractors.values import Category
from monitor import diff
from monitor.compare import ChangeKind, Severity
from monitor.timeline import timeline
from store import news, search
from store import programs as watched
from store.news import Sought
from store.records import stamp
from store.states import NAMES
from web import meanings
from web.api import building, cursors, models
from web.api.answers import ROOT, answer, stretch
from web.asked import Filters, Words
from web.routing import Data
from web.sides import weighed
from web.site import OfSite
from web.views import views

router = Data()

MOST = 200  # items of one answer
_UNSEEN = "unseen"  # as store.search.matrix calls it

Limit = Annotated[int, Field(ge=1, le=MOST, description="the most items of an answer")]
Cursor = Annotated[
    str,
    Field(
        max_length=cursors.LONGEST,
        pattern=r"^[A-Za-z0-9_-]*$",
        description="`next` of the answer before; the other parameters stay as they were",
    ),
]
Number = Annotated[int, Path(ge=1, lt=1 << 63)]


def _iso(value: object) -> object:
    """Raises ValueError for a number: pydantic takes it for seconds since 1970."""
    return datetime.strptime(value, "%Y-%m-%d").date() if isinstance(value, str) else value  # noqa: DTZ007


Day = Annotated[date, BeforeValidator(_iso), Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    limit: Limit = 50
    cursor: Cursor = ""


class AskedPrograms(Filters, _Asked):
    """The filters of the search, and where to go on."""

    institution_id: Annotated[int, Field(ge=1, lt=1 << 63)] | None = None


class AskedInstitutions(_Asked):
    """`q` is a part of the name."""

    q: Words = ""


class AskedChanges(_Asked):
    """Those of wording are never among them. `until` is the last day."""

    since: Day | None = None
    until: Day | None = None
    status: models.Status | None = None
    severity: Severity | None = None
    kind: ChangeKind | None = None
    program_id: Words = ""
    institution_id: Annotated[int, Field(ge=1, lt=1 << 63)] | None = None


@router.data(f"{ROOT}/programs", models.Counted[models.Program])
def programs(request: Request, site: OfSite, asked: Annotated[AskedPrograms, Query()]) -> Response:
    """Programs with the policy that stands for each, by the filters of the search."""
    wish = asked.wish(site.now(), institution_id=asked.institution_id)
    with site.reading() as store:
        try:
            ids, last = search.following(
                store,
                wish,
                sort=asked.sort,
                limit=asked.limit,
                after=cursors.read(asked.cursor, of=asked.sort),
            )
        except ValueError as error:
            raise _no_cursor() from error
        items = building.programs_written(
            store, ids, stale_after_cycles=site.settings.stale_after_cycles
        )
        total = search.count(store, wish)
    cursor = cursors.write(asked.sort, last) if last else None
    return stretch(request, items, cursor=cursor, total=total)


@router.data(f"{ROOT}/programs/{{program_id}}", models.ProgramInFull)
def program(request: Request, site: OfSite, program_id: str) -> Response:
    """One program, with its history."""
    stale = site.settings.stale_after_cycles
    with site.reading() as store:
        (view,) = views(store, [program_id], stale_after_cycles=stale)
        institution = watched.institution_of(store, program_id)
        history = timeline(store, program_id, stale_after_cycles=stale).without_trifles()
    return answer(request, building.in_full(view, institution, history))


@router.data(f"{ROOT}/programs/{{program_id}}/sides", models.Sides)
def sides(request: Request, site: OfSite, program_id: str) -> Response:
    """What each source says of a program: its pages, its coordinator, FREIDA, residents."""
    with site.reading() as store:
        watched.get(store, program_id)
        found = weighed(store, program_id, site.now())
    return answer(request, building.sides_of(found))


@router.data(f"{ROOT}/institutions", models.Stretch[models.Institution])
def institutions(
    request: Request, site: OfSite, asked: Annotated[AskedInstitutions, Query()]
) -> Response:
    """Institutions with programs that are watched, by name."""
    key = _key(asked.cursor, "institutions", str)
    with site.reading() as store:
        found = watched.institutions(store, asked.q, limit=asked.limit + 1, after=str(key or ""))
    items = [building.institution(*one) for one in found[: asked.limit]]
    cursor = cursors.write("institutions", (items[-1].name,)) if len(found) > len(items) else None
    return answer(request, models.Stretch(items=items, next=cursor), cursor=cursor)


@router.data(f"{ROOT}/institutions/{{institution_id}}", models.Institution)
def institution(request: Request, site: OfSite, institution_id: Number) -> Response:
    """One institution; `/programs?institution_id=` has its programs."""
    with site.reading() as store:
        found = watched.institution(store, institution_id)
        total = search.count(store, search.Wish(institution_id=institution_id))
    return answer(request, building.institution(found, total))


@router.data(f"{ROOT}/changes", models.Stretch[models.Change])
def listed_changes(
    request: Request, site: OfSite, asked: Annotated[AskedChanges, Query()]
) -> Response:
    """What was flagged, newest first, and what became of it."""
    key = _key(asked.cursor, "changes", int)
    sought = Sought(
        since=_midnight(asked.since),
        until=_midnight(asked.until and asked.until + timedelta(days=1)),
        status=asked.status or "",
        severity=asked.severity or "",
        kind=asked.kind or "",
        program_id=asked.program_id,
        institution_id=asked.institution_id,
    )
    with site.reading() as store:
        before = None if key is None else int(key)
        found = news.numbers_of(store, sought, limit=asked.limit + 1, before=before)
        shown = found[: asked.limit]
        items = building.changes_written(store, shown)
    cursor = cursors.write("changes", (shown[-1],)) if len(found) > len(shown) else None
    return stretch(request, items, cursor=cursor)


@router.data(f"{ROOT}/changes/{{change_id}}", models.ChangeInFull)
def change(request: Request, site: OfSite, change_id: Number) -> Response:
    """One change, word by word."""
    with site.reading() as store:
        found = building.change_in_full(store, change_id)
    return answer(request, found)


@router.data(f"{ROOT}/matrix", models.Cells)
def matrix(request: Request, site: OfSite) -> Response:
    """How many programs of each specialty have which category."""
    with site.reading() as store:
        counts = search.matrix(store)
    cells = [
        models.Cell(
            specialty=specialty,
            category=None if category == _UNSEEN else Category(category),
            programs=number,
        )
        for specialty, row in counts.items()
        for category, number in row.items()
    ]
    return answer(request, models.Cells(items=cells))


@router.data(f"{ROOT}/choices", models.Choices)
def choices(request: Request, site: OfSite) -> Response:
    """The states, specialties and levels that there are among the watched programs."""
    with site.reading() as store:
        found = search.choices(store)
    states = [models.State(code=code, name=NAMES.get(code, code)) for code in found.states]
    return answer(
        request,
        models.Choices(
            states=states, specialties=list(found.specialties), levels=list(found.levels)
        ),
    )


@router.data(f"{ROOT}/categories", models.Words)
def categories(request: Request) -> Response:
    """The categories that a policy can have."""
    return answer(request, building.words(meanings.CATEGORIES, diff.CATEGORY_WORDS))


@router.data(f"{ROOT}/conditions", models.Words)
def conditions(request: Request) -> Response:
    """The conditions that a program can put on a visa."""
    return answer(request, building.words(meanings.CONDITIONS, diff.CONDITION_WORDS))


@router.data(f"{ROOT}/visas", models.Words)
def visas(request: Request) -> Response:
    """The visas, and the statuses that pages list with them."""
    return answer(request, building.words(meanings.VISAS, diff.VISA_WORDS))


@router.data(f"{ROOT}/stances", models.Words)
def stances(request: Request) -> Response:
    """What a program can say of a visa."""
    return answer(request, building.words(meanings.STANCES, diff.STANCE_WORDS))


def _key(cursor: str, of: str, kind: type[str] | type[int]) -> str | int | None:
    """The one value of a cursor; None for none. Raises RequestValidationError."""
    try:
        key = cursors.read(cursor, of=of)
    except cursors.BadCursor as error:
        raise _no_cursor() from error
    if not key:
        return None
    if len(key) != 1 or not isinstance(key[0], kind):
        raise _no_cursor()
    return key[0]


def _no_cursor() -> RequestValidationError:
    said = "take `next` of an answer to the same request, or leave it out to begin anew"
    return RequestValidationError([{"loc": ("query", "cursor"), "msg": said}])


def _midnight(day: date | None) -> str:
    return stamp(datetime(day.year, day.month, day.day, tzinfo=UTC)) if day else ""
