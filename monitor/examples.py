"""A correction as a labelled example for the extractors, as in tests/data/development.jsonl."""

from __future__ import annotations

from datetime import datetime

from monitor.diff import statement_text
from monitor.review import ReviewError
from store import changes, programs, remarks
from store.database import Store
from store.records import Example, stamp


def keep(store: Store, change_id: int, *, by: str, now: datetime) -> Example:
    """Makes the correction that holds for a change an example, once.

    Its passage is the text that was read wrongly: the blocks that the statements stand in. Raises
    NotFound, and ReviewError for a change that was not corrected, or whose page says nothing.
    """
    with store.writing():
        change = changes.get(store, change_id)
        review = changes.holding(changes.reviews(store, change_id))
        if review is None or review.policy is None:
            raise ReviewError(f"change {change_id} was not corrected: there is nothing to learn")
        passage = statement_text(change.after) or statement_text(change.before)
        if not passage:
            raise ReviewError(f"change {change_id} rests on no text that could be labelled")
        program, _ = programs.ever(store, change.program_id)
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
