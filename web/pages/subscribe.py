"""`/subscribe`: be told of changes by mail; `/unsubscribe`: no longer."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal

from fastapi import Form, Query, Request
from fastapi.responses import PlainTextResponse, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException

from extractors.values import Visa
from monitor.alerts import AddressError, MailError, address, described
from monitor.alerts.inviting import invite
from monitor.alerts.matching import FREQUENCY_WORDS
from store import invitations, programs, search, subscriptions
from store.database import Store
from store.errors import NotFound, StoreError
from store.invitations import Taken
from store.records import Program, Subscription
from web.asked import VISAS, Empty, Words
from web.rendering import page
from web.routing import Pages
from web.site import OfSite, Site

router = Pages()

SEVERITIES = {
    "critical": "only who may apply",
    "major": "who may apply, conditions",
}
_ONE_CLICK = "One-Click"  # RFC 8058

_CONFIRMS = "This link has expired after 48 hours, or was cut off. Ask for a new one, under Mail."
_ENDS = "This link was cut off: open it in the mail, or copy all of it."

_log = logging.getLogger(__name__)


# One program, or several with spaces between: a target list.
_Programs = Annotated[str, StringConstraints(strip_whitespace=True, max_length=40_000)]


def _address(text: str) -> str:
    try:
        return address(text)
    except AddressError as error:
        raise ValueError("this is not an e-mail address, such as name@hospital.example") from error


class Filters(BaseModel):
    """Of which changes somebody wants to be told; an empty field lets all through."""

    model_config = ConfigDict(frozen=True)

    program: _Programs = ""
    institution: Words = ""
    specialty: Words = ""
    state: Words = ""
    visa: Annotated[Visa | None, Empty] = None
    severity: Literal["critical", "major"] = "major"
    frequency: Literal["at_once", "daily", "weekly"] = "at_once"


class Wish(Filters):
    """The form as it is sent. `website` is not shown to people: only machines fill it in."""

    email: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=254), AfterValidator(_address)
    ]
    website: str = ""

    def subscription(self) -> Subscription:
        """As the store keeps it."""
        return Subscription(
            id=0,
            address=self.email,
            program_id=self.program,
            institution=self.institution,
            specialty=self.specialty,
            state=self.state.upper(),
            visa=self.visa or "",
            severity=self.severity,
            frequency=self.frequency,
        )


@router.page("/subscribe")
def form(request: Request, site: OfSite, asked: Annotated[Filters, Query()]) -> Response:
    """The form, filled in with what the address asks for."""
    with site.reading() as store:
        chosen = search.choices(store)
        watched = _watched(store, asked.program)
    return page(
        request,
        "subscribe.html",
        title="Be told of changes",
        asked=asked,
        open=bool(site.settings.home),
        watched=watched,
        choices=chosen,
        visas=VISAS,
        severities=SEVERITIES,
        frequencies=FREQUENCY_WORDS,
    )


@router.form("/subscribe")
def subscribe(request: Request, site: OfSite, wish: Annotated[Wish, Form()]) -> Response:
    """Asks the address by mail. The answer is the same whether it is known here or not."""
    if not site.settings.home:
        raise HTTPException(503, "This site cannot send mail: web.base_url is not set.")
    with site.opened() as store:
        site.limits.subscribe.check(store, request, site.now())
    if wish.program:
        with site.reading() as store:
            _watched(store, wish.program)
    if not wish.website:
        with site.writing() as store:
            taken, invitation = invitations.add(store, wish.subscription(), site.now())
            if invitation:
                invite(
                    store,
                    invitation,
                    site.now(),
                    sender=site.settings.sender,
                    base_url=site.settings.home,
                )
        if taken is Taken.TOO_MANY:
            raise HTTPException(429, headers={"Retry-After": "3600"})
    return page(
        request,
        "said.html",
        title="Look into your mail",
        headers=_PRIVATE,
        background=BackgroundTask(_send, site),
        said="If this address can be written to, a mail is on its way to it. Open the link in it "
        "within 48 hours: before that, nothing is sent. If none comes, look among unwanted mail, "
        "or ask again in a few hours.",
    )


@router.page("/subscribe/confirm/{token}")
def confirm_form(request: Request, site: OfSite, token: str) -> Response:
    """What is agreed to, and the button. Opening it does nothing: mail programs open links, too."""
    with _link(_CONFIRMS), site.reading() as store:
        invitation = invitations.get(store, token, site.now())
    return page(
        request,
        "button.html",
        title="Shall this mail begin?",
        headers=_PRIVATE,
        lead="Nothing is sent before you say so. Critical changes are of who may apply, major ones "
        "of the conditions.",
        lines=[f"{invitation.wish.address}: {described(invitation.wish)}."],
        path=f"/subscribe/confirm/{token}",
        button="Yes, I want this",
    )


@router.form("/subscribe/confirm/{token}")
def confirm(request: Request, site: OfSite, token: str) -> Response:
    """The address agrees."""
    with _link(_CONFIRMS), site.writing() as store:
        made = invitations.confirm(store, token, site.now())
    return page(
        request,
        "said.html",
        title="Confirmed" if made.token else "That has ended",
        headers=_PRIVATE,
        said=f"{made.address} is told of {described(made)}. Every mail has a link that ends this."
        if made.token
        else "This was confirmed before, and ended since. To begin again, fill in the form again.",
    )


@router.page("/unsubscribe/{tokens}")
def unsubscribe_form(request: Request, site: OfSite, tokens: str) -> Response:
    """What ends, and the button. Opening it does nothing."""
    with _link(_ENDS), site.reading() as store:
        found = subscriptions.find(store, tokens)
        if not found:
            raise NotFound("no such subscription")
    return page(
        request,
        "button.html",
        title="Shall this mail end?",
        headers=_PRIVATE,
        lead="It goes on until you say so.",
        lines=[f"{one.address}: {described(one)}." for one in found],
        path=f"/unsubscribe/{tokens}",
        button="End this",
    )


@router.form("/unsubscribe/{tokens}")
def unsubscribe(
    request: Request,
    site: OfSite,
    tokens: str,
    one_click: Annotated[str, Form(alias="List-Unsubscribe")] = "",
) -> Response:
    """Ends what the tokens of a mail name, at once: from the page, or from a mail program."""
    with _link(_ENDS), site.writing() as store:
        subscriptions.end_by_token(store, tokens, site.now())
    if one_click == _ONE_CLICK:
        return PlainTextResponse("unsubscribed\n", headers=_PRIVATE)
    return page(
        request,
        "said.html",
        title="No more mail",
        headers=_PRIVATE,
        said="This has ended. Mail that was on its way already may still come.",
    )


@contextmanager
def _link(words: str) -> Iterator[None]:
    """Says in `words` what is wrong with a link of a mail that leads to nothing."""
    try:
        yield
    except NotFound as error:
        raise HTTPException(404, words) from error


def _watched(store: Store, names: str) -> list[Program]:
    """The programs of these ids, in this order. Raises NotFound for one that is not watched."""
    ids = list(dict.fromkeys(names.split()))
    known = {program.program_id: program for program in programs.listed(store, ids or [""])}
    return [known.get(i) or programs.get(store, i) for i in ids]


_PRIVATE = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def _send(site: Site) -> None:
    """Sends what is due, after the visitor has the answer; what fails waits in the outbox."""
    if site.send is None:
        return
    try:
        with site.opened() as store:
            for problem in site.send(store, site.now()).problems:
                _log.warning("mail: %s", problem)
    except (MailError, StoreError, OSError) as error:
        _log.warning("mail: %s", error)
