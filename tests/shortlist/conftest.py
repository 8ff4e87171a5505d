"""A database of invented programs, each with a policy."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from extractors.values import Condition, Evidence, Policy, Stance, Visa
from store import policies, programs
from store.database import Store
from store.records import Program, Standing

SINCE = "2026-11-20T02:00:00Z"
SEEN = 1_795_572_000  # 2026-11-25, in seconds

Add = Callable[..., None]


@pytest.fixture
def add(store: Store) -> Add:
    """Adds a program with a policy: its stances by visa, its conditions; None: never seen."""

    def make(
        program_id: str,
        stances: dict[Visa, Stance] | None,
        *conditions: Condition,
        specialty: str = "Neurology",
        state: str = "MA",
        city: str = "Salem",
        level: str = "residency",
        confidence: float = 0.9,
        needs_review: bool = False,
        email: str = "",
    ) -> None:
        with store.writing():
            programs.save(
                store,
                [
                    Program(
                        program_id, f"{program_id} Hospital", specialty, level, city, state,
                        eligibility_url=f"https://{program_id}.example/visas",
                        coordinator_email=email,
                    )
                ],
            )  # fmt: skip
            if stances is None:
                return
            quotes = tuple(
                Evidence(visa, stance, f"The {visa} is {stance}.", 0, 5, ("rule",))
                for visa, stance in stances.items()
            )
            said = Policy(
                tuple(stances.items()), conditions, confidence, needs_review, quotes
            ).to_json()
            policies.record(store, Standing(program_id, SINCE, "read", said, said))
            store.write(
                "UPDATE standings SET checked_at = ? WHERE program_id = ?", (SEEN, program_id)
            )

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for files of one's own."""
    made = tmp_path / "own"
    made.mkdir()
    return made
