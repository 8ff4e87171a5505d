"""Stored nights judged again: the same, when rules and settings are; else what differs, and why."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import BOTH, FIRST_NIGHT, J1_ONLY, NONE, SILENT, Watch, neighbours
from loopback import Site

from monitor.beside import Compared, Night, Verdict, count
from monitor.cycle import Settings
from monitor.replay import ReplayError, replay
from monitor.review import decide
from monitor.taken_back import BY_ITSELF
from monitor.timeline import Began, Flagged, Period, Unread, timeline
from store import changes, programs, verdicts
from store.database import Store
from store.errors import NotFound
from store.records import Review, stamp
from visawatch.config import MailSettings


def after(watch: Watch) -> datetime:
    """In the afternoon after the last night."""
    return FIRST_NIGHT + timedelta(days=watch.nights - 1, hours=12)


def lived(watch: Watch) -> None:
    """Eight nights of three programs: changes, decisions, moves, outages, pages gone and back."""
    site = watch.site
    site.page("/visa", J1_ONLY)
    site.page("/surgery", BOTH)
    watch.program("/visa", "im")
    watch.program("/surgery", "surgery")
    watch.night()
    site.page("/visa", BOTH)
    site.redirect("/surgery", "/surgery2", status=301)
    site.page("/surgery2", BOTH)
    watch.night()
    decide(watch.store, 1, "dismissed", by="Ana", note="a draft", now=after(watch))
    site.page("/surgery2", SILENT)
    watch.night()
    site.page("/visa", NONE)
    site.page("/neuro", J1_ONLY)
    watch.program("/neuro", "neuro")
    watch.night()
    decide(watch.store, 2, "accepted", by="Ben", now=after(watch))
    site.page("/surgery2", "", status=503)
    site.page("/neuro", "", status=404)
    watch.night()
    site.page("/surgery2", BOTH)
    watch.night()
    site.page("/visa", J1_ONLY)
    site.page("/neuro", J1_ONLY)
    watch.night(only=["im"])
    watch.night()
    with watch.store.writing():
        programs.remove(watch.store, "neuro", stamp(after(watch)))


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of `lived`; not to be written."""
    folder = tmp_path_factory.mktemp("past")
    with Site() as site, Store(folder / "visawatch.db") as store:
        lived(Watch(store, site, folder))
        store.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return folder / "visawatch.db"


@pytest.fixture
def old(past: Path, tmp_path: Path) -> Iterator[Store]:
    """A copy of it."""
    shutil.copy(past, tmp_path / "old.db")
    with Store(tmp_path / "old.db") as store:
        yield store


def again(
    store: Store,
    first: datetime = FIRST_NIGHT,
    last: datetime | None = None,
    *,
    only: Collection[str] = (),
    withdraw_cycles: int = 2,
) -> list[Night]:
    settings = Settings(mail=MailSettings(), withdraw_cycles=withdraw_cycles)
    return replay(store, first, last, settings=settings, only=only)


def told(nights: list[Night]) -> list[tuple[int, str, str]]:
    """Cycle, program and verdict of all that is not the same."""
    return [
        (night.cycle.id, c.program_id, str(c.verdict))
        for night in nights
        for c in night.flagged
        if c.verdict is not Verdict.SAME
    ]


def found(nights: list[Night], cycle: int, program: str) -> Compared:
    night = next(night for night in nights if night.cycle.id == cycle)
    return next(c for c in night.flagged if c.program_id == program)


def test_the_same_rules_flag_the_same(old: Store) -> None:
    nights = again(old)
    assert [n.cycle.id for n in nights] == list(range(1, 9))
    assert told(nights) == []
    flagged = [(n.cycle.id, c.program_id, c.now.kind) for n in nights for c in n.flagged if c.now]
    assert flagged == [
        (2, "im", "policy_changed"),
        (4, "im", "policy_changed"),
        (4, "surgery", "statement_withdrawn"),
        (6, "neuro", "page_gone"),
        (6, "surgery", "statement_added"),
        (7, "im", "policy_changed"),
    ]
    for night in nights:
        for compared in night.flagged:
            assert compared.then is not None
            assert compared.now is not None
            assert compared.now.detected_at == compared.then.detected_at
            # What a maintainer dismissed is what the next change is compared with, as then.
            assert compared.now.before["category"] == compared.then.before["category"]


