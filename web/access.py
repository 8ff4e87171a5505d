"""Who may use which route. A route that is not in this table stops the server from starting."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from web import sessions
from web.sessions import Visitor
from web.site import site_of


class Role(StrEnum):
    """Who a route is for."""

    PUBLIC = "public"  # everybody
    MACHINE = "machine"  # monitors and feed readers: no cookies, no HTML
    REVIEWER = "reviewer"  # maintainers who decide on changes
    ADMIN = "admin"  # maintainers who manage users


# By method and path. HEAD comes with GET.
ROUTES: dict[tuple[str, str], Role] = {
    ("GET", "/"): Role.PUBLIC,
    ("GET", "/programs.csv"): Role.PUBLIC,
    ("GET", "/programs/{program_id}"): Role.PUBLIC,
    ("GET", "/programs/{program_id}/report"): Role.PUBLIC,
    ("POST", "/programs/{program_id}/report"): Role.PUBLIC,
    ("GET", "/institutions/{institution_id}"): Role.PUBLIC,
    ("GET", "/changes"): Role.PUBLIC,
    ("GET", "/changes/{change_id}"): Role.PUBLIC,
    ("GET", "/matrix"): Role.PUBLIC,
    ("GET", "/shortlist"): Role.PUBLIC,
    ("GET", "/shortlist.csv"): Role.PUBLIC,
    ("GET", "/shortlist.ics"): Role.PUBLIC,
    ("GET", "/calendar"): Role.PUBLIC,
    ("GET", "/calendar.ics"): Role.MACHINE,
    ("GET", "/subscribe"): Role.PUBLIC,
    ("POST", "/subscribe"): Role.PUBLIC,
    ("GET", "/subscribe/confirm/{token}"): Role.PUBLIC,
    ("POST", "/subscribe/confirm/{token}"): Role.PUBLIC,
    ("GET", "/unsubscribe/{tokens}"): Role.PUBLIC,
    ("POST", "/unsubscribe/{tokens}"): Role.PUBLIC,
    ("GET", "/feeds/{path:path}"): Role.MACHINE,
    ("GET", "/api/v1"): Role.PUBLIC,
    ("GET", "/api/v1/openapi.json"): Role.MACHINE,
    ("GET", "/api/v1/programs"): Role.MACHINE,
    ("GET", "/api/v1/programs/{program_id}"): Role.MACHINE,
    ("GET", "/api/v1/programs/{program_id}/sides"): Role.MACHINE,
    ("GET", "/api/v1/institutions"): Role.MACHINE,
    ("GET", "/api/v1/institutions/{institution_id}"): Role.MACHINE,
    ("GET", "/api/v1/changes"): Role.MACHINE,
    ("GET", "/api/v1/changes/{change_id}"): Role.MACHINE,
    ("GET", "/api/v1/matrix"): Role.MACHINE,
    ("GET", "/api/v1/choices"): Role.MACHINE,
    ("GET", "/api/v1/categories"): Role.MACHINE,
    ("GET", "/api/v1/conditions"): Role.MACHINE,
    ("GET", "/api/v1/visas"): Role.MACHINE,
    ("GET", "/api/v1/stances"): Role.MACHINE,
    ("GET", "/healthz"): Role.MACHINE,
    ("GET", "/metrics"): Role.MACHINE,
    ("GET", "/robots.txt"): Role.MACHINE,
    ("GET", "/static/{name}"): Role.PUBLIC,
    ("GET", "/review/log-in"): Role.PUBLIC,
    ("POST", "/review/log-in"): Role.PUBLIC,
    ("POST", "/review/log-out"): Role.REVIEWER,
    ("GET", "/review/users"): Role.ADMIN,
    ("GET", "/review"): Role.REVIEWER,
    ("GET", "/review/health"): Role.REVIEWER,
    ("GET", "/review/examples.jsonl"): Role.REVIEWER,
    ("GET", "/review/readings/{program_id}"): Role.REVIEWER,
    ("GET", "/review/readings/{program_id}/page/{snapshot}"): Role.REVIEWER,
    ("POST", "/review/readings/{program_id}/decision"): Role.REVIEWER,
    ("GET", "/review/evidence/{number}"): Role.REVIEWER,
    ("POST", "/review/evidence/{number}/decision"): Role.REVIEWER,
    ("POST", "/review/readings/{program_id}/example"): Role.REVIEWER,
    ("GET", "/review/{change_id}"): Role.REVIEWER,
    ("GET", "/review/{change_id}/page/{side}/{snapshot}"): Role.REVIEWER,
    ("POST", "/review/{change_id}/decision"): Role.REVIEWER,
    ("POST", "/review/{change_id}/undo"): Role.REVIEWER,
    ("POST", "/review/{change_id}/remark"): Role.REVIEWER,
    ("POST", "/review/{change_id}/example"): Role.REVIEWER,
}

_OPEN = (Role.PUBLIC, Role.MACHINE)


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path that the app answers, less HEAD. Raises TypeError for a mount."""
    for route in iter_route_contexts(app.routes):
        if not isinstance(route.original_route, APIRoute) or route.path is None:
            raise TypeError(f"{route!r}: not a plain route, so its role cannot be checked")
        for method in sorted((route.methods or set()) - {"HEAD"}):
            yield method, route.path


def check(app: FastAPI) -> None:
    """Raises ValueError unless the table and the app have the same routes."""
    served, named = set(routes(app)), set(ROUTES)
    for which, what in ((served - named, "without a role"), (named - served, "not served")):
        if which:
            raise ValueError(f"web.access: {what}: {', '.join(map(' '.join, sorted(which)))}")


async def admit(request: Request) -> None:
    """Lets a request through to its route, or raises HTTPException: 303 to the log-in, or 403.

    The visitor of the review room is `request.state.visitor` from here on.
    """
    method = "GET" if request.method == "HEAD" else request.method
    role = ROUTES[method, request.scope["route"].path]
    if role in _OPEN:
        return
    visitor = await run_in_threadpool(sessions.visitor_of, request)
    request.state.visitor = visitor
    if not visitor.role:
        if method == "GET":
            raise HTTPException(303, headers={"Location": _door(request)})
        raise HTTPException(403, "You are not logged in (any more), and nothing was done.")
    if role is Role.ADMIN and visitor.role != Role.ADMIN:
        raise HTTPException(403, "This page is for those who manage users.")
    if method == "POST":
        await check_form(request, visitor)


async def check_form(request: Request, visitor: Visitor) -> None:
    """Raises HTTPException: 403 for a form that is not the visitor's own."""
    if not visitor.sent((await request.form()).get("form")):
        raise HTTPException(403, "This form is out of date. Go back and load the page anew.")


def _door(request: Request) -> str:
    """The log-in, which leads back to where somebody wanted to go."""
    prefix = site_of(request).settings.prefix
    wanted = request.scope["path"].removeprefix(prefix)
    if request.url.query:
        wanted += f"?{request.url.query}"
    query = "" if wanted == "/review" else f"?{urlencode({'next': wanted})}"
    return f"{prefix}/review/log-in{query}"
