"""The rows of the data set, from the values that the API answers with."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from extractors.values import Stance, Visa
from monitor import diff
from monitor.timeline import timeline
from store import changes, news, programs
from store.database import Store
from store.dataset.file import Rows, Value
from store.news import Sought
from web import meanings
from web.api import building, models
from web.views import views

_PORTION = 500  # programs that are looked up at a time


@dataclass(frozen=True, slots=True)
class Public:
    """What the public may read: by id, and changes oldest first."""

    institutions: tuple[models.Institution, ...]
    programs: tuple[models.ProgramInFull, ...]
    changes: tuple[models.Change, ...]


def public(store: Store, *, stale_after_cycles: int) -> Public:
    """All of it, as the database has it now; changes are those of programs that are watched."""
    ids = [program.program_id for program in programs.listed(store)]
    watched = set(ids)
    told = changes.some(store, news.numbers_of(store, Sought(), limit=-1))
    institutions = [building.institution(*one) for one in programs.institutions(store)]
    return Public(
        tuple(sorted(institutions, key=lambda one: one.institution_id)),
        tuple(_programs(store, ids, stale_after_cycles)),
        tuple(building.changes_of(store, [c for c in told if c.program_id in watched])),
    )


def _programs(store: Store, ids: Sequence[str], stale: int) -> Iterator[models.ProgramInFull]:
    for start in range(0, len(ids), _PORTION):
        portion = ids[start : start + _PORTION]
        institutions = programs.institutions_of(store, portion)
        for view in views(store, portion, stale_after_cycles=stale):
            program_id = view.program.program_id
            history = timeline(store, program_id, stale_after_cycles=stale).without_trifles()
            yield building.in_full(view, institutions[program_id], history)


def rows(data: Public) -> Rows:
    """The same as rows of store.dataset's tables."""
    told = {one.change_id for one in data.changes}
    return {
        "categories": _words(building.words(meanings.CATEGORIES, diff.CATEGORY_WORDS)),
        "stances": _words(building.words(meanings.STANCES, diff.STANCE_WORDS)),
        "visas": _words(building.words(meanings.VISAS, diff.VISA_WORDS)),
        "conditions": _words(building.words(meanings.CONDITIONS, diff.CONDITION_WORDS)),
        "institutions": [
            (one.institution_id, one.name, one.gme_url, one.programs) for one in data.institutions
        ],
        "programs": [_program(one) for one in data.programs],
        "program_stances": [
            (one.program_id, visa, stance)
            for one, policy in _standing(data)
            for visa, stance in policy.stances.items()
        ],
        "program_conditions": [
            (one.program_id, number, c.visa, c.kind, c.by)
            for one, policy in _standing(data)
            for number, c in enumerate(policy.conditions, 1)
        ],
        "evidence": [
            (one.program_id, number, e.visa, e.stance, e.quote, e.url, e.fetched_at, e.start,
             e.end, e.snapshot, " ".join(e.rules))
            for one, policy in _standing(data)
            for number, e in enumerate(policy.evidence, 1)
        ],
        "changes": [_change(one) for one in data.changes],
        "history": [
            _stood(one.program_id, number, stood, told)
            for one in data.programs
            for number, stood in enumerate(
                (entry for entry in one.timeline if isinstance(entry, models.Stood)), 1
            )
        ],
    }  # fmt: skip


def _standing(data: Public) -> Iterable[tuple[models.ProgramInFull, models.Policy]]:
    return [(one, one.policy) for one in data.programs if one.policy is not None]


def _words(found: models.Words) -> list[tuple[Value, ...]]:
    return [(word.name, word.words, word.meaning) for word in found.items]


def _program(one: models.ProgramInFull) -> tuple[Value, ...]:
    policy = one.policy
    return (
        one.program_id,
        one.institution_id,
        one.institution,
        one.specialty,
        one.level,
        one.city,
        one.state,
        *(_says(policy) if policy else (None, None, None)),
        policy.confidence if policy else None,
        int(policy.needs_review) if policy else None,
        one.reviewed.verdict if one.reviewed else None,
        one.reviewed.at if one.reviewed else None,
        one.since,
        one.as_of,
        one.health,
        int(one.stale),
        one.inherited_from,
        one.website_url,
        one.eligibility_url,
        one.acgme_id,
    )


def _change(one: models.Change) -> tuple[Value, ...]:
    return (
        one.change_id,
        one.program_id,
        one.detected_at,
        one.kind,
        one.severity,
        one.status,
        one.decision.by if one.decision else None,
        one.decision.at if one.decision else None,
        one.summary,
        one.before.category,
        one.after.category,
        one.url,
        one.channel,
    )


def _stood(
    program_id: str, number: int, one: models.Stood, told: Collection[int]
) -> tuple[Value, ...]:
    return (
        program_id,
        number,
        one.season,
        one.at,
        one.until,
        one.began,
        one.change if one.change in told else None,  # one of wording is not there
        one.reviewed.verdict if one.reviewed and one.reviewed.by == "maintainer" else None,
        *_says(one.policy),
    )


def _says(policy: models.Policy) -> tuple[Value, Value, Value]:
    """The category, and what is said of the J-1 and the H-1B."""
    return (
        policy.category,
        policy.stances.get(Visa.J1, Stance.UNSTATED),
        policy.stances.get(Visa.H1B, Stance.UNSTATED),
    )
