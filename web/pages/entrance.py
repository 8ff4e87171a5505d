"""`/review/log-in` and `/review/log-out`; `/review/users`: who gets into the review room."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from store import users
from web import sessions
from web.access import check_form
from web.rendering import Links, page
from web.routing import Pages
from web.sessions import Visitor
from web.site import OfSite, site_of

router = Pages()

_WRONG = "There is no user with this name and password."
_TOO_MANY = "Too many log-ins have failed. Please wait a quarter of an hour."
_NO_COOKIE = (
    "Your browser has sent no cookie back. Allow cookies for this site; and where it is not served "
    "on your own machine, use its https address: cookies are sent over nothing else."
)

Next = Annotated[str, Query(max_length=500)]
_Field = Annotated[str, Form(max_length=1000)]


@router.page("/review/log-in")
def door(request: Request, next: Next = "") -> Response:
    """The log-in form; it leads to `next`, a page of the review room."""
    return _door(request, sessions.visitor_of(request), next)


async def _own_form(request: Request) -> Visitor:
    visitor = sessions.visitor_of(request)
    if not visitor.fresh:
        await check_form(request, visitor)
    return visitor


@router.form("/review/log-in")
def log_in(
    request: Request,
    visitor: Annotated[Visitor, Depends(_own_form)],
    name: _Field = "",
    password: _Field = "",
    next: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """Lets a user in, by name and password."""
    if visitor.fresh:
        return _door(request, visitor, next, _NO_COOKIE, 400, name)
    try:
        user = sessions.log_in(request, name.strip(), password)
    except sessions.TooMany:
        return _door(request, visitor, next, _TOO_MANY, 429, name)
    if user is None:
        return _door(request, visitor, next, _WRONG, 403, name)
    answer = RedirectResponse(_links(request)(_inside(next)), 303)
    sessions.send_cookie(request, answer, user)
    return answer


@router.form("/review/log-out")
def log_out(request: Request) -> Response:
    """Ends the session."""
    sessions.log_out(request, request.state.visitor)
    return RedirectResponse(_links(request)("/review/log-in"), 303)


@router.page("/review/users")
def listed(request: Request, site: OfSite) -> Response:
    """Who may review, and who is signed in."""
    with site.reading() as store:
        return page(request, "users.html", title="Users", users=users.listed(store))


def _door(
    request: Request,
    visitor: Visitor,
    next: str,
    fault: str = "",
    status: int = 200,
    name: str = "",
) -> Response:
    request.state.visitor = visitor
    with site_of(request).reading() as store:
        made = users.exist(store)
    return page(
        request,
        "log_in.html",
        status=status,
        headers={"Retry-After": "900"} if status == 429 else None,
        title="Log in",
        fault=fault,
        next=_inside(next),
        name=name[:100],
        made=made,
    )


def _inside(path: str) -> str:
    """The path if it is a page of the review room, else its first one."""
    safe = path.isascii() and path.isprintable() and "\\" not in path and "//" not in path
    return path if safe and path.startswith(("/review/", "/review?")) else "/review"


def _links(request: Request) -> Links:
    return Links(site_of(request).settings.prefix)
