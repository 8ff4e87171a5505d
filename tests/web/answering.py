"""A coordinator's answer that contradicts a page of the demo."""

from __future__ import annotations

from store import evidence
from store.database import Store
from store.evidence import Saying

SURGERY = "lantern-hill-surgery"  # whose page says J-1 only


def answered(store: Store, key: str = "k", program_id: str = SURGERY) -> int:
    """Files it, read by nobody yet, unless it is filed already; gives its number."""
    for saying in evidence.waiting(store):
        if saying.key == key:
            return saying.id
    stances = {
        "J-1": "sponsored",
        "H-1B": "sponsored" if program_id == SURGERY else "not_sponsored",
    }
    said = {"stances": stances, "conditions": []}
    quote = "We sponsor <b>both</b>." if program_id == SURGERY else "J-1 only, no H-1B."
    at = "2026-11-20T09:00:00Z"
    saying = Saying(
        program_id, "coordinator", 2027, at, said, key, who="program coordinator", quote=quote
    )
    with store.writing():
        number = evidence.add(store, saying)
    assert number is not None
    return number
