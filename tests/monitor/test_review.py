"""Decisions: undone, made at the same time by two, on readings in doubt, and as examples."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import BOTH, J1_ONLY, NONE, Watch
from loopback import Site

from extractors import Policy, Stance, Visa
from monitor import examples, queue
from monitor.review import Overtaken, ReviewError, decide, decide_reading, say, undo
from monitor.timeline import Period, timeline
from store import changes, policies, remarks, verdicts
from store.database import Store
from store.records import Program, Remark

NOW = datetime(2026, 11, 10, 9, tzinfo=UTC)  # after the nights
NEITHER = Policy(((Visa.J1, Stance.NOT_SPONSORED), (Visa.H1B, Stance.NOT_SPONSORED)))
STEP3 = BOTH.replace("visas.", "visas for those who have passed Step 3.")
# The readers differ on the H-1B.
DOUBTFUL = (
    "<h1>Visas</h1><p>We sponsor J-1 visas.</p><p>It is a rumor that we sponsor H-1B visas.</p>"
)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    """Three programs after two nights: `im` has lost the H-1B, change 2; `doubt` is in doubt."""
    folder = tmp_path_factory.mktemp("review")
    with Site() as site, Store(folder / "visawatch.db") as store:
        watch = Watch(store, site, folder)
        watch.programs(
            *(
                Program(
                    name, "Fernway Hospital", name.title(), eligibility_url=site.url(f"/{name}")
                )
                for name in ("doubt", "em", "im")
            )
        )
        site.page("/doubt", DOUBTFUL)
        for em, im in ((BOTH, BOTH), (STEP3, J1_ONLY)):
            site.page("/em", em)
            site.page("/im", im)
            watch.night()
        yield watch


@pytest.fixture
def flagged(nights: Watch, tmp_path: Path) -> Iterator[Watch]:
    """A copy of it, to be written to."""
    nights.store.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with Store(shutil.copy(nights.store.path, tmp_path / "visawatch.db")) as store:
        yield Watch(store, nights.site, tmp_path, nights.nights)


def numbers(store: Store, now: datetime, wanted: queue.Filter | None = None) -> list[int]:
    """The changes that wait."""
    return list(queue.queue(store, now, wanted).order)


def test_undo_brings_back_what_held_before_and_keeps_all(flagged: Watch) -> None:
    store = flagged.store
    decide(store, 2, "dismissed", by="ada", now=NOW)
    decide(store, 2, "corrected", by="ben", now=NOW + timedelta(hours=1), policy=NEITHER)
    assert flagged.category("im") == "no_sponsorship"
    for hours, status, category in ((2, "dismissed", "j1_and_h1b"), (3, "open", "j1_only")):
        undone = undo(store, 2, by="cyd", now=NOW + timedelta(hours=hours))
        assert (undone.status, flagged.category("im")) == (status, category)
    made = [(r.verdict, r.by) for r in verdicts.of_change(store, 2)]
    assert made == [
        ("dismissed", "ada"),
        ("corrected", "ben"),
        ("undone", "cyd"),
        ("undone", "cyd"),
    ]
    with pytest.raises(ReviewError, match="there is no decision to undo"):
        undo(store, 2, by="cyd", now=NOW)


def test_the_second_of_two_who_decide_at_once_is_told(flagged: Watch) -> None:
    store = flagged.store
    seen = verdicts.versions(store, [2])
    decide(store, 2, "accepted", by="ada", now=NOW, seen=seen)
    with pytest.raises(Overtaken) as fault:
        decide(store, 2, "dismissed", by="ben", now=NOW, seen=seen)
    assert fault.value.change_ids == (2,)
    with pytest.raises(Overtaken):
        undo(store, 2, by="ben", now=NOW, seen=seen)
    assert [r.by for r in verdicts.of_change(store, 2)] == ["ada"]
    decide(store, 2, "dismissed", by="ben", now=NOW, seen=verdicts.versions(store, [2]))


def test_of_two_who_decide_at_the_same_instant_one_is_told(flagged: Watch) -> None:
    """The second begins while the first has looked, and not written yet."""
    store, waits = flagged.store, threading.Event()
    seen = verdicts.versions(store, [2])

    def second() -> None:
        with Store(store.path) as other:
            other.db.conn.set_trace_callback(
                lambda sql: waits.set() if sql.startswith("BEGIN") else None
            )
            decide(other, 2, "dismissed", by="ben", now=NOW, seen=seen)

    with ThreadPoolExecutor() as threads:
        with store.writing():
            late = threads.submit(second)
            assert waits.wait(60)
            decide(store, 2, "accepted", by="ada", now=NOW, seen=seen)
        with pytest.raises(Overtaken):
            late.result()
    assert [r.by for r in verdicts.of_change(store, 2)] == ["ada"]


def test_nothing_deletes_what_was_said(flagged: Watch) -> None:
    store = flagged.store
    decide(store, 2, "accepted", by="ada", now=NOW)
    say(store, Remark(2, "comment", "they answered", "ada", "2026-11-10T09:00:00Z"))
    for sql in ("DELETE FROM {}", "UPDATE {} SET by = 'eve'"):
        for table in ("reviews", "remarks"):
            with pytest.raises(sqlite3.IntegrityError, match="kept for good"), store.writing():
                store.write(sql.format(table))


def test_a_snoozed_change_comes_back_on_its_day(flagged: Watch) -> None:
    store = flagged.store
    at = "2026-11-10T09:00:00Z"
    say(store, Remark(2, "snoozed", "2026-11-12", "ada", at))
    assert numbers(store, NOW) == [1]
    assert numbers(store, NOW, queue.Filter(snoozed=True)) == [2, 1]
    assert numbers(store, NOW + timedelta(days=2)) == [2, 1]
    entry = queue.entry(store, 2)
    assert entry.snoozed_until == "2026-11-12"
    for text in ("soon", "2026-13-01", "20261201"):
        with pytest.raises(ReviewError, match="is not a day"):
            say(store, Remark(2, "snoozed", text, "ada", at))
    say(store, Remark(2, "snoozed", "", "ada", at))
    assert numbers(store, NOW) == [2, 1]


def test_the_worst_comes_first(flagged: Watch) -> None:
    found = queue.queue(flagged.store, NOW)
    told = [entry for group in queue.told(flagged.store, found.groups) for entry in group]
    assert found.order == (2, 1)
    assert [found.around(entry.change) for entry in told] == [(None, 1), (2, None)]
    assert [(e.change.program_id, e.change.severity) for e in told] == [
        ("im", "critical"),
        ("em", "major"),
    ]
    wanted = queue.Filter(severity="major", words="fernway em")
    assert numbers(flagged.store, NOW, wanted) == [1]
    assert numbers(flagged.store, NOW, queue.Filter(assigned="ada")) == []


def test_a_correction_becomes_an_example_once(flagged: Watch) -> None:
    store = flagged.store
    with pytest.raises(ReviewError, match="was not corrected"):
        examples.keep(store, 2, by="ada", now=NOW)
    decide(store, 2, "corrected", by="ada", now=NOW, policy=NEITHER)
    for _ in range(2):
        examples.keep(store, 2, by="ada", now=NOW)
    (kept,) = remarks.examples(store)
    assert kept.example == {
        "id": "r1",
        "passage": "Visas\nWe sponsor only J-1 visas.",
        "pattern": "corrected",
        "level": "residency",
        "specialty": "Im",
        "stances": {"J-1": "not_sponsored", "H-1B": "not_sponsored"},
        "conditions": [],
        "hard": "",
    }


def test_a_first_reading_in_doubt_is_confirmed_or_corrected(flagged: Watch) -> None:
    store = flagged.store
    (found,) = queue.doubts(store, 9)
    assert (found.program.program_id, found.standing.policy["needs_review"]) == ("doubt", True)
    decide_reading(store, "doubt", "accepted", by="ada", now=NOW, seen=0)
    assert queue.doubts(store, 9) == []
    assert flagged.category("doubt") == "j1_and_h1b"
    with pytest.raises(Overtaken):
        decide_reading(store, "doubt", "corrected", by="ben", now=NOW, policy=NEITHER, seen=0)
    later = NOW + timedelta(hours=1)
    decide_reading(store, "doubt", "corrected", by="ben", now=later, policy=NEITHER)
    assert flagged.category("doubt") == "no_sponsorship"
    periods = [e for e in timeline(store, "doubt").entries if isinstance(e, Period)]
    assert [[r.by for r in p.reviews] for p in periods] == [[], ["ada"], ["ben"]]
    stands = policies.standing(store)["doubt"]
    assert (stands.origin, stands.reading["category"]) == ("corrected", "j1_and_h1b")


def test_after_an_undo_the_next_night_compares_with_what_stood(flagged: Watch) -> None:
    decide(flagged.store, 2, "dismissed", by="ada", now=NOW)
    undo(flagged.store, 2, by="ada", now=NOW)
    flagged.site.page("/im", NONE)
    try:
        flagged.night()
    finally:
        flagged.site.page("/im", J1_ONLY)
    assert [(c.program_id, c.before["category"]) for c in flagged.changes()][2:] == [
        ("im", "j1_only")
    ]


def test_other_words_for_a_change_do_not_overtake_it(flagged: Watch) -> None:
    store = flagged.store
    flagged.site.page("/im", J1_ONLY.replace("<p>", "<p>Dear applicants: "))
    flagged.night()
    worded = changes.listed(store, "open")[-1]
    assert (worded.id, worded.severity) == (3, "minor")
    decide(store, 2, "dismissed", by="ada", now=NOW)
    assert flagged.category("im") == "j1_and_h1b"
    for hours, verdict in enumerate(("accepted", "dismissed"), 1):  # nor do they bring it back
        decide(store, 3, verdict, by="ben", now=NOW + timedelta(hours=hours))
        assert flagged.category("im") == "j1_and_h1b"
    undo(store, 3, by="ben", now=NOW + timedelta(hours=3))
    assert flagged.category("im") == "j1_and_h1b"
    undo(store, 2, by="ada", now=NOW + timedelta(hours=4))
    assert flagged.category("im") == "j1_only"
    decide(store, 3, "corrected", by="ben", now=NOW + timedelta(hours=5), policy=NEITHER)
    assert flagged.category("im") == "no_sponsorship"
    for _ in ("corrected", "accepted"):
        undo(store, 3, by="ben", now=NOW + timedelta(hours=6))
    assert flagged.category("im") == "j1_only"
