"""`/`: find programs."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import Response

from monitor.status import statuses
from web.rendering import page
from web.routing import Pages
from web.site import OfSite

router = Pages()


@router.page("/")
def search(request: Request, site: OfSite) -> Response:
    """The watched programs."""
    with site.reading() as store:
        found = statuses(store, stale_after_cycles=site.settings.stale_after_cycles)
    return page(request, "search.html", title="Programs", found=found)
