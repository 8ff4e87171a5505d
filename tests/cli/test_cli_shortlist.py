"""`visawatch shortlist`, as a person and as a script use it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from icalendar import Calendar
from shell import Shell

from extractors.values import Condition, ConditionKind, Policy, Stance, Visa
from store import policies, programs
from store.database import Store
from store.records import Program, Standing

NOW = "2026-11-25T12:00:00Z"
YES, NO = Stance.SPONSORED, Stance.NOT_SPONSORED


@pytest.fixture
def list_shell(shell: Shell) -> Shell:
    """A shell over three programs with policies."""
    shell.options = ["--now", NOW]
    step3 = (Condition(Visa.H1B, ConditionKind.STEP3_PASSED, "February 1"),)
    with Store(shell.db) as store, store.writing():
        for program_id, stances, conditions in (
            ("both", {Visa.J1: YES, Visa.H1B: YES}, step3),
            ("j1", {Visa.J1: YES, Visa.H1B: NO}, ()),
            ("none", {Visa.J1: NO, Visa.H1B: NO}, ()),
        ):
            programs.save(
                store,
                [Program(program_id, f"=cmd {program_id}\x1b[2J", "Neurology", state="MA")],
            )
            said = Policy(tuple(stances.items()), conditions).to_json()
            policies.record(store, Standing(program_id, NOW, "read", said, said))
    return shell


def test_a_list_for_a_person(list_shell: Shell) -> None:
    out = list_shell("shortlist", "--visa", "either", "--step3", "2027-01-15", "--steps").out
    assert "The 2027 Match: 2 of 3 programs are not ruled out" in out
    assert "have Step 3" in out
    assert "DS-2019" in out
    assert "Rules of the land" in out
    assert "\x1b" not in out


def test_a_list_for_a_script(list_shell: Shell) -> None:
    *lines, summary = list_shell("shortlist", "--visa", "H-1B", "--step3", "passed", "--json").json
    assert [(line["program_id"], line["class"], line["stands"]) for line in lines] == [
        ("both", "j1_and_h1b", "open")
    ]
    parts = lines[0]["parts"].values()
    assert lines[0]["score"] == pytest.approx(sum(p["points"] for p in parts), abs=0.5)
    assert (summary["considered"], summary["not_ruled_out"], summary["chosen"]) == (3, 1, 1)
    assert {w["what"]: w["opens"] for w in summary["what_if"]} == {
        "you take a J-1 or an H-1B": ["j1"]
    }


def test_a_profile_comes_from_a_file_and_flags_stand_for_it(list_shell: Shell) -> None:
    toml, other = list_shell.folder / "me.toml", list_shell.folder / "me.json"
    toml.write_text('visa = "H-1B"\nstep3 = 2027-03-01\n[weights]\nsure = 9\n')
    other.write_text(json.dumps({"visa": "J-1", "places": ["CT"]}))
    (summary,) = list_shell("shortlist", "--profile", str(toml), "--json").json
    reasons = [one["why"] for one in summary["ruled_out"]]
    assert any(r.startswith("for the H-1B it asks for Step 3 by 2027-02-01") for r in reasons)
    *lines, _ = list_shell(
        "shortlist", "--profile", str(toml), "--step3", "passed", "--weight", "visa=1", "--json"
    ).json
    weights = {name: part["weight"] for name, part in lines[0]["parts"].items()}
    assert (weights["sure"], weights["visa"]) == (9, 1)
    assert len(list_shell("shortlist", "--profile", str(other), "--json").json) == 1


def test_files_of_a_list(list_shell: Shell) -> None:
    table, ics = list_shell.folder / "list.csv", list_shell.folder / "list.ics"
    mine = ("--visa", "either", "--step3", "passed")
    list_shell("shortlist", *mine, "--csv", str(table), "--ics", str(ics))
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["program_id"] for row in rows] == ["both", "j1"]
    assert rows[0]["institution"].startswith("'=cmd")
    names = [str(e["summary"]) for e in Calendar.from_ical(ics.read_bytes()).walk("VEVENT")]
    assert any(name.startswith("Step 3 passed, for the H-1B: =cmd both") for name in names)
    assert any(name.startswith("J-1: ") for name in names)


def test_a_list_is_watched(list_shell: Shell) -> None:
    said = list_shell("shortlist", "--visa", "J-1", "--watch", "ana@inbox.example").err
    assert "ana@inbox.example is told when one of these 2 programs changes" in said
    (one,) = list_shell("subscriptions", "--json").json
    assert one["program_id"] == "both j1"
    assert "of 2 programs (both, j1)" in list_shell("subscriptions").out.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "'visa': must be given"),
        (("--visa", "tourist"), "'visa': Input should be"),
        (("--visa", "J-1", "--specialty", "Neurologie"), "did you mean Neurology?"),
        (("--visa", "J-1", "--weight", "luck=3"), "there is no such weight"),
        (("--visa", "J-1", "--what-if", "luck"), "write NAME=VALUE"),
        (("--profile", "nowhere.toml"), "cannot be read: No such file"),
    ],
)
def test_faults_name_the_way_out(list_shell: Shell, arguments: tuple[str, ...], words: str) -> None:
    assert words in list_shell("shortlist", *arguments, status=1).err


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("me.toml", b"visa = ", "not valid TOML"),
        ("me.json", b"[1]", "a profile is a table"),
        ("me.json", b"{", "not valid JSON"),
        ("me.json", b"[" * 100_000, "not valid JSON: maximum recursion"),
        ("me.toml", b"visa = " + b"[" * 100_000, "not valid TOML: maximum recursion"),
        ("me.toml", b"#" * 1_000_001, "larger than 1,000,000 bytes"),
        ("me.toml", b"\xff\xfe", "it is no UTF-8 text"),
        ("me.toml", b'visa = "J-1"\nhobby = "chess"', "'hobby': there is no such thing"),
    ],
)
def test_a_bad_file_is_named(
    list_shell: Shell, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert words in list_shell("shortlist", "--profile", str(file), status=1).err
