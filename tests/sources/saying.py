"""What a coordinator answered, in a test."""

from __future__ import annotations

from store import evidence
from store.database import Store
from store.evidence import Saying


def answered(store: Store, stances: dict[str, str], at: str = "2026-11-20T09:00:00Z") -> int:
    """Files a coordinator's answer that nobody has read."""
    saying = Saying(
        "marrow-neuro",
        "coordinator",
        2027,
        at,
        {"stances": stances, "conditions": []},
        key=f"coordinator:{at}:{stances}",
        who="program coordinator",
        quote="Yes to both.",
    )
    with store.writing():
        number = evidence.add(store, saying)
    assert number is not None
    return number
