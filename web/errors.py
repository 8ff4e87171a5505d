"""What a visitor is told when something is wrong: where, and what to do next."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from store.errors import NotFound, StoreError, StoreLocked
from web.api.models import Problem
from web.logs import path_shown
from web.rendering import page
from web.site import path_of

API_PATH = "/api/"
MACHINE_PATHS = ("/healthz", "/metrics")  # answered in JSON, faults too

_log = logging.getLogger(__name__)

_TITLES = {
    403: "Not allowed",
    404: "Nothing here",
    413: "Too large",
    422: "Not understood",
    429: "Too much at once",
    500: "Something went wrong",
    503: "Busy",
}

_SAYINGS = {
    400: "The request could not be understood.",
    403: "This page is for those who review changes.",
    404: "There is nothing at this address. What was here may have been taken off the list.",
    405: "This address does not take that kind of request.",
    413: "That was larger than anything this site takes.",
    422: "Something in the address or the form could not be understood. Go back, mend it, "
    "and try again.",
    429: "That was too much at once. Please come back in an hour.",
    500: "That is our fault, not yours, and it has been noted. Please try again later.",
    503: "The database is busy. Nothing was changed; please try again in a moment.",
}


def install(app: FastAPI) -> None:
    """Makes the app answer its faults in our words."""
    for kind in (HTTPException, RequestValidationError, StoreError):
        app.add_exception_handler(kind, _handle)


async def _handle(request: Request, error: Exception) -> Response:
    return answer(request, error)


def answer(request: Request, error: Exception) -> Response:
    """The page, or the JSON object, that says what went wrong."""
    status, detail = _status(error), _detail(error)
    headers: Mapping[str, str] = getattr(error, "headers", None) or {}
    if status == 503:
        headers = {"Retry-After": "5", **headers}
        _log.warning("%s: %s", path_shown(request), error)
    elif status == 500 and isinstance(error, StoreError):
        _log.error("%s: %s", path_shown(request), error)
    faults = _faults(error) if isinstance(error, RequestValidationError) else ()
    title = _TITLES.get(status, HTTPStatus(status).phrase)
    if path_of(request).startswith(API_PATH):
        problem = Problem(title=title, status=status, detail=detail, faults=list(faults))
        return JSONResponse(
            problem.model_dump(), status, dict(headers), media_type="application/problem+json"
        )
    if path_of(request).startswith(MACHINE_PATHS):
        said = {"error": title, "detail": detail, **({"faults": list(faults)} if faults else {})}
        return JSONResponse(said, status, dict(headers))
    return page(
        request,
        "error.html",
        status=status,
        headers={"Cache-Control": "no-store", **headers},
        title=title,
        detail=detail,
        faults=faults,
    )


def _status(error: Exception) -> int:
    match error:
        case HTTPException(status_code=status):
            return status
        case RequestValidationError():
            return 422
        case NotFound():
            return 404
        case StoreLocked():
            return 503
        case _:
            return 500


def _detail(error: Exception) -> str:
    status = _status(error)
    if isinstance(error, HTTPException) and error.detail != HTTPStatus(status).phrase:
        return error.detail
    return _SAYINGS.get(status, HTTPStatus(status).description)


def _faults(error: RequestValidationError) -> tuple[str, ...]:
    """Each fault with the name of its field; never what was sent, which may be anything."""
    return tuple(
        f"{fault['loc'][-1]}: {fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors()[:10]
    )
