"""`visawatch calendar`, as a person and as a script use it."""

from __future__ import annotations

from icalendar import Calendar
from shell import Shell


def test_the_season_under_way_is_shown(shell: Shell) -> None:
    shell.options = ["--now", "2026-11-25T02:00:00Z"]
    out = shell("calendar").out
    assert "The season of the 2027 Match" in out
    assert "2027-03-19" in out
    lines = shell("calendar", "--json", "--season", "2028").json
    assert [line["day"] for line in lines if line["event"] == "match_day"] == ["2028-03-17"]


def test_a_file_for_a_calendar_program_is_written(shell: Shell) -> None:
    file = shell.folder / "season.ics"
    shell("calendar", "--season", "2027", "--programs", "--ics", str(file))
    assert len(Calendar.from_ical(file.read_bytes()).walk("VEVENT")) == 12


def test_faults_name_the_way_out(shell: Shell) -> None:
    assert "there is one for 2027, 2028" in shell("calendar", "--season", "1999", status=1).err
    shell.settings = {"shortlist": {"folder": str(shell.folder / "none")}}
    assert "there is no folder" in shell("calendar", status=1).err
