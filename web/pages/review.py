"""`/review`: what waits for a maintainer; `/review/{id}`: one change, with all to decide on it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Path, Query, Request
from fastapi.responses import Response
from markupsafe import Markup
from starlette.exceptions import HTTPException

from monitor import queue, waves
from monitor.queue import Doubt, Entry, Filter
from store import (
    changes,
    evidence,
    policies,
    programs,
    remarks,
    search,
    snapshots,
    users,
    verdicts,
)
from store.database import Store
from store.records import Change, Program
from store.search import Wish
from web import reviewing
from web.evidence import Waiting, all_sides, said, waiting
from web.framing import frame
from web.rendering import lines, page
from web.routing import Pages
from web.site import OfSite, Site
from web.views import Chip, category_chip_of

router = Pages()

PER_PAGE = 50  # groups
MOST_DOUBTS = 50
_LINES = "queue_lines.html"

Number = Annotated[int, Path(ge=1, le=2**53)]
_Words = Annotated[str, Query(max_length=100)]


@router.page("/review")
def in_queue(
    request: Request,
    site: OfSite,
    status: Annotated[str, Query(pattern="^(open|accepted|dismissed|corrected|all)$")] = "open",
    severity: Annotated[str, Query(pattern="^(critical|major|minor)?$")] = "",
    q: _Words = "",
    assigned: _Words = "",
    snoozed: bool = False,
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
    done: int = 0,
) -> Response:
    """The changes that wait, in groups, the worst first; and first readings in doubt."""
    wanted = Filter(status, severity, q, assigned, snoozed)
    with site.reading() as store:
        found = queue.queue(store, site.now(), wanted)
        shown = queue.told(store, found.groups[(number - 1) * PER_PAGE : number * PER_PAGE])
        entries = {e.change.id: e for group in shown for e in group}
        whole = queue.whole(store, entries.values())
        members = {n: changes.of_wave(store, n) for n in _waves(entries.values())}
        opened = {n: _open(of_it) for n, of_it in members.items()}
        decided = {n for numbers in (*whole.values(), *opened.values()) for n in numbers}
        versions = verdicts.versions(store, decided | {done})
        return page(
            request,
            "review.html",
            title="Review",
            groups=shown,
            whole=whole,
            lines=_lines(site, store, entries),
            waves=waves.told(store, members),
            members=opened,
            seen=lambda numbers: reviewing.seen({n: versions[n] for n in numbers}),
            total=len(found.order),
            watched=bool(found.order) or search.count(store, Wish()) > 0,
            number=number,
            last_page=max(1, -(-len(found.groups) // PER_PAGE)),
            wanted=wanted,
            doubts=_doubts(site, store) if number == 1 else (),
            unread=_unread(site, store) if number == 1 else (),
            most=MOST_DOUBTS,
            users=[user.name for user in users.listed(store)],
            done=queue.entry(store, done) if done else None,
            done_seen=versions.get(done, 0),
        )


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A first reading in doubt, as the queue shows it."""

    program: Program
    category: Chip
    confidence: float
    fused: bool


def _lines(site: Site, store: Store, entries: Mapping[int, Entry]) -> dict[int, Markup]:
    """The lines of changes."""

    def some(missing: list[int]) -> dict[int, Entry]:
        return {number: entries[number] for number in missing}

    return lines(site, store, _LINES, "change", entries, some)


def _unread(site: Site, store: Store) -> list[Markup]:
    """Answers and reports that nobody has read, oldest first; one more than are shown."""
    found = {saying.id: saying for saying in evidence.waiting(store, limit=MOST_DOUBTS + 1)}

    def some(missing: list[int]) -> dict[int, Waiting]:
        known = programs.ever_listed(store, {saying.program_id for saying in found.values()})
        return {n: waiting(found[n], known[found[n].program_id]) for n in missing}

    return list(lines(site, store, _LINES, "unread", found, some).values())


def _doubts(site: Site, store: Store) -> list[Markup]:
    """First readings in doubt, the least sure first."""
    found = {doubt.program.program_id: doubt for doubt in queue.doubts(store, MOST_DOUBTS)}

    def some(missing: list[str]) -> dict[str, Doubtful]:
        return {i: _doubtful(found[i]) for i in missing}

    return list(lines(site, store, _LINES, "doubt", found, some).values())


def _doubtful(doubt: Doubt) -> Doubtful:
    policy = doubt.standing.policy
    fused = doubt.standing.origin == "fused"
    return Doubtful(doubt.program, category_chip_of(policy), policy["confidence"], fused)