def test_nothing_is_written(old: Store) -> None:
    def dump() -> list[str]:
        with sqlite3.connect(old.path) as connection:
            return list(connection.iterdump())

    before = dump()
    again(old, withdraw_cycles=1)
    assert dump() == before


def test_only_the_nights_and_programs_that_are_asked_for(old: Store) -> None:
    day = timedelta(days=1)
    nights = again(old, FIRST_NIGHT + 3 * day, FIRST_NIGHT + 5 * day, only=["surgery"])
    assert [(n.cycle.id, [c.program_id for c in n.flagged]) for n in nights] == [
        (4, ["surgery"]),
        (5, []),
        (6, ["surgery"]),
    ]
    assert told(nights) == []


def test_another_setting_shows_in_which_night_it_would_be_told(old: Store) -> None:
    nights = again(old, withdraw_cycles=1)
    assert told(nights) == [
        (3, "surgery", "new"),
        (4, "surgery", "not_flagged"),
        (5, "neuro", "new"),
        (6, "neuro", "not_flagged"),
    ]
    assert found(nights, 3, "surgery").why == "the same is flagged later: in cycle 4, 2026-11-04"
    assert "earlier: in cycle 3" in found(nights, 4, "surgery").why


def test_what_was_missed_would_be_new(old: Store) -> None:
    with old.writing():
        old.write("DELETE FROM changes WHERE cycle_id = 7")
        old.write("DELETE FROM policies WHERE cycle_id = 7")
    nights = again(old)
    assert told(nights) == [(7, "im", "new")]
    assert found(nights, 7, "im").why == "then its pages were read as no sponsorship"


def test_a_suspicion_that_was_not_looked_at_twice_then_says_so(old: Store) -> None:
    with old.writing():
        old.write("DELETE FROM observations WHERE cycle_id = 7 AND attempt = 1")
        old.write("DELETE FROM changes WHERE cycle_id = 7")
        old.write("DELETE FROM policies WHERE cycle_id = 7")
    compared = found(again(old), 7, "im")
    assert compared.verdict is Verdict.NEW
    assert compared.why.endswith("no second look is stored for this night: the first is for both")


@pytest.mark.parametrize(
    ("cycle", "program", "why"),
    [
        (2, "surgery", "none of its pages has news that night, by what is stored"),
        (8, "neuro", "the pages say what stood already: J-1 only"),
    ],
)
def test_a_false_alarm_of_then_would_not_be_flagged(
    old: Store, cycle: int, program: str, why: str
) -> None:
    real = changes.of_cycle(old, 2)[0]
    with old.writing():
        alarm = changes.flag(old, replace(real, program_id=program, cycle_id=cycle))
        assert alarm is not None
        verdicts.decide(old, Review(alarm.id, "dismissed", "Ana", "", "2026-11-08T12:00:00Z"))
    nights = again(old)
    assert told(nights) == [(cycle, program, "not_flagged")]
    assert found(nights, cycle, program).why == (
        f"{why}; what Ana decided on it (dismissed) could not be replayed"
    )


def test_another_kind_of_change_in_the_same_night(old: Store) -> None:
    with old.writing():
        old.write("UPDATE changes SET kind = 'conflict', severity = 'major' WHERE cycle_id = 7")
    nights = again(old)
    assert told(nights) == [(7, "im", "otherwise")]
    why = "then conflict, now policy_changed; then major, now critical"
    assert found(nights, 7, "im").why == why
    assert count(nights, Verdict.SAME) == 5


def test_a_cycle_that_has_not_finished_is_left_out(old: Store) -> None:
    with old.writing():
        old.write("UPDATE cycles SET finished_at = NULL WHERE id = 8")
    assert [n.cycle.id for n in again(old)] == list(range(1, 8))


