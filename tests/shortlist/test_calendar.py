"""The season calendar: its days, what words mean in it, its file, the nights left out."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar as Read

from extractors.values import Condition, ConditionKind, Policy, Stance, Visa
from monitor.cycle import CycleBusy, Stop
from monitor.schedule import Nights
from monitor.vitals import vitals
from shortlist import deadlines, ical
from shortlist.calendar import EventId, Season, calendar
from shortlist.errors import DataError
from shortlist.rhythm import due
from store import cycles, policies, programs, waves
from store.database import Store
from store.records import Program, Standing, stamp

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
OURS = Path(__file__).parents[2] / "shortlist" / "data"
KNOWN = calendar()
SEASON = KNOWN.season(2027)


@pytest.mark.parametrize("season", KNOWN.seasons, ids=lambda season: str(season.match))
def test_a_season_is_in_order_and_falls_on_the_right_weekdays(season: Season) -> None:
    order = tuple(e for e in EventId if e not in (EventId.H1B_FILING, EventId.J1_PAPERWORK))
    days = [season.event(event_id).day for event_id in order]
    assert days == sorted(days)
    monday, friday = season.event(EventId.SOAP).day, season.event(EventId.MATCH_DAY).day
    assert (monday.isoweekday(), friday.isoweekday()) == (1, 5)
    assert friday - monday == timedelta(days=4)
    assert 15 <= friday.day <= 21  # of the third week of March
    assert friday - season.event(EventId.RANK_LIST).day == timedelta(days=16)
    for event_id, month, weekday in ((EventId.ERAS_OPENS, 6, 3), (EventId.APPLY, 9, 3)):
        day = season.event(event_id).day  # the first Wednesday of its month
        assert (day.month, day.isoweekday(), day.day <= 7) == (month, weekday, True)
    assert season.event(EventId.REVIEW_BEGINS).day - season.event(EventId.APPLY).day == (
        timedelta(weeks=3)
    )
    start = season.event(EventId.START).day
    assert season.event(EventId.H1B_FILING).day == start - relativedelta(months=6)
    assert all(event.source.startswith("http") for event in season.events)


def test_the_season_under_way_begins_in_june() -> None:
    assert KNOWN.current(date(2027, 5, 31)).match == 2027
    assert KNOWN.current(date(2027, 6, 1)).match == 2028
    with pytest.raises(DataError, match=r"the 2031 Match; there is one for 2027, 2028"):
        KNOWN.season(2031)


@pytest.mark.parametrize(
    ("by", "day", "sure"),
    [
        ("2027-02-01", "2027-02-01", True),
        ("2026-02-01", "2027-02-01", False),  # last season's date, still on the page
        ("February 1", "2027-02-01", True),
        ("December 31st", "2026-12-31", True),
        ("June 15", "2027-06-15", True),
        ("Sept 1", "2026-09-01", True),
        ("before the rank list deadline", "2027-03-03", False),
        ("by the time of ranking", "2027-03-03", False),
        ("prior to the Match", "2027-03-19", True),
        ("at the time of application", "2026-09-02", False),
        ("before interviews", "2026-10-01", False),
        ("by the start of training", "2027-07-01", True),
        ("before filing", "2027-01-01", True),
        ("before certification", None, False),
        ("February 31, 2027", None, False),
    ],
)  # fmt: skip
def test_a_pages_words_become_a_day_of_the_season(by: str, day: str | None, sure: bool) -> None:
    found = KNOWN.place(by, SEASON)
    assert (found.day.isoformat() if found.day else None, found.sure) == (day, sure)
    assert found.words == by


@given(st.text(max_size=40))
def test_whatever_a_page_says_is_a_day_or_none(by: str) -> None:
    found = KNOWN.place(by, SEASON)
    assert found.day is None or isinstance(found.day, date)


def edited(folder: Path, name: str, change: Callable[[str], str]) -> Path:
    """A folder with one of our files, changed."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(change((OURS / name).read_text()))
    return folder


