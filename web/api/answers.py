"""How the API answers: JSON with a tag, nothing at all when it is known, and to every origin."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from fastapi import Request
from fastapi.responses import Response
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from web.api.models import Model
from web.rendering import Links
from web.site import path_of, site_of

ROOT = "/api/v1"


def answer(request: Request, model: Model, *, cursor: str | None = None) -> Response:
    """The model as JSON, or 304 for who has it; with the address of what follows as a link."""
    return _answer(request, written(model), cursor)


def stretch(
    request: Request, items: Sequence[bytes], *, cursor: str | None, total: int | None = None
) -> Response:
    """A stretch of a list as JSON: a `Stretch` of what was `written`, with `total` a `Counted`."""
    # With `items` and then `next` and `total`, as pydantic would write the models.
    after = {"next": cursor} if total is None else {"next": cursor, "total": total}
    rest = json.dumps(after, separators=(",", ":"))
    body = b'{"items":[%b],%b' % (b",".join(items), rest[1:].encode())
    return _answer(request, body, cursor)


def written(model: Model) -> bytes:
    """A model as JSON."""
    return model.model_dump_json().encode()


def _answer(request: Request, body: bytes, cursor: str | None) -> Response:
    links = Links(site_of(request).settings.prefix)
    headers = {"Cache-Control": "no-cache"}  # keep it, and ask whether it is still so
    if cursor is not None:
        query = {**request.query_params, "cursor": cursor}
        headers["Link"] = f'<{links(path_of(request), **query)}>; rel="next"'
    return tagged(request, body, headers)


def tagged(request: Request, body: bytes, headers: dict[str, str]) -> Response:
    """JSON with an ETag: weak, since the answer may be compressed on its way (RFC 9110, 8.8.1)."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {**headers, "ETag": f"W/{tag}"}
    known = [
        given.strip().removeprefix("W/")
        for given in request.headers.get("if-none-match", "").split(",")
    ]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


class ForAllOrigins:
    """Lets pages of other sites read the API, and nothing else; no cookies are sent or read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD"],
            allow_headers=["If-None-Match"],
            expose_headers=["ETag", "Link"],
            max_age=86_400,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        here = scope["type"] == "http" and path_of(Request(scope)).startswith("/api/")
        await (self._open if here else self._app)(scope, receive, send)