def test_nights_and_programs_that_there_are_not(old: Store, store: Store) -> None:
    with pytest.raises(ReplayError, match="began from 2026-11-01T02:00:00Z to 2026-11-08"):
        again(old, datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(ReplayError, match="no cycle has finished yet"):
        again(store)
    with pytest.raises(NotFound, match="no program 'nobody'"):
        again(old, only=["nobody"])


def test_pages_that_were_found_elsewhere_or_merged(watch: Watch) -> None:
    neighbours(watch, gme="/gme")
    watch.site.page("/gme", SILENT)
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    watch.site.page("/new", BOTH)  # which the search finds: no news
    watch.night()
    watch.site.redirect("/surgery/visas", "/gme", status=301)
    watch.site.page("/gme", J1_ONLY)  # what surgery has said, now for all
    watch.site.page("/new", NONE)
    watch.night()
    watch.site.page("/gme", BOTH)
    watch.night()
    nights = again(watch.store)
    assert told(nights) == []
    flagged = [(n.cycle.id, c.program_id) for n in nights for c in n.flagged]
    assert {(3, "medicine"), (4, "surgery")} <= set(flagged)
    assert len(watch.changes()) == len(flagged)


def test_the_timeline_of_what_was_dismissed_and_accepted(old: Store) -> None:
    line = timeline(old, "im")
    shown = [
        (e.at[:10], (e.until or "")[:10], e.policy["category"], str(e.began), e.origin)
        if isinstance(e, Period)
        else (e.at[:10], type(e).__name__)
        for e in line.entries
    ]
    assert shown == [
        ("2026-11-01", "2026-11-02", "j1_only", "first_sight", "read"),
        ("2026-11-02", "Flagged"),
        ("2026-11-02", "2026-11-02", "j1_and_h1b", "change", "read"),
        ("2026-11-02", "2026-11-04", "j1_only", "review", "dismissed"),
        ("2026-11-04", "Flagged"),
        ("2026-11-04", "2026-11-07", "no_sponsorship", "change", "read"),
        ("2026-11-07", "Flagged"),
        ("2026-11-07", "", "j1_only", "change", "read"),
    ]
    periods = [e for e in line.entries if isinstance(e, Period)]
    reviews = [[(r.verdict, r.by, r.note) for r in p.reviews] for p in periods]
    dismissed, accepted = ("dismissed", "Ana", "a draft"), ("accepted", "Ben", "")
    assert reviews == [[], [dismissed], [dismissed], [accepted], []]
    assert periods[1].policy["evidence"][0]["quote"] == "We sponsor J-1 and H-1B visas."


def test_the_timeline_of_an_outage_and_of_what_was_taken_back(old: Store) -> None:
    line = timeline(old, "surgery", stale_after_cycles=3)
    unread = [e for e in line.entries if isinstance(e, Unread)]
    assert [(u.at[:10], (u.until or "")[:10], u.cycles, u.stale) for u in unread] == [
        ("2026-11-05", "2026-11-06", 1, False)
    ]
    assert unread[0].url.endswith("/surgery2")
    assert "503" in unread[0].detail
    flagged = [e for e in line.entries if isinstance(e, Flagged)]
    assert [(f.change.kind, f.change.status) for f in flagged] == [
        ("statement_withdrawn", "dismissed"),
        ("statement_added", "open"),
    ]
    assert [r.by for r in flagged[0].reviews] == [BY_ITSELF]
    assert not [e for e in line.without_trifles().entries if isinstance(e, Unread)]
    assert [
        e.stale
        for e in timeline(old, "surgery", stale_after_cycles=1).entries
        if isinstance(e, Unread)
    ] == [True]


def test_the_timeline_of_a_program_that_is_watched_no_more(old: Store) -> None:
    line = timeline(old, "neuro")
    assert line.removed_at == "2026-11-08T14:00:00Z"
    last = [e for e in line.entries if isinstance(e, Period)][-1]
    assert (last.began, last.until) == (Began.FIRST_SIGHT, line.removed_at)
    gone = [e for e in line.entries if isinstance(e, Unread)]
    assert [(u.health, u.cycles) for u in gone] == [("gone", 2)]
    assert [year for year, _ in line.seasons()] == [2027]
