"""`/changes`: what changed, week by week; `/changes/{id}`: one change, word by word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from fastapi import Path, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator

from monitor import diff
from monitor.alerts.planning import Subject
from monitor.alerts.wording import Item, headline, item
from monitor.groups import stories
from store import changes, news, outbox, search, verdicts
from store.database import Store
from store.records import Change, Program, Review, stamp
from store.search import Wish
from web.history import decided
from web.rendering import page
from web.routing import Pages
from web.site import OfSite

router = Pages()

# As those who apply understand it; changes of wording are not shown to them.
_SEVERITIES = {"critical": "changes who may apply", "major": "changes a condition"}
PER_PAGE = 50  # changes; those of one page of a hospital are shown together


def _monday(text: str) -> str:
    """Raises ValueError for a text that is no ISO week."""
    try:
        if text:
            datetime.strptime(f"{text}-1", "%G-W%V-%u").replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError("must be a week, such as 2026-W48") from error
    return text


Week = Annotated[str, Query(max_length=8), AfterValidator(_monday)]


@dataclass(frozen=True, slots=True)
class Story:
    """Changes that belong together, as one line of a list."""

    number: int  # of the first change
    day: str
    headline: str
    summary: str
    programs: tuple[Program, ...]
    severity: str
    status: str
    decision: str


@router.page("/changes")
def by_week(
    request: Request,
    site: OfSite,
    week: Week = "",
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    """The changes of one week (`2026-W48`); of the last one that had any, unless one is named."""
    with site.reading() as store:
        around = news.days_around(store, stamp(site.now() + timedelta(days=1)))
        start = _start(week, around.before or stamp(site.now()))
        end = start + timedelta(days=7)
        span = (stamp(_midnight(start)), stamp(_midnight(end)))
        beside = news.days_around(store, *span)
        total, stories = store.once(("stories", *span, number), lambda: _told(store, span, number))
        watched = bool(total) or search.count(store, Wish()) > 0
    return page(
        request,
        "changes.html",
        title=f"What changed in the week of {start.isoformat()}",
        week=_name(start),
        start=start.isoformat(),
        end=(end - timedelta(days=1)).isoformat(),
        earlier=beside.before and _name(date.fromisoformat(beside.before[:10])),
        later=beside.after and _name(date.fromisoformat(beside.after[:10])),
        stories=stories,
        severities=_SEVERITIES,
        total=total,
        watched=watched,
        number=number,
        last_page=max(1, -(-total // PER_PAGE)),
    )


@router.page("/changes/{change_id}")
def one(request: Request, site: OfSite, change_id: Annotated[int, Path(ge=1)]) -> Response:
    """A change, with those that the same page made at the same time."""
    with site.reading() as store:
        change = changes.get(store, change_id)
        beside = changes.beside(store, change)
        known = _subjects(store, beside)
        told = stories(
            (subject.change for subject in known.values()),
            {subject.program.program_id: subject.program for subject in known.values()},
        )
        group = next(s for s in told if any(c.id == change_id for c in s))
        subjects = [known[c.id] for c in group]
        reviews = verdicts.of_change(store, change_id)
    shown: Item = item(subjects, site.settings.base_url)
    return page(
        request,
        "change.html",
        title=shown.headline,
        change=known[change_id].change,
        item=shown,
        decision=decided(known[change_id].change, reviews),
        diff=diff.as_html(shown.spans),
    )


def _told(store: Store, span: tuple[str, str], number: int) -> tuple[int, list[Story]]:
    """How many changes there are in a span of time, and those of one page of them."""
    total, found = news.between(store, *span, limit=PER_PAGE, offset=(number - 1) * PER_PAGE)
    subjects = _subjects(store, found)
    programs = {s.program.program_id: s.program for s in subjects.values()}
    decisions = verdicts.that_hold(store, subjects)
    told = stories((s.change for s in subjects.values()), programs)
    return total, [_story([subjects[c.id] for c in story], decisions) for story in told]


def _story(group: list[Subject], decisions: Mapping[int, Review]) -> Story:
    change = group[0].change
    last = decisions.get(change.id)
    return Story(
        number=change.id,
        day=change.detected_at,
        headline=headline(group),
        summary=diff.summary(change),
        programs=tuple(subject.program for subject in group),
        severity=change.severity,
        status=change.status,
        decision=decided(change, [last] if last else []),
    )


def _subjects(store: Store, found: list[Change]) -> dict[int, Subject]:
    """By number, the changes as people are told of them, with their programs."""
    programs = outbox.programs_of(store, {change.program_id for change in found})
    return {
        told.id: Subject(told, *programs[told.program_id], diff.touched(told.before, told.after))
        for told in outbox.all_told(store, found)
    }


def _start(week: str, moment: str) -> date:
    """The Monday of a week, or of the week of a moment."""
    if week:
        return datetime.strptime(f"{week}-1", "%G-W%V-%u").replace(tzinfo=UTC).date()
    day = date.fromisoformat(moment[:10])
    return day - timedelta(days=day.weekday())


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _name(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"
