"""`/feeds/...`: Atom feeds, as `visawatch export` writes them, made when they are asked for."""

from __future__ import annotations

import hashlib

from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from monitor.feeds import feed, rendered
from store import changes
from store.database import Store
from web.routing import Pages
from web.site import OfSite

router = Pages()


@router.page("/feeds/{path:path}")
def atom(request: Request, site: OfSite, path: str) -> Response:
    """One feed; 304 for a reader that has it as it is."""
    with site.reading() as store:
        # Nothing in a feed changes without a new change or a new decision.
        state = f"{path} {changes.last_ids(store)}"
        headers = {
            "ETag": f'"{hashlib.sha256(state.encode()).hexdigest()[:32]}"',
            "Cache-Control": "no-cache",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        made = store.once(("feed", path), lambda: _made(store, path, site.settings.base_url))
    if made is None:
        raise HTTPException(404)
    return Response(made, media_type="application/atom+xml", headers=headers)


def _made(store: Store, path: str, base_url: str) -> bytes | None:
    found = feed(store, path, base_url=base_url)
    return None if found is None else rendered(found)