def test_a_file_of_ones_own_takes_the_place_of_ours(tmp_path: Path) -> None:
    name = "seasons/2027.toml"
    folder = edited(tmp_path, name, lambda text: text.replace("2027-03-03", "2027-03-10"))
    own = calendar(folder)
    assert own.season(2027).event(EventId.RANK_LIST).day == date(2027, 3, 10)
    assert own.season(2028) == KNOWN.season(2028)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.replace("day = 2027-03-03", 'day = "soon"'), r"events\.\d+\.day: .*date"),
        (lambda t: t.replace('id = "soap"', 'id = "soup"'), r"events\.\d+\.id: .*'soap'"),
        (lambda t: t.replace('id = "soap"', 'id = "start"'), "no event soap"),
        (lambda t: t.replace("from = 2027-03-19", "from = 2027-06-19"), "look from 2027-06-19"),
        (lambda t: t.replace("every = 2", "every = 0"), r"looks\.1\.every: .*greater than"),
        (lambda t: t.replace("day = 2027-07-01", "day = 2029-07-01"), "event start: .* not in"),
        (lambda t: t.replace("\nseen = 2026-11-24", "", 1), r"events\.0\.seen: "),
        (lambda t: re.sub(r"\nsource = .*", "", t, count=1), r"events\.0\.source: "),
        (lambda t: t.replace('basis = "stated"', 'basis = "sure"', 1), r"events\.0\.basis: "),
        (lambda t: t.replace('basis = "pattern"', 'basis = "stated"', 1), "apply: .*reckoned"),
        (lambda t: re.sub("\nreckoned = .*", "", t, count=1), "apply: .*reckoned"),
        (lambda _: "match = " + "[" * 100_000, "not valid TOML: maximum recursion"),
        (lambda _: "#" * 1_000_001, "larger than 1,000,000 bytes"),
        (lambda t: t + "\n[[event", "not valid TOML"),
        (lambda t: t.replace("match = 2027", "match = 2027\ncolour = 1"), "colour: "),
    ],
)  # fmt: skip
def test_a_bad_season_is_named_with_its_fault(
    tmp_path: Path, change: Callable[[str], str], words: str
) -> None:
    folder = edited(tmp_path, "seasons/2027.toml", change)
    with pytest.raises(DataError, match=rf"2027\.toml: .*{words}"):
        calendar(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"shortlist\.folder: there is no folder .*nowhere"):
        calendar(tmp_path / "nowhere")


def test_the_file_is_read_by_others_and_keeps_its_names() -> None:
    text = ical.written(ical.of_season(SEASON), "2027 Match", NOON)
    read = Read.from_ical(text)
    events = {str(e["uid"]): e for e in read.walk("VEVENT")}
    assert len(events) == len(EventId)
    soap = events["2027-soap@visawatch"]
    assert (soap.decoded("dtstart"), soap.decoded("dtend")) == (
        date(2027, 3, 15),
        date(2027, 3, 19),
    )
    assert "(expected)" not in str(soap["summary"])  # by a rule of the NRMP
    assert "by rule: Monday to Thursday of Match Week" in str(soap["description"])
    ranks = events["2027-rank_list@visawatch"]
    assert "(expected)" in str(ranks["summary"])
    assert "sixteen days before Match Day" in str(ranks["description"])
    assert all(len(line) <= 75 for line in text.split(b"\r\n"))


def save(store: Store, program_id: str, by: str, night: str = "2026-11-25T02:00:00Z") -> None:
    """A program that sponsors an H-1B with Step 3 by a date."""
    said = Policy(
        ((Visa.H1B, Stance.SPONSORED),), (Condition(Visa.H1B, ConditionKind.STEP3_PASSED, by),)
    ).to_json()
    with store.writing():
        programs.save(store, [Program(program_id, f"{program_id} Hospital", "Neurology")])
        policies.record(store, Standing(program_id, night, "read", said, said))


def test_programs_deadlines_stand_in_the_calendar(store: Store) -> None:
    for program_id, by in (("a", "before certification"), ("b", "February 1"), ("c", "2026-12-15")):
        save(store, program_id, by)
    found = deadlines.of_programs(store, KNOWN, SEASON)
    assert [(d.program.program_id, d.deadline.day) for d in found] == [
        ("c", date(2026, 12, 15)), ("b", date(2027, 2, 1)), ("a", None),
    ]  # fmt: skip
    dated = deadlines.as_dates(found, SEASON)
    assert [d.name for d in dated] == [
        "Step 3 passed, for the H-1B: c Hospital, Neurology",
        "Step 3 passed, for the H-1B: b Hospital, Neurology",
    ]


