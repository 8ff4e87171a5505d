"""`/static/...`: the stylesheet and the script; and `/robots.txt`."""

from __future__ import annotations

from fastapi import Request
from fastapi.responses import PlainTextResponse, Response
from starlette.exceptions import HTTPException

from web import static
from web.rendering import Links
from web.routing import Pages
from web.site import OfSite

router = Pages()

_FOR_GOOD = "public, max-age=31536000, immutable"
_CLOSED = ("/review", "/subscribe", "/unsubscribe")  # nothing there is worth finding


@router.page("/static/{name}")
def file(request: Request, name: str) -> Response:
    """A file by its hashed name; another name, or an old hash, is not there."""
    if (found := static.BY_HASHED.get(name)) is None:
        raise HTTPException(404)
    headers = {"ETag": f'"{found.hashed}"', "Cache-Control": _FOR_GOOD}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=found.content_type, headers=headers)


@router.page("/robots.txt")
def robots(site: OfSite) -> Response:
    """Search engines may read what is public."""
    links = Links(site.settings.prefix)
    lines = ["User-agent: *", *(f"Disallow: {links(path)}" for path in _CLOSED)]
    return PlainTextResponse("\n".join(lines) + "\n")
