"""The labelled passages, as pages to read: see tests/data/README.md."""

from __future__ import annotations

import hashlib
import html
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent.parent / "tests" / "data"


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a page, and what an expert reads in it for the program that asks."""

    id: str
    text: str
    pattern: str
    level: str
    specialty: str
    stances: dict[str, str]
    conditions: frozenset[tuple[str, str]]  # (visa, kind)

    @property
    def held_out(self) -> bool:
        """Of the 460: whether it is of the half that nobody looks at while writing rules."""
        return hashlib.sha256(self.id.encode()).digest()[0] % 2 == 1

    def page(self) -> tuple[bytes, str]:
        """The passage as a page's bytes and content type."""
        if self.pattern == "pdf":
            return self.text.encode(), "text/plain; charset=utf-8"
        if self.pattern == "html":
            return self.text.encode(), "text/html; charset=utf-8"
        return as_html(self.text).encode(), "text/html; charset=utf-8"


def passages() -> list[Passage]:
    """The 460 passages that were written apart from the rules."""
    return _passages("passages_a.jsonl") + _passages("passages_b.jsonl")


def reworded() -> list[Passage]:
    """The 86 passages reworded from real pages, as pages; their labels tell no level."""
    rows = (DATA / "statements.jsonl").read_text("utf-8").splitlines()
    return [
        Passage(
            f"real-{number}", row["passage"], row["page_kind"], "", "", row["stances"], frozenset()
        )
        for number, row in enumerate(map(json.loads, rows), 1)
    ]


def variants() -> list[Passage]:
    """Short pieces of HTML that were written with the rules."""
    rows = (DATA / "variants.jsonl").read_text("utf-8").splitlines()
    found = []
    for number, row in enumerate(map(json.loads, rows), 1):
        said = {"J-1": row.get("j1", ""), "H-1B": row.get("h1b", "")}
        stances = {visa: stance for visa, stance in said.items() if stance not in ("", "unstated")}
        found.append(
            Passage(f"variant-{number}", row["html"], "html", "", "", stances, frozenset())
        )
    return found


def development() -> list[Passage]:
    """Passages that were written apart from the rules, for rules to be written with."""
    return _passages("development.jsonl")


def taught() -> list[Passage]:
    """Sentences and short pieces that the second reader is taught with (training/)."""
    return _passages("taught.jsonl")


def surroundings() -> list[str]:
    """Lines as they stand around a policy, none of which states one (training/)."""
    rows = (DATA / "surroundings.jsonl").read_text("utf-8").splitlines()
    return [json.loads(row)["line"] for row in rows]


def as_html(text: str) -> str:
    """A passage's lines as headings, lists, tables and paragraphs.

    >>> as_html("# Visas\\n- J-1\\n- H-1B")
    '<h2>Visas</h2><ul><li>J-1</li><li>H-1B</li></ul>'
    """
    parts = []
    for kind, lines in itertools.groupby(text.split("\n"), key=_kind):
        texts = [html.escape(line) for line in lines if line.strip()]
        if kind == "item":
            items = "".join(f"<li>{line.lstrip()[2:]}</li>" for line in texts)
            parts.append(f"<ul>{items}</ul>")
        elif kind == "row":
            parts.append(f"<table>{''.join(_row(n, line) for n, line in enumerate(texts))}</table>")
        elif kind == "heading":
            parts += [f"<h2>{line[2:]}</h2>" for line in texts]
        else:
            parts += [f"<p>{line}</p>" for line in texts]
    return "".join(parts)


def _kind(line: str) -> str:
    if line.lstrip().startswith("- "):
        return "item"
    if line.startswith("# "):
        return "heading"
    return "row" if " | " in line else "paragraph"


def _row(number: int, line: str) -> str:
    tag = "td" if number else "th"
    return f"<tr>{''.join(f'<{tag}>{cell}</{tag}>' for cell in line.split(' | '))}</tr>"


def _passages(name: str) -> list[Passage]:
    return [
        Passage(
            id=row["id"],
            text=row["passage"],
            pattern=row["pattern"],
            level=row["level"],
            specialty=row["specialty"],
            stances=row["stances"],
            conditions=frozenset((c["visa"], c["kind"]) for c in row["conditions"]),
        )
        for row in _rows(name)
    ]


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines() if line]