def finished(store: Store, at: datetime) -> int:
    """A cycle of that night that is done."""
    with store.writing():
        cycle, _ = cycles.open_one(store, stamp(at), at.strftime("%Y-%m-%dT%H:%MZ"))
        cycles.finish(store, cycle.id, stamp(at), {})
    return cycle.id


@pytest.mark.parametrize(
    ("first", "nights", "run"),
    [
        ("2026-07-10", 6, [0, 1, 2, 3, 4, 5]),  # applications: each night
        ("2026-11-25", 6, [0, 2, 4]),  # interviews: each second
        ("2027-04-10", 7, [0, 3, 6]),  # after the Match: each third
        ("2031-04-10", 3, [0, 1, 2]),  # no calendar is known
    ],
)
def test_nights_are_left_out_as_the_calendar_says(
    store: Store, first: str, nights: int, run: list[int]
) -> None:
    begin = datetime.fromisoformat(f"{first}T02:00+00:00")
    ran = []
    for number in range(nights):
        night = begin + timedelta(days=number)
        if due(store, night, KNOWN):
            ran.append(number)
            finished(store, night)
    assert ran == run


def test_the_next_cycle_is_the_one_that_is_due(store: Store) -> None:
    finished(store, datetime(2027, 4, 10, 2, tzinfo=UTC))
    for now, expected in (("2027-04-10T12:00", "2027-04-13"), ("2027-04-14T01:00", "2027-04-14")):
        moment = datetime.fromisoformat(f"{now}+00:00")
        found = vitals(store, moment, due=lambda s, night: due(s, night, KNOWN))
        assert found.next_at.date().isoformat() == expected


def test_a_year_that_never_was_is_not_waited_for(store: Store) -> None:
    """A clock that was ahead for one night has dated a cycle; then it was set right."""
    finished(store, datetime(2028, 4, 10, 2, tzinfo=UTC))
    assert due(store, datetime(2027, 4, 10, 2, tzinfo=UTC), KNOWN)
    finished(store, datetime(2027, 4, 10, 2, tzinfo=UTC))
    assert not due(store, datetime(2027, 4, 11, 2, tzinfo=UTC), KNOWN)


def test_no_night_is_left_out_after_a_wave_or_while_something_waits(store: Store) -> None:
    begin = datetime(2027, 4, 10, 2, tzinfo=UTC)
    cycle = finished(store, begin)
    assert not due(store, begin + timedelta(days=1), KNOWN)
    save(store, "a", "February 1")
    with store.writing():
        store.write("INSERT INTO pending VALUES ('a', 'withdrawn', ?1, ?1, 1)", (cycle,))
    assert due(store, begin + timedelta(days=1), KNOWN)
    with store.writing():
        store.write("DELETE FROM pending")
        waves.begin(store, "H-1B", "less", cycle)
    ran = []
    for number in range(1, 20):
        if due(store, begin + timedelta(days=number), KNOWN):
            ran.append(number)
            finished(store, begin + timedelta(days=number))
    assert ran == [*range(1, 14), 16, 19]


def test_the_scheduler_asks_and_goes_on_with_what_was_begun(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, ran = tmp_path / "v.db", []

    def run(store: Store, night: str, stop: Stop) -> None:
        if store.rows("SELECT 1 FROM cycles WHERE finished_at IS NOT NULL AND night = ?", (night,)):
            raise CycleBusy("the night was run")
        ran.append(night)
        finished(store, datetime.fromisoformat(night))

    now = datetime(2027, 4, 10, 2, tzinfo=UTC)
    nights = Nights(
        path, "02:00", run, lambda store: None, lambda: now, lambda s, night: due(s, night, KNOWN)
    )
    with caplog.at_level(logging.INFO):
        assert nights.run_due()
        now += timedelta(days=1)
        assert not nights.run_due()
    assert "2027-04-11T02:00Z is left out" in caplog.text
    with Store(path) as store, store.writing():
        cycles.open_one(store, stamp(now))  # somebody's crawl that was killed
    assert nights.run_due()
    assert ran == ["2027-04-10T02:00Z", "2027-04-11T02:00Z"]
