"""What the first look of a cycle holds, however many programs it has news of."""

from __future__ import annotations

import gc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from extractors import RULES_VERSION
from monitor.judging import Judgement, Outcome, first_look
from store import cycles, pages, programs, snapshots
from store.database import Store
from store.records import Observation, Program, stamp

NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.mark.parametrize("count", [300, 900])
def test_judgements_are_held_by_portions(tmp_path: Path, count: int) -> None:
    with Store(tmp_path / "v.db") as store:
        with store.writing():
            programs.save(store, (Program(f"p{n}", "Fernway", "Medicine") for n in range(count)))
            cycle, _ = cycles.open_one(store, stamp(NOW))
            snapshot = snapshots.keep(store, snapshots.pack(b"We like it here."), "text/html")
            snapshots.save_reading(store, snapshot, RULES_VERSION, [])
            for n in range(count):
                page = pages.add(store, f"https://fernway.example/{n}")
                pages.watch(store, page.id, program_id=f"p{n}", found="named")
                pages.record_answer(
                    store, page.id, etag=None, last_modified=None,
                    snapshot_id=snapshot, cycle_id=cycle.id, rendered=False,
                )  # fmt: skip
                seen = Observation(page.id, cycle.id, 0, int(NOW.timestamp()), "ok", snapshot, None)
                cycles.observe(store, [seen])
        looks = first_look(store, cycle.id, now=NOW, withdraw_cycles=2)
        held, outcomes = [], []
        for number, (_, judgement) in enumerate(looks):
            outcomes.append(judgement.outcome)
            if number % 100 == 50:
                held.append(sum(type(thing) is Judgement for thing in gc.get_objects()))
        assert outcomes == [Outcome.FIRST_SIGHT] * count
        assert 0 < max(held) <= 201  # with the last of the portion before
