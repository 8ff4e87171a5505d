"""`/programs/{id}`: one program; `/institutions/{id}`: all of an institution."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from monitor.diff import visa_words
from monitor.feeds import institution_path, program_path
from monitor.timeline import Flagged, timeline
from store import programs, search
from store.records import Program
from store.search import Wish
from web.history import told
from web.picture import picture
from web.rendering import page
from web.routing import Pages
from web.sides import told as told_by_sources
from web.sides import weighed
from web.site import OfSite
from web.views import views

router = Pages()

_FREIDA = "https://freida.ama-assn.org"
_MOST = 200  # programs of one institution; the largest have half of that


@router.page("/programs/{program_id}")
def program(request: Request, site: OfSite, program_id: str) -> Response:
    """What stands for a program, why, since when, and how to make sure of it."""
    with site.reading() as store:
        (view,) = views(store, [program_id], stale_after_cycles=site.settings.stale_after_cycles)
        institution = programs.institution_of(store, program_id)
        history = timeline(
            store, program_id, stale_after_cycles=site.settings.stale_after_cycles
        ).without_trifles()
        fused = weighed(store, program_id, site.now())
    return page(
        request,
        "program.html",
        title=f"{view.program.institution}, {view.program.specialty}",
        view=view,
        institution=institution,
        told=told_by_sources(fused),
        disputed=[visa_words(visa) for visa in fused.disputed] if fused else [],
        waiting=[
            entry.change
            for entry in history.entries
            if isinstance(entry, Flagged) and entry.change.status == "open"
        ],
        picture=picture(history, site.now()),
        seasons=told(history),
        freida=_freida(view.program),
        feed=program_path(view.program),
    )


@router.page("/institutions/{institution_id}")
def institution(request: Request, site: OfSite, institution_id: int) -> Response:
    """An institution's programs."""
    with site.reading() as store:
        found = programs.institution(store, institution_id)
        total, ids = search.find(
            store, Wish(institution_id=institution_id), sort="specialty", limit=_MOST
        )
        shown = views(store, ids, stale_after_cycles=site.settings.stale_after_cycles)
    return page(
        request,
        "institution.html",
        title=found.name,
        institution=found,
        feed=institution_path(found.name),
        total=total,
        found=shown,
    )


def _freida(program: Program) -> str:
    """Where the AMA's directory of programs has this one; its start page for one without number."""
    return f"{_FREIDA}/program/{program.acgme_id}" if program.acgme_id.isdecimal() else _FREIDA
