"""`/`: find programs; `/programs.csv`: what was found, for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse
from markupsafe import Markup

from store import search
from store.database import Store
from store.search import Wish
from store.states import NAMES
from web import asked, csvfile
from web.asked import Asked
from web.rendering import lines, page
from web.routing import Pages
from web.site import OfSite, Site
from web.views import View, views

router = Pages()

PER_PAGE = 50
_PORTION = 500  # programs of a CSV file that are looked up at a time

_COLUMNS = (
    "program_id", "institution", "specialty", "level", "city", "state", "category", "j1", "h1b",
    "conditions", "needs_review", "stale", "reviewed", "last_checked", "quotes", "page",
)  # fmt: skip


@router.page("/")
def find(request: Request, site: OfSite, wish: Annotated[Asked, Query()]) -> Response:
    """The programs that are asked for, a page of them at a time."""
    with site.reading() as store:
        total, ids = search.find(
            store,
            wish.wish(site.now()),
            sort=wish.sort,
            limit=PER_PAGE,
            offset=(wish.page - 1) * PER_PAGE,
        )
        found = _results(site, store, ids)
        choices = search.choices(store)
    return page(
        request,
        "search.html",
        title="Which programs sponsor which visas",
        asked=wish,
        labels=asked.LABELS,
        total=total,
        found=found,
        last_page=max(1, -(-total // PER_PAGE)),
        choices=choices,
        state_names=NAMES,
        visas=asked.VISAS,
        categories=asked.CATEGORIES,
        conditions=asked.CONDITIONS,
        checked_words=asked.CHECKED_WORDS,
        sort_words=asked.SORT_WORDS,
    )


def _results(site: Site, store: Store, ids: Sequence[str]) -> list[Markup]:
    """Programs as the page lists them, in this order."""

    def found(missing: list[str]) -> dict[str, View]:
        some = views(store, missing, stale_after_cycles=site.settings.stale_after_cycles)
        return dict(zip(missing, some, strict=True))

    by_id = lines(site, store, "parts.html", "result", ids, found)
    return [by_id[program_id] for program_id in ids]


@router.page("/programs.csv")
def as_csv(site: OfSite, wish: Annotated[Asked, Query()]) -> Response:
    """All programs that are asked for, on every page."""
    return StreamingResponse(
        csvfile.lines(_rows(site, wish.wish(site.now()), wish.sort)),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": 'attachment; filename="visawatch-programs.csv"',
            "Cache-Control": "no-cache",
        },
    )


def _rows(site: Site, wish: Wish, sort: str) -> Iterator[tuple[object, ...]]:
    yield _COLUMNS
    with site.reading() as store:
        total, ids = search.find(store, wish, sort=sort, limit=-1)
        for start in range(0, total, _PORTION):
            for view in views(
                store,
                ids[start : start + _PORTION],
                stale_after_cycles=site.settings.stale_after_cycles,
            ):
                yield _row(view)


def _row(view: View) -> tuple[object, ...]:
    program, status = view.program, view.status
    stances = {says.visa: says.stance.words for says in view.says}
    return (
        program.program_id,
        program.institution,
        program.specialty,
        program.level,
        program.city,
        program.state,
        view.category.words,
        stances.get("J-1", ""),
        stances.get("H-1B", ""),
        "; ".join(f"{s.visa}: {', '.join(s.conditions)}" for s in view.says if s.conditions),
        "yes" if view.doubtful else "no",
        "yes" if status.stale else "no",
        view.review.verdict if view.review else "no",
        status.as_of,
        " | ".join(evidence.quote for evidence in view.quotes),
        next((e.url for e in view.quotes if e.url), program.eligibility_url or program.website_url),
    )
