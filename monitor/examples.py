"""A correction as a labelled example for the extractors, as in tests/data/development.jsonl."""

from __future__ import annotations

from datetime import datetime

from monitor.diff import statement_text
from monitor.review import ReviewError
from store import changes, policies, programs, remarks, verdicts
from store.database import Store
from store.records import Example, Review, stamp


def keep(store: Store, change_id: int, *, by: str, now: datetime) -> Example:
    """Makes the correction that holds for a change an example, once.

    Its passage is the text that was read wrongly: the blocks that the statements stand in. Raises
    NotFound, and ReviewError for a change that was not corrected, or whose page says nothing.
    """
    with store.writing():
        change = changes.get(store, change_id)
        review = verdicts.holding(verdicts.of_change(store, change_id))
        passage = statement_text(change.after) or statement_text(change.before)
        return _kept(store, f"change {change_id}", change.program_id, review, passage, by, now)


def keep_reading(store: Store, program_id: str, *, by: str, now: datetime) -> Example:
    """The same of the last correction of a reading that no change led to. Raises the same."""
    with store.writing():
        programs.get(store, program_id)
        made = verdicts.of_reading(store, program_id)
        standing = policies.standing(store, [program_id]).get(program_id)
        passage = statement_text(standing.reading) if standing else ""
        last = made[-1] if made else None
        return _kept(store, f"the reading of '{program_id}'", program_id, last, passage, by, now)


def _kept(
    store: Store,
    what: str,
    program_id: str,
    review: Review | None,
    passage: str,
    by: str,
    now: datetime,
) -> Example:
    if review is None or review.policy is None:
        raise ReviewError(f"{what} was not corrected: there is nothing to learn")
    if not passage:
        raise ReviewError(f"{what} rests on no text that could be labelled")
    program, _ = programs.ever(store, program_id)
    found = Example(
        review.id,
        by,
        stamp(now),
        {
            "id": f"r{review.id}",
            "passage": passage,
            "pattern": "corrected",
            "level": program.level,
            "specialty": program.specialty,
            "stances": review.policy["stances"],
            "conditions": review.policy["conditions"],
            "hard": review.note,
        },
    )
    remarks.keep_example(store, found)
    return found
