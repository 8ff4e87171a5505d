"""Hostile files, each given to its command: a clear error in time, and nothing taken of it."""

from __future__ import annotations

import time
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cases import HERE
from shell import Shell
from tame import obeyed

from crawler.sitemap import read_sitemap
from extractors import classify, unreadable

SECONDS = 5.0  # of a core for one file


@dataclass(frozen=True, slots=True)
class File:
    """A file, the command that gets it, and words of what it must say."""

    name: str
    command: tuple[str, ...]
    content: str
    says: str


def files() -> list[File]:
    data = tomllib.loads((HERE / "files.toml").read_text("utf-8"))
    return [
        File(
            f"{family['name']}-{name}",
            tuple(family["command"]),
            family["file"].replace("{}", _piece(piece)),
            says,
        )
        for family in data["family"]
        for name, piece, says in family["cases"]
    ]


def _piece(piece: Any) -> str:
    if isinstance(piece, str):
        return piece
    before, text, times, end = piece if len(piece) == 4 else ("", *piece)
    if times == 1:
        return f"{text}{'9' * 30_000}{end}"
    many = "".join(text.replace("{n}", str(number)) for number in range(times))
    return f"{before}{many}{end}"


ALL = files()


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    shell = Shell(tmp_path_factory.mktemp("files"))
    shell.watch({"larkspur": "https://larkspur.example/"})
    return shell


@pytest.mark.parametrize("file", ALL, ids=lambda file: file.name)
def test_a_file_gets_a_clear_error_in_time(shell: Shell, file: File) -> None:
    (name,) = [part for part in file.command if part.startswith("FILE")]
    path = shell.folder / f"{file.name}{Path(name).suffix}"
    path.write_bytes(file.content.encode("utf-8", "surrogatepass"))
    begun = time.process_time()
    said = shell(*(str(path) if part == name else part for part in file.command), status=1)
    assert time.process_time() - begun < SECONDS
    assert file.says.lower() in said.err.lower()
    assert path.stem in said.err
    assert obeyed(said.out + said.err) == set()
    assert "Traceback" not in said.err
    assert [line["program_id"] for line in shell("programs", "list", "--json").json] == ["larkspur"]


PDFS = {
    "head alone": b"%PDF-1.7\n",
    "cut": b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
    "html inside": b"%PDF-1.7\n<html><p>We sponsor only J-1 visas.</p>",
    "circle": b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]/Count 9>>endobj\n"
    b"trailer<</Root 1 0 R>>",
    "prev of itself": b"%PDF-1.7\nxref\n0 0\ntrailer<</Prev 9>>\nstartxref\n9\n%%EOF",
    "far": b"%PDF-1.7\nstartxref\n99999999999999999999\n%%EOF",
    "negative": b"%PDF-1.7\nstartxref\n-1\n%%EOF",
    "a million pages": b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Count 1000000000/Kids[]>>endobj\ntrailer<</Root 1 0 R>>",
    "script": b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj",
    "zeros": b"%PDF-1.7\n" + bytes(100_000),
}


@pytest.mark.parametrize("name", PDFS)
def test_a_pdf_states_nothing_or_is_told_unreadable(name: str) -> None:
    policy = classify(PDFS[name], "application/pdf")
    assert policy.stances == ()
    assert policy.evidence == ()
    assert unreadable(PDFS[name], "application/pdf").startswith("the PDF") or name in (
        "a million pages",
        "circle",
    )


SITEMAPS = {
    "other schemes": b"<loc>javascript:alert(1)</loc><loc>file:///etc/passwd</loc>",
    "relative": b"<loc>../../visa</loc><loc>//evil.example/visa</loc>",
    "references": b"<loc>/visa&#" + b"9" * 1_900 + b";</loc>",
    "controls": b"<loc>/visa\x00\x1b[2J\xff\xfe</loc>",
    "brackets": b"<loc>http://[</loc><loc>http://[::1/visa</loc>",
    "spaces": b"<loc>\n\n /visa x </loc>",
    "many": b"<loc>/visa-%d</loc>" * 100_000,
    "an index of itself": b"<sitemapindex>" + b"<loc>/sitemap.xml</loc>" * 10_000,
    "bomb": b"\x1f\x8b\x08\0\0\0\0\0\0\0",
    "no end": b"<loc>" * 100_000,
}


@pytest.mark.parametrize("name", SITEMAPS)
def test_a_sitemap_lists_few_addresses_that_can_be_asked(name: str) -> None:
    begun = time.process_time()
    found = read_sitemap(SITEMAPS[name], "https://larkspur.example/sitemap.xml", 10**7)
    assert time.process_time() - begun < SECONDS
    assert len(found.links) <= 200
    for link in found.links:
        assert not obeyed(link.url), link


def test_there_are_as_many_as_we_say() -> None:
    assert len(ALL) + len(PDFS) + len(SITEMAPS) >= 90
