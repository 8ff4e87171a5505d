"""`/healthz`: whether this server can answer, for those that watch it."""

from __future__ import annotations

from fastapi.responses import JSONResponse, Response

from store import cycles
from store.errors import StoreError
from web.routing import Pages
from web.site import OfSite

router = Pages()


@router.page("/healthz")
def healthz(site: OfSite) -> Response:
    """200 when the database can be read, else 503.

    A night that did not run is no reason to restart a web server, so it is told and no fault:
    `last_cycle` is when the last finished cycle began.
    """
    headers = {"Cache-Control": "no-store"}
    try:
        with site.reading() as store:
            last = cycles.last_finished(store)
    except StoreError:
        return JSONResponse({"status": "failing", "database": "unreadable"}, 503, headers)
    return JSONResponse(
        {"status": "ok", "database": "ok", "last_cycle": last.started_at if last else None},
        headers=headers,
    )
