"""`visawatch classify`: files and standard input, without a database."""

from __future__ import annotations

from pathlib import Path

import pytest
from shell import Shell

from visawatch.demo.pdf import document

KEYS = ["source", "category", "stances", "conditions", "confidence", "needs_review", "evidence"]
EVIDENCE = ["visa", "stance", "quote", "start", "end", "rules"]
SENTENCE = "We sponsor J-1 visas only."
HTML = f"<title>Visas</title><h1>Visas</h1><p>{SENTENCE}</p>".encode()


def write(shell: Shell, name: str, content: bytes) -> str:
    (shell.folder / name).write_bytes(content)
    return str(shell.folder / name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", HTML),
        ("page.txt", SENTENCE.encode()),
        ("page.pdf", document([SENTENCE])),
        ("no-name", HTML),
        ("wrong-name.html", document([SENTENCE])),
    ],
)
def test_a_file_is_one_object(shell: Shell, name: str, content: bytes) -> None:
    file = write(shell, name, content)
    (found,) = shell("classify", file, "--json").json
    assert list(found) == KEYS
    assert found["source"] == file
    assert found["category"] == "j1_only"
    assert found["stances"] == {"J-1": "sponsored", "H-1B": "not_sponsored"}
    assert isinstance(found["confidence"], float)
    assert found["needs_review"] is False
    for evidence in found["evidence"]:
        assert list(evidence) == EVIDENCE
        assert evidence["quote"] == SENTENCE
        assert evidence["end"] - evidence["start"] == len(SENTENCE)


def test_a_condition_has_its_visa_kind_and_date(shell: Shell) -> None:
    text = b"We sponsor H-1B visas. H-1B applicants must have passed USMLE Step 3 by 2027-02-01."
    (found,) = shell("classify", "--json", stdin=text).json
    assert {"visa": "H-1B", "kind": "step3_passed", "by": "2027-02-01"} in found["conditions"]


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_standard_input_is_read(shell: Shell, arguments: tuple[str, ...]) -> None:
    (found,) = shell("classify", "--json", *arguments, stdin=HTML).json
    assert (found["source"], found["category"]) == ("-", "j1_only")


def test_files_come_in_their_order(shell: Shell) -> None:
    files = [write(shell, "b.html", HTML), write(shell, "a.txt", b"Parking is free.")]
    found = shell("classify", "--json", *files).json
    assert [(f["source"], f["category"]) for f in found] == [
        (files[0], "j1_only"),
        (files[1], "unstated"),
    ]


@pytest.mark.parametrize("content", [b"", b"\0\xff\xfe\x01" * 999, b"%PDF-1.7 broken", b"\x1f\x8b"])
def test_what_says_nothing_is_unstated(shell: Shell, content: bytes) -> None:
    (found,) = shell("classify", "--json", write(shell, "odd.html", content)).json
    assert list(found) == KEYS
    assert (found["category"], found["stances"], found["evidence"]) == ("unstated", {}, [])


def test_people_read_the_policy_and_the_sentence(shell: Shell) -> None:
    said = shell("classify", write(shell, "page.html", HTML)).out
    assert "J-1 only" in said
    assert f"J-1 sponsored: “{SENTENCE}”" in said


def test_markup_in_a_page_is_not_markup_in_the_terminal(shell: Shell) -> None:
    said = shell("classify", stdin=b"We sponsor [bold red]J-1[/] visas only [link=x]here.").out
    assert "[bold red]" in said


def test_a_page_cannot_talk_to_the_terminal(shell: Shell) -> None:
    text = "We sponsor J-1 visas \x1b[2J\x1b]0;owned\x07\x9b31m \u202eonly."
    said = shell("classify", stdin=text.encode()).out
    assert "We sponsor J-1 visas" in said
    assert {c for c in said if not c.isprintable()} == {"\n"}


def test_a_file_that_is_not_there_is_wrong_usage(shell: Shell) -> None:
    said = shell("classify", "nowhere.html", status=2)
    assert "'nowhere.html' does not exist" in said.err
    assert said.out == ""


def test_no_database_is_made(shell: Shell, tmp_path: Path) -> None:
    shell("classify", "--json", stdin=HTML)
    assert not shell.db.exists()
    assert list(tmp_path.glob("*.db*")) == []


SHARED = (
    b"<p>Surgery: J-1 only.</p><p>Neurology: J-1 and H-1B.</p>"
    b"<p>No visas are sponsored for fellows.</p>"
)


@pytest.mark.parametrize(
    ("options", "category"),
    [
        (("--specialty", "Surgery"), "j1_only"),
        (("--specialty", "neurology", "--level", "residency"), "j1_and_h1b"),
        (("--level", "fellowship", "--specialty", "Cardiology"), "no_sponsorship"),
    ],
)
def test_a_page_that_programs_share_is_read_for_one(
    shell: Shell, options: tuple[str, ...], category: str
) -> None:
    file = write(shell, "shared.html", SHARED)
    (found,) = shell("classify", file, "--json", *options).json
    assert found["category"] == category
