"""How the watch is: `/healthz` and `/metrics` for machines, `/review/health` for maintainers."""

from __future__ import annotations

import hmac

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from monitor.vitals import Vitals, vitals
from shortlist.calendar import calendar
from shortlist.rhythm import due
from store import cycles
from store.errors import StoreError
from web import metrics
from web.charts import charts
from web.rendering import page
from web.routing import Pages
from web.sessions import is_local
from web.site import OfSite, Site

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


@router.page("/metrics")
def measured(request: Request, site: OfSite) -> Response:
    """The state of the watch for Prometheus; for this machine, or who has web.metrics_token."""
    token = site.settings.metrics_token
    given = request.headers.get("authorization", "").encode("latin-1")  # the bytes that came
    wanted = f"Bearer {token}".encode()
    if not (is_local(request) or (token and hmac.compare_digest(given, wanted))):
        raise HTTPException(403, "Set web.metrics_token, and send it as a bearer token.")
    return Response(
        metrics.text(_vitals(site)),
        media_type=CONTENT_TYPE_LATEST,
        headers={"Cache-Control": "no-store"},
    )


@router.page("/review/health")
def health(request: Request, site: OfSite) -> Response:
    """The state of the watch for maintainers, with how it was over time."""
    found = _vitals(site)
    return page(
        request,
        "health.html",
        title="Health",
        vitals=found,
        charts=charts(found.cycles),
    )


def _vitals(site: Site) -> Vitals:
    seasons = calendar(site.settings.shortlist_folder)
    with site.reading() as store:
        return vitals(
            store,
            site.now(),
            nightly_at=site.settings.nightly_at,
            stale_after_cycles=site.settings.stale_after_cycles,
            due=lambda store, night: due(store, night, seasons),
        )
