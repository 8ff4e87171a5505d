"""A table that somebody exported or typed from FREIDA: its columns, its words, whom it means."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest
from shell import Shell
from watching import NOW

from extractors import Stance, Visa
from sources.freida import FreidaError, Imported, import_
from sources.weigh import sides
from store import evidence, programs
from store.database import Store
from store.records import Program

HEADER = "ACGME ID,Sponsoring Institution,Specialty,City,State,Visa Status"
J1 = "J-1 visa sponsorship through ECFMG"


def take(store: Store, *rows: str, header: str = HEADER, **options: object) -> Imported:
    content = "\n".join([header, *rows]).encode()
    return import_(store, content, NOW, by="ada", **options)  # type: ignore[arg-type]


def said(store: Store, program_id: str) -> dict[Visa, Stance]:
    return dict(sides(store, program_id, NOW).policy.stances)


def test_a_row_is_matched_by_its_number(watched: Store) -> None:
    done = take(watched, f'180-24-00001,Marrow Bay,Neurology,,,"{J1}; H-1B visa"')
    assert [(m.program.program_id, m.by_id) for _, m in done.taken] == [("marrow-neuro", True)]
    assert said(watched, "marrow-neuro") == {
        Visa.J1: Stance.SPONSORED,
        Visa.H1B: Stance.SPONSORED,
    }
    (saying,) = evidence.of_programs(watched)["marrow-neuro"]
    assert saying.link.endswith("/program/1802400001")
    assert saying.said["conditions"] == [{"visa": "J-1", "kind": "ecfmg_certified"}]


@pytest.mark.parametrize(
    ("visas", "stances"),
    [
        (J1, {Visa.J1: Stance.SPONSORED}),
        ("H-1B visa", {Visa.H1B: Stance.SPONSORED}),
        ("F-1 visa (OPT 1st year)", {Visa.F1_OPT: Stance.SPONSORED}),
        (
            f"{J1}, H-1B visa, F-1 visa (OPT 1st year)",
            {Visa.J1: Stance.SPONSORED, Visa.H1B: Stance.SPONSORED, Visa.F1_OPT: Stance.SPONSORED},
        ),
        ("None", {Visa.J1: Stance.NOT_SPONSORED, Visa.H1B: Stance.NOT_SPONSORED}),
        ("", {}),
    ],
)
def test_its_words_for_visas(watched: Store, visas: str, stances: dict[Visa, Stance]) -> None:
    take(watched, f'1802400001,,,,,"{visas}"')
    assert said(watched, "marrow-neuro") == stances


@pytest.mark.parametrize(
    ("row", "program"),
    [
        (",Marrow Bay Medical Center,Internal Medicine,Salem,MA", "marrow-im"),
        (",Marrow Bay Medical Ctr,Internal Medicine,,", "marrow-im"),
        (",Quillwater Community Hosp.,Internal medicine,Dover,NH", "quill-im"),
        ("9999,QUILLWATER COMMUNITY HOSPITAL,IM,Dover,NH", "quill-im"),
    ],
)
def test_without_a_number_that_is_known_it_is_matched_by_name(
    watched: Store, row: str, program: str
) -> None:
    ((_, match),) = take(watched, f"{row},{J1}").taken
    assert match.program.program_id == program
    assert match.confidence >= 0.9
    assert not match.by_id


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",Marrow Bay Medical Center,Psychiatry,,", "no program of this specialty"),
        (",Marrow Bay Medical Center,Internal Medicine,Salem,OR", "no program of this specialty"),
        (",Marrow,Internal Medicine,,", "too far off"),
        (",Lantern Hill Hospital,Internal Medicine,,", ""),
        ("1234567890,Lantern Hill Hospital,Internal Medicine,,", "too far off"),
        ("1234567890,,,,", "no program has its ACGME ID"),
    ],
)
def test_a_row_that_is_not_matched_is_reported(watched: Store, row: str, reason: str) -> None:
    done = take(watched, f"{row},{J1}")
    if not reason:  # by its name, when it does not say another number
        assert done.taken
        return
    (skipped,) = done.skipped
    assert skipped.line == 2
    assert reason in skipped.reason
    assert evidence.of_programs(watched) == {}


def test_words_and_days_that_are_none_are_reported_and_the_rest_is_taken(watched: Store) -> None:
    done = take(
        watched,
        "1802400001,,,,,Green card,2026-11-01",
        f"1802400001,,,,,{J1},yesterday",
        f"1802400001,,,,,{J1},2027-01-01",
        f"1402400009,,,,,{J1},2026-11-01",
        header=HEADER + ",Date",
    )
    assert [
        (s.line, s.reason.split("'")[1] if "'" in s.reason else s.reason) for s in done.skipped
    ] == [
        (2, "Green card"),
        (3, "yesterday"),
        (4, "2027-01-01 is still to come"),
    ]
    assert len(done.taken) == 1


def test_a_long_table_is_read_in_its_length(store: Store) -> None:
    """Nobody else can write meanwhile. Each row against each program would be nine seconds."""
    numbers = range(1_000_000_000, 1_000_004_000)
    with store.writing():
        programs.save(
            store,
            [Program(f"p{n}", f"Hospital {n}", "Neurology", acgme_id=f"{n}") for n in numbers],
        )
    begun = time.process_time()
    done = take(store, *(f"{n},J-1" for n in numbers), header="acgme_id,visas")
    assert time.process_time() - begun < 3
    assert len(done.taken) == len(numbers)


def test_the_same_file_twice_says_it_once(watched: Store) -> None:
    row = f"1802400001,,,,,{J1}"
    assert len(take(watched, row, seen=date(2026, 11, 1)).taken) == 1
    assert take(watched, row, seen=date(2026, 11, 1)).repeated == 1
    assert len(evidence.of_programs(watched)["marrow-neuro"]) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"Name,Visa\n", "needs a column of visas, and one of ACGME IDs"),
        (b"ACGME ID,Specialty\n1,x\n", "needs a column of visas"),
        (b"ACGME ID,Visa\n1,J-1,more\n", "line 2: has 3 columns, the header has 2"),
        (b'ACGME ID,Visa\n1,"J-1\n', "line"),
        (b"ACGME ID,Visa\n1,caf\xe9\n", "line 2: not UTF-8"),
        (b"x" * 20_000_001, "larger than"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(watched: Store, content: bytes, says: str) -> None:
    with pytest.raises(FreidaError, match=says):
        import_(watched, content, NOW, by="ada")


def test_the_command_reports_each_row(shell: Shell, watched: Store, tmp_path: Path) -> None:
    table = tmp_path / "freida.csv"
    table.write_text(
        f"No,Where,Field,Takes,Beds\n1802400001,,,{J1},9\n77,Nowhere,Neurology,J-1,9\n"
    )
    columns = [f"--column={c}" for c in ("acgme_id=No", "institution=Where", "specialty=Field")]
    done = shell("sources", "import", str(table), *columns, "--column=visas=Takes", "--by", "ada")
    assert "columns not used: Beds" in done.err
    assert "line 3: not taken (77, Nowhere, Neurology)" in done.err
    assert "1 rows taken, 1 not" in done.err
    assert shell("sources", "show", "marrow-neuro", "--json").json[0]["needs_review"] is True
    bad = shell("sources", "import", str(table), "--column=visas=Nothing", status=1)
    assert "has no column 'Nothing'" in bad.err
