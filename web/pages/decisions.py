"""The forms of the review room: decide, undo, say; each leads on to the next change."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import FormData

from extractors import Condition, ConditionKind, Policy, Stance, Visa
from monitor import examples, queue
from monitor.queue import Filter
from monitor.review import Overtaken, ReviewError, decide, decide_reading, say, undo
from sources.deciding import accept, reject
from sources.weigh import weigh
from store import changes, evidence, policies
from store.database import Store
from store.records import Remark, stamp
from web import reviewing
from web.pages.review import Number, show, show_evidence, show_reading
from web.rendering import Links
from web.routing import Pages
from web.site import OfSite, Site, site_of

router = Pages()

LONGEST_WORDS = 4000  # of a note or a comment
_KINDS = {"comment": "comment", "assign": "assigned", "snooze": "snoozed"}


async def _form(request: Request) -> FormData:
    return await request.form()


Sent = Annotated[FormData, Depends(_form)]


@router.form("/review/{change_id}/decision")
def decision(request: Request, site: OfSite, change_id: Number, form: Sent) -> Response:
    """Files a decision, on one change, its group or its wave, unless somebody was faster."""
    try:
        group, wave = bool(_text(form, "group")), bool(_text(form, "wave"))
        verdict = _text(form, "verdict")
        if verdict not in ("accepted", "dismissed", "corrected"):
            raise ReviewError("accept it, dismiss it, or correct it")
        note = _text(form, "note").strip()
        if verdict == "dismissed" and not note:
            raise ReviewError("say why it is dismissed: a reason helps whoever sees it next")
        seen = _versions(_text(form, "group_seen" if group or wave else "seen"))
        with site.writing() as store:
            policy = None
            if verdict == "corrected":
                policy = _policy(form, changes.get(store, change_id).after)
            decided = decide(
                store,
                change_id,
                verdict,
                by=_by(request),
                note=note,
                now=site.now(),
                policy=policy,
                group=group,
                wave=wave,
                seen=seen,
            )
            weigh(store, site.now(), {change.program_id for change in decided})
            if policy is not None and _text(form, "example"):
                examples.keep(store, change_id, by=_by(request), now=site.now())
    except ReviewError as error:
        return _not_done(request, site, change_id, error)
    return _onward(request, site, change_id)


@router.form("/review/{change_id}/undo")
def undo_last(request: Request, site: OfSite, change_id: Number, form: Sent) -> Response:
    """Takes the last decision back, and shows the change again."""
    try:
        with site.writing() as store:
            change = undo(
                store,
                change_id,
                by=_by(request),
                now=site.now(),
                seen=_versions(_text(form, "seen")),
            )
            weigh(store, site.now(), [change.program_id])
    except ReviewError as error:
        return _not_done(request, site, change_id, error)
    return _to(request, f"/review/{change_id}")


@router.form("/review/{change_id}/remark")
def remark(request: Request, site: OfSite, change_id: Number, form: Sent) -> Response:
    """Files a comment, to whom a change is assigned, or until when it is snoozed."""
    kind = _KINDS.get(_text(form, "kind"), "")
    try:
        if not kind:
            raise ReviewError("comment on it, assign it, or snooze it")
        text = _text(form, "text").strip()
        with site.writing() as store:
            say(store, Remark(change_id, kind, text, _by(request), stamp(site.now())))
    except ReviewError as error:
        return _not_done(request, site, change_id, error)
    if kind == "snoozed" and text:
        return _onward(request, site, change_id)
    return _to(request, f"/review/{change_id}")


@router.form("/review/{change_id}/example")
def example(request: Request, site: OfSite, change_id: Number) -> Response:
    """Makes the correction of a change a labelled example."""
    try:
        with site.writing() as store:
            examples.keep(store, change_id, by=_by(request), now=site.now())
    except ReviewError as error:
        return _not_done(request, site, change_id, error)
    return _to(request, f"/review/{change_id}")


@router.form("/review/readings/{program_id}/decision")
def of_reading(request: Request, site: OfSite, program_id: str, form: Sent) -> Response:
    """Files a decision on what stands for a program without any change."""
    try:
        seen = _text(form, "seen")
        with site.writing() as store:
            corrected = _text(form, "verdict") == "corrected"
            before = policies.standing(store, [program_id])
            decide_reading(
                store,
                program_id,
                _text(form, "verdict"),
                by=_by(request),
                note=_text(form, "note").strip(),
                now=site.now(),
                policy=_policy(form, {}) if corrected else None,
                seen=int(seen) if seen.isdecimal() else None,
            )
            weigh(store, site.now(), [program_id], told=before)
            if corrected and _text(form, "example"):
                examples.keep_reading(store, program_id, by=_by(request), now=site.now())
    except ReviewError as error:
        return _reading_not_done(request, site, program_id, error)
    return _to(request, "/review")


@router.form("/review/evidence/{number}/decision")
def of_evidence(request: Request, site: OfSite, number: Number, form: Sent) -> Response:
    """Accepts an answer or report, with what it says if that was read wrongly, or rejects it."""
    try:
        verdict = _text(form, "verdict")
        if verdict not in ("accepted", "corrected", "rejected"):
            raise ReviewError("accept it, correct it, or reject it")
        with site.writing() as store:
            saying = evidence.get(store, number)
            if saying.state != "waiting":
                raise Overtaken(())
            if verdict == "rejected":
                reject(store, number, by=_by(request), now=site.now())
            else:
                policy = _policy(form, saying.said) if verdict == "corrected" else None
                accept(store, number, by=_by(request), now=site.now(), policy=policy)
            following = next((one.id for one in evidence.waiting(store, limit=1)), None)
    except ReviewError as error:
        status = 409 if isinstance(error, Overtaken) else 422
        return show_evidence(request, site, number, status=status, fault=_sentence(error))
    return _to(request, f"/review/evidence/{following}" if following else "/review")


@router.form("/review/readings/{program_id}/example")
def example_of_reading(request: Request, site: OfSite, program_id: str) -> Response:
    """Makes the correction of a reading a labelled example."""
    try:
        with site.writing() as store:
            examples.keep_reading(store, program_id, by=_by(request), now=site.now())
    except ReviewError as error:
        return _reading_not_done(request, site, program_id, error)
    return _to(request, f"/review/readings/{quote(program_id, safe='')}")


def _text(form: FormData, name: str) -> str:
    """A field; raises ReviewError for one that is too long."""
    value = form.get(name, "")
    if not isinstance(value, str) or len(value) > LONGEST_WORDS:
        raise ReviewError(f"'{name}' is too long: {LONGEST_WORDS:,} characters at most")
    return value


def _by(request: Request) -> str:
    name: str = request.state.visitor.name
    return name


def _versions(text: str) -> dict[int, int]:
    """What the form's maker saw. Raises ReviewError for a form that does not say."""
    pairs = [pair.partition(":") for pair in text.split()]
    if not pairs or not all(a.isdecimal() and b.isdecimal() for a, _, b in pairs):
        raise ReviewError("the form does not say what was seen: load the page anew")
    return {int(number): int(version) for number, _, version in pairs}


