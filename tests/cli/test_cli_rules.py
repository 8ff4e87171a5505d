"""`visawatch rules`: a domain person tries a changed copy of the rules, without Python."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from loopback import Site
from shell import ROOT, Shell

from benchmarks.quality import held_out
from extractors.rulebook import rulebook

RULES = ROOT / "extractors" / "rules"
PAGE = """
<h1>Visas</h1>
<p>We accept J\u20131 visas, but we do not sponsor H1-b visas.</p>
<p>We do not have the ability to sponsor the O-1.</p>
<p>For residents who moonlight, H-1B is not supported.</p>
<p>Our clinic is by the river.</p>
<p>Do you sponsor J-1?</p><p>Yes.</p>
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the rules, to be changed."""
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


def change(copy: Path, file: str, old: str, new: str) -> None:
    text = (copy / file).read_text("utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1), "utf-8")


def test_the_rules_do_what_their_examples_say(shell: Shell) -> None:
    said = shell("rules", "test")
    assert said.out == ""
    assert said.err.startswith(f"{len(rulebook().rules)} rules, ")
    assert said.err.endswith(" examples, 0 faults\n")


def test_a_fault_names_file_rule_and_sentence(shell: Shell, copy: Path) -> None:
    change(copy, "only.toml", '"We only sponsor J-1 visas."', '"The \\u001b[31mbakery opens."')
    change(copy, "only.toml", '"H-1B is limited to six years."', '"It is limited to the J-1."')
    said = shell.process("rules", "test", "--rules", str(copy), status=1)
    assert said.out.splitlines() == [
        "only.toml: rule 'only-visa': does not fire in “The [31mbakery opens.”",
        "only.toml: rule 'limited-to': fires in “It is limited to the J-1.”, and must not",
    ]
    assert "2 faults" in said.err


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('id = "limited-to"\nsays', 'id = "limited-to"\ncolour', "unknown key 'colour'"),
        ('kind = "only"', 'kind = "lonely"', "'lonely' is not a valid RuleKind"),
        ("(?:only|solely", "(?=only|solely", "bad match"),
        ("{vlist}", "{vlost}", "unknown fragment {vlost}"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    shell: Shell, copy: Path, old: str, new: str, fault: str
) -> None:
    change(copy, "only.toml", old, new)
    said = shell.process("rules", "test", "--rules", str(copy), status=1)
    assert said.err.startswith("Error: only.toml: rule '"), said.err
    assert fault in said.err
    assert said.out == ""


@pytest.mark.parametrize("command", [["flips"], ["explain", "-"]])
def test_no_command_takes_such_a_file(shell: Shell, copy: Path, command: list[str]) -> None:
    (copy / "only.toml").write_text("[[rule]]\n")
    said = shell.process("rules", *command, "--rules", str(copy), status=1, stdin=PAGE.encode())
    assert said.err == "Error: only.toml: rule '?': 'id' is missing or empty\n"


def test_a_folder_must_hold_what_the_engine_needs(shell: Shell, copy: Path) -> None:
    change(copy, "vocabulary.toml", "small = ", "tiny = ")
    said = shell.process("rules", "test", "--rules", str(copy), status=1)
    assert said.err == f"Error: {copy}: no words 'small' are listed\n"


def test_explaining_a_page(shell: Shell, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(PAGE, "utf-8")
    lines = [line.strip() for line in shell("rules", "explain", str(page)).out.splitlines()]
    assert "We accept J–1 visas, but we do not sponsor H1-b visas." in lines
    assert "visa       j1: “J–1 visas”" in lines
    assert "offer      sponsor-verb: “accept” reaches up to “, but” (but)" in lines
    assert "refuse     does-not-sponsor: “do not sponsor” reaches from “, but” (but)" in lines
    assert "says: H-1B not sponsored, explicit (h1b, does-not-sponsor)" in lines
    turned = "sponsor-verb: “sponsor” turned into a refusal by “not” (negation)"
    assert any(turned in line for line in lines)
    assert any("left out: its clause is about something else" in line for line in lines)
    assert "decides: O-1 not sponsored (o1, negation)" in lines
    assert any(line.startswith("second reader: J-1 sponsored ") for line in lines)
    assert not any("river" in line for line in lines)
    assert lines[-2:-1] == ["J-1 only"]
    assert lines[-1].startswith("confidence 0.")


def test_colours_where_there_are_any(shell: Shell) -> None:
    body = b"<p>We do not sponsor H-1B visas.\x1b[2J</p>"
    plain = shell.process("rules", "explain", "-", stdin=body).out
    assert "\x1b" not in plain
    colours = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    coloured = shell.process("rules", "explain", "-", stdin=body, env=colours)
    assert "\x1b[1;3" in coloured.out
    assert "\x1b[2J" not in coloured.out


def test_no_bytes_make_explaining_fail(shell: Shell) -> None:
    for body in (b"", b"%PDF-1.4 nothing", bytes(range(256)) * 20, b"<p>J-1 [/bold] [red] visas"):
        shell("rules", "explain", "-", stdin=body)


def test_what_a_change_flips(shell: Shell, copy: Path, tmp_path: Path) -> None:
    saved = str(tmp_path / "before.json")
    said = shell("rules", "flips", "--save", saved)
    assert "no stored pages" in said.err
    assert not shell.db.exists()
    said = shell("rules", "flips", "--baseline", saved)
    assert said.out == ""
    assert "tune half: 0 of 223 passages flip, 0 to right, 0 to wrong" in said.err
    (copy / "only.toml").unlink()
    change(copy, "vocabulary.toml", "[fragments]", "[fragments]\nfiller = 'a'")
    said = shell.process("rules", "flips", "--rules", str(copy), "--baseline", saved)
    assert "not sponsored" in said.out
    assert "not as labelled" in said.out
    assert "held-out half: " in said.err
    assert len(said.out.splitlines()) >= 5
    assert not any(held.id in said.out for held in held_out())
    assert " 0 of " not in said.err


def test_a_file_that_flips_did_not_write(shell: Shell, tmp_path: Path) -> None:
    for text in ("no json", "[]", "{}", '{"readings": {"a": 7}}', '{"readings": {"a": {}}}'):
        file = tmp_path / "other.json"
        file.write_text(text)
        said = shell("rules", "flips", "--baseline", str(file), status=1)
        assert "was not written by --save" in said.err


def test_what_a_change_flips_of_stored_pages(shell: Shell, copy: Path, web: Site) -> None:
    web.page("/visas", "<title>Visas</title><h1>Visas</h1><p>We sponsor O-1 visas.</p>")
    shell.watch({"larkspur": web.url("/visas")})
    shell.crawl(web.host)
    assert "0 stored pages read by new rules" in shell("rules", "flips").err
    change(copy, "visas.toml", r"\bO-1A?\b{tail}|\bO ?1 visas?", "qqq")
    said = shell.process("rules", "flips", "--rules", str(copy))
    assert "- “We sponsor O-1 visas.”" in said.out
    assert "1 stored pages read by new rules, 1 policies flip" in said.err
    assert shell.policies()["larkspur"]["stances"] == {"O-1": "sponsored"}


def test_the_guide_is_true(shell: Shell, copy: Path, tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "rules.md").read_text("utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", guide, re.DOTALL | re.MULTILINE)
    (kind, page), (_, before), (_, rule), (_, after) = blocks[:4]
    assert kind == "html"
    (tmp_path / "page.html").write_text(page, "utf-8")
    explain = ["rules", "explain", str(tmp_path / "page.html")]
    assert before in unpadded(shell(*explain).out)
    with (copy / "refusals.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{rule}")
    assert "0 faults" in shell.process("rules", "test", "--rules", str(copy)).err
    assert after in unpadded(shell.process(*explain, "--rules", str(copy)).out)


def unpadded(text: str) -> str:
    """Lines without the spaces that fill a terminal."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_explaining_says_whom_a_sentence_speaks_of(shell: Shell, tmp_path: Path) -> None:
    page = tmp_path / "shared.html"
    page.write_text("<p>Surgery: J-1 only.</p><p>Neurology: J-1 and H-1B.</p>")
    said = shell("rules", "explain", str(page), "--specialty", "Neurology").out
    assert "speaks of: specialties Surgery: not of who asks" in said
    assert "decides: H-1B sponsored" in said
    assert "decides: H-1B not sponsored" not in said
