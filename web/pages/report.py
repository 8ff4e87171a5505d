"""`/programs/{id}/report`: a resident says which visa they hold there, or were refused."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Form, Request
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from extractors.values import Visa
from monitor.timeline import season
from sources.residents import OLDEST, Report, ReportError, TooMany, report
from sources.weigh import weigh
from store import programs
from store.records import stamp
from web.asked import VISAS
from web.rendering import page
from web.routing import Pages
from web.site import OfSite, Site

router = Pages()

OUTCOME_WORDS = {"held": "a resident holds it", "refused": "it was refused to a resident"}


class Wish(BaseModel):
    """The form as it is sent. `website` is not shown to people: only machines fill it in."""

    visa: Visa
    outcome: Literal["held", "refused"] = "held"
    season: int
    website: str = ""


@router.page("/programs/{program_id}/report")
def form(request: Request, site: OfSite, program_id: str) -> Response:
    """The form."""
    with site.reading() as store:
        program = programs.get(store, program_id)
    return page(
        request,
        "report.html",
        title="Which visa do residents hold here?",
        program=program,
        visas=VISAS,
        outcomes=OUTCOME_WORDS,
        seasons=_seasons(site),
    )


@router.form("/programs/{program_id}/report")
def send(
    request: Request, site: OfSite, program_id: str, wish: Annotated[Wish, Form()]
) -> Response:
    """Files the report. The answer is the same whether it was known or not."""
    with site.opened() as store:
        site.limits.report.check(store, request, site.now())
    if not wish.website:
        made = Report(program_id, wish.season, wish.visa, wish.outcome)
        who = request.client.host if request.client else "unknown"
        try:
            with site.writing() as store:
                report(store, made, who, site.now())
                weigh(store, site.now(), [program_id])
        except TooMany as error:
            raise HTTPException(429, str(error), headers={"Retry-After": "86400"}) from error
        except ReportError as error:
            raise HTTPException(422, str(error)) from error
    return page(
        request,
        "said.html",
        title="Thank you",
        headers={"Cache-Control": "no-store", "X-Robots-Tag": "noindex"},
        said="Your report is kept without your name or address. It counts when a second resident "
        "says the same, or a maintainer has confirmed it.",
    )


def _seasons(site: Site) -> list[tuple[int, str]]:
    this = season(stamp(site.now()))
    return [(year, f"{year} Match") for year in range(this, this - OLDEST - 1, -1)]