def _policy(form: FormData, read: dict[str, object]) -> Policy:
    """The policy of a correction; of visas that it does not speak of, what was read stays."""
    try:
        stances = {visa: Stance(_text(form, f"stance:{visa}")) for visa in reviewing.DECIDED}
        conditions = tuple(
            Condition(visa, kind, _text(form, f"by:{visa}:{kind}").strip()[:100] or None)
            for visa in reviewing.DECIDED
            for kind in ConditionKind
            if _text(form, f"condition:{visa}:{kind}")
        )
    except ValueError as error:
        raise ReviewError("say of each visa whether it is sponsored") from error
    others = read.get("stances")
    kept = others if isinstance(others, dict) else {}
    stated = {Visa(v): Stance(s) for v, s in kept.items() if v not in reviewing.DECIDED}
    stated |= {visa: stance for visa, stance in stances.items() if stance is not Stance.UNSTATED}
    return Policy(tuple((v, stated[v]) for v in Visa if v in stated), conditions)


def _not_done(request: Request, site: Site, change_id: int, error: ReviewError) -> Response:
    status = 409 if isinstance(error, Overtaken) else 422
    return show(request, site, change_id, status=status, fault=_sentence(error))


def _reading_not_done(
    request: Request, site: Site, program_id: str, error: ReviewError
) -> Response:
    status = 409 if isinstance(error, Overtaken) else 422
    return show_reading(request, site, program_id, status=status, fault=_sentence(error))


def _sentence(error: ReviewError) -> str:
    if isinstance(error, Overtaken):
        return (
            "Somebody was faster: this has been decided on since you loaded the page, and your "
            "decision was not filed. Below is how it stands now."
        )
    words = str(error)
    return f"Nothing was done: {words}."


def _onward(request: Request, site: Site, change_id: int) -> Response:
    """To the next change that waits, else to the queue."""
    with site.reading() as store:
        following = _next(store, site, change_id)
    path = f"/review/{following}" if following else "/review"
    return _to(request, path, done=change_id)


def _next(store: Store, site: Site, change_id: int) -> int | None:
    waiting = queue.queue(store, site.now(), Filter())
    _, later = waiting.around(changes.get(store, change_id))
    return later or next((number for number in waiting.order if number != change_id), None)


def _to(request: Request, path: str, **query: object) -> Response:
    return RedirectResponse(Links(site_of(request).settings.prefix)(path, **query), 303)