@router.page("/review/examples.jsonl")
def examples(site: OfSite) -> Response:
    """The corrections that were made labelled examples."""
    with site.reading() as store:
        found = remarks.examples(store)
    lines = "".join(json.dumps(e.example, ensure_ascii=False) + "\n" for e in found)
    headers = {
        "Content-Disposition": 'attachment; filename="examples.jsonl"',
        "Cache-Control": "no-store",
    }
    return Response(lines, media_type="application/x-ndjson", headers=headers)


@router.page("/review/readings/{program_id}")
def reading(request: Request, site: OfSite, program_id: str) -> Response:
    """What stands for a program without any change having led to it."""
    return show_reading(request, site, program_id)


@router.page("/review/readings/{program_id}/page/{snapshot}")
def page_of_reading(site: OfSite, program_id: str, snapshot: str) -> Response:
    """The page that it rests on, in a frame of its own."""
    with site.reading() as store:
        standing = policies.standing(store, [program_id]).get(program_id)
        if standing is None:
            raise HTTPException(404)
        return _frame(site, standing.policy, snapshot)


@router.page("/review/evidence/{number}")
def unread(request: Request, site: OfSite, number: Number) -> Response:
    """An answer or a report, and what a maintainer makes of it."""
    return show_evidence(request, site, number)


@router.page("/review/{change_id}")
def one(request: Request, site: OfSite, change_id: Number, done: int = 0) -> Response:
    """One change, and all that a decision needs; `done` is the one that was decided on before."""
    return show(request, site, change_id, done=done)


@router.page("/review/{change_id}/page/{side}/{snapshot}")
def page_of_change(site: OfSite, change_id: Number, side: str, snapshot: str) -> Response:
    """A page as it was before or after a change, in a frame of its own."""
    with site.reading() as store:
        change = changes.get(store, change_id)
    if side not in (reviewing.BEFORE, reviewing.AFTER):
        raise HTTPException(404)
    return _frame(site, change.before if side == reviewing.BEFORE else change.after, snapshot)


def show(
    request: Request,
    site: Site,
    change_id: int,
    *,
    status: int = 200,
    fault: str = "",
    done: int = 0,
) -> Response:
    """The screen of a change; `fault` says why nothing was done."""
    with site.reading() as store:
        screen = reviewing.screen(store, change_id, site.now())
        before = queue.entry(store, done) if done else None
        done_seen = verdicts.versions(store, [done]).get(done, 0) if done else 0
    return page(
        request,
        "review_change.html",
        status=status,
        title=f"{screen.program.institution}, {screen.program.specialty}",
        screen=screen,
        fault=fault,
        done=before,
        done_seen=done_seen,
        now=site.now(),
        reviewing=reviewing,
    )


def show_reading(
    request: Request, site: Site, program_id: str, *, status: int = 200, fault: str = ""
) -> Response:
    """The screen of a program's reading."""
    with site.reading() as store:
        program = programs.get(store, program_id)
        standing = policies.standing(store, [program_id]).get(program_id)
        if standing is None:
            raise HTTPException(404, "No page of this program has been read yet.")
        made = verdicts.of_reading(store, program_id)
        why = reviewing.why(store, program, standing.reading)
        told = all_sides(store, program_id, site.now())
    return page(
        request,
        "review_reading.html",
        status=status,
        title=f"{program.institution}, {program.specialty}",
        program=program,
        standing=standing,
        reviews=made,
        seen=made[-1].id if made else 0,
        why_pages=why,
        told=told,
        fault=fault,
        reviewing=reviewing,
    )


def show_evidence(
    request: Request, site: Site, number: int, *, status: int = 200, fault: str = ""
) -> Response:
    """The screen of an answer or report; `fault` says why nothing was done."""
    with site.reading() as store:
        saying = evidence.get(store, number)
        program = programs.ever(store, saying.program_id)[0]
        told = all_sides(store, saying.program_id, site.now())
    return page(
        request,
        "review_evidence.html",
        status=status,
        title=f"{program.institution}, {program.specialty}",
        one=waiting(saying, program),
        policy=said(saying).to_json(),
        told=told,
        fault=fault,
        reviewing=reviewing,
    )


def _frame(site: Site, policy: dict[str, object], digest: str) -> Response:
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise HTTPException(404)
    evidence = policy.get("evidence")
    rows = evidence if isinstance(evidence, list) else []
    spans = [(e["start"], e["end"], e["quote"]) for e in rows if e.get("snapshot") == digest]
    with site.reading() as store:
        kept = [snapshots.get(store, n) for n in snapshots.with_hashes(store, [digest])]
    if not kept:
        raise HTTPException(404)
    return frame(kept[0], spans)


def _waves(entries: Iterable[Entry]) -> set[int]:
    return {e.change.wave_id for e in entries if e.change.wave_id is not None}


def _open(members: list[Change]) -> list[int]:
    return [change.id for change in members if change.status == "open"]
