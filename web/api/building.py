"""Makes the API's values from those of the pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from extractors import values
from monitor import diff
from monitor.taken_back import BY_ITSELF
from monitor.timeline import Entry, Flagged, Period, Timeline, Unread, season
from sources import Fused
from store import changes, outbox, programs, verdicts
from store.database import Store
from store.records import Change, Institution, Review
from web.api import models
from web.api.answers import written
from web.sides import quote, shown
from web.views import View, views


def programs_written(store: Store, ids: Sequence[str], *, stale_after_cycles: int) -> list[bytes]:
    """The programs with these ids as JSON, in their order. Raises NotFound."""

    def made(missing: list[str]) -> dict[str, bytes]:
        institutions = programs.institutions_of(store, missing)
        found = views(store, missing, stale_after_cycles=stale_after_cycles)
        return {
            i: written(models.Program.model_validate(_program(view, institutions[i])))
            for i, view in zip(missing, found, strict=True)
        }

    by_id = store.each(("program of the API", stale_after_cycles), ids, made)
    return [by_id[program_id] for program_id in ids]


def in_full(view: View, institution: Institution, timeline: Timeline) -> models.ProgramInFull:
    """A program with its history."""
    return models.ProgramInFull.model_validate(
        {
            **_program(view, institution),
            "coordinator_email": view.program.coordinator_email,
            "gme_url": institution.gme_url,
            "timeline": [_entry(entry) for entry in timeline.entries],
        }
    )


def sides_of(fused: Fused | None) -> models.Sides:
    """What each source says of a program, as its page shows it."""
    return models.Sides(
        items=[
            models.Side(
                visa=side.visa,
                stance=side.stance,
                channel=side.evidence.channel,
                role=side.role,
                at=side.evidence.at,
                season=side.evidence.season,
                quote=quote(side),
                link=side.evidence.link,
            )
            for side in shown(fused)
        ],
        disputed=list(fused.disputed) if fused else [],
    )


def changes_written(store: Store, numbers: Sequence[int]) -> list[bytes]:
    """The changes with these numbers as JSON, in their order."""

    def made(missing: list[int]) -> dict[int, bytes]:
        found = changes_of(store, changes.some(store, missing))
        return {change.change_id: written(change) for change in found}

    by_id = store.each("change of the API", numbers, made)
    return [by_id[number] for number in numbers]


def changes_of(store: Store, found: Sequence[Change]) -> list[models.Change]:
    """The changes as people are told of them."""
    ids = {change.program_id for change in found}
    institutions = programs.institutions_of(store, ids)
    listed = programs.ever_listed(store, ids)
    decisions = verdicts.that_hold(store, [change.id for change in found])
    return [
        models.Change.model_validate(
            {
                "change_id": told.id,
                "program_id": told.program_id,
                "institution_id": institutions[told.program_id].id,
                "institution": institutions[told.program_id].name,
                "specialty": listed[told.program_id].specialty,
                "kind": told.kind,
                "severity": told.severity,
                "status": told.status,
                "detected_at": told.detected_at,
                "channel": told.channel,
                "summary": diff.summary(told),
                "url": told.url,
                "decision": decision(decisions.get(told.id)),
                "before": _kept(told.before),
                "after": _kept(told.after),
            }
        )
        for told in outbox.all_told(store, found)
    ]


def change_in_full(store: Store, change_id: int) -> models.ChangeInFull:
    """A change with its words compared. Raises NotFound."""
    change = changes.get(store, change_id)
    (short,) = changes_of(store, [change])
    told = outbox.told(store, change)
    return models.ChangeInFull(
        **dict(short),
        words=[
            models.Span(op=span.op, text=span.text)
            for span in diff.policy_diff(told.before, told.after)
        ],
    )


def institution(found: Institution, number: int) -> models.Institution:
    """An institution with the number of its programs."""
    return models.Institution(
        institution_id=found.id, name=found.name, gme_url=found.gme_url, programs=number
    )


def words(means: Mapping[Any, str], said: Mapping[Any, str]) -> models.Words:
    """A closed list; what has no words of its own is said as it is."""
    return models.Words(
        items=[
            models.Word(name=name, words=said.get(name, name), meaning=meaning)
            for name, meaning in means.items()
        ]
    )


def policy(stands: values.Policy) -> models.Policy:
    """A policy, without the texts around its quotes."""
    # In one go: a model for each quote, made by itself, takes twice as long.
    return models.Policy.model_validate(
        {
            "category": stands.category,
            "stances": dict(stands.stances),
            "conditions": [{"visa": c.visa, "kind": c.kind, "by": c.by} for c in stands.conditions],
            "confidence": stands.confidence,
            "needs_review": stands.needs_review,
            "evidence": [
                {
                    "visa": e.visa,
                    "stance": e.stance,
                    "quote": e.quote,
                    "start": e.start,
                    "end": e.end,
                    "rules": e.rules,
                    "url": e.url,
                    "fetched_at": e.fetched_at,
                    "snapshot": e.snapshot,
                }
                for e in stands.evidence
            ],
        }
    )


def decision(review: Review | None) -> models.Decision | None:
    """What was decided; never who did it, nor the note."""
    if review is None:
        return None
    by = "program" if review.by == BY_ITSELF else "maintainer"
    return models.Decision.model_validate({"verdict": review.verdict, "by": by, "at": review.at})


def _kept(stands: dict[str, Any]) -> dict[str, Any]:
    """A policy as the store keeps it, for a model: of its JSON, `context` alone is not shown."""
    j1, h1b = (diff.stance(stands, visa) for visa in (values.Visa.J1, values.Visa.H1B))
    return {**stands, "category": values.categorise(j1, h1b)}


def _program(view: View, institution: Institution) -> dict[str, object]:
    program, status = view.program, view.status
    return {
        "program_id": program.program_id,
        "institution_id": institution.id,
        "institution": program.institution,
        "specialty": program.specialty,
        "level": program.level,
        "city": program.city,
        "state": program.state,
        "policy": policy(view.policy) if view.policy else None,
        "reviewed": decision(view.review),
        "since": status.since,
        "as_of": status.as_of,
        "health": status.health,
        "detail": status.detail,
        "stale": status.stale,
        "inherited_from": status.inherited_from,
        "website_url": program.website_url,
        "eligibility_url": program.eligibility_url,
        "acgme_id": program.acgme_id,
    }


def _entry(entry: Entry) -> models.Stood | models.Flagged | models.Unread:
    match entry:
        case Period():
            return models.Stood(
                season=season(entry.at),
                at=entry.at,
                until=entry.until,
                began=entry.began,
                channel=entry.channel,
                change=entry.change,
                reviewed=_held(entry.reviews),
                inherited_from=entry.inherited_from,
                policy=models.Policy.model_validate(_kept(entry.policy)),
            )
        case Flagged(change=change):
            return models.Flagged.model_validate(
                {
                    "season": season(entry.at),
                    "at": entry.at,
                    "change": change.id,
                    "kind": change.kind,
                    "severity": change.severity,
                    "status": change.status,
                    "summary": diff.summary(change),
                    "decision": _held(entry.reviews),
                }
            )
        case Unread():
            return models.Unread(
                season=season(entry.at),
                at=entry.at,
                until=entry.until,
                url=entry.url,
                health=entry.health,
                detail=entry.detail,
                cycles=entry.cycles,
                stale=entry.stale,
            )


def _held(reviews: Iterable[Review]) -> models.Decision | None:
    return decision(verdicts.holding(reviews))
