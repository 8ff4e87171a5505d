"""The hostile cases of this folder, as values: what is in the TOML files, expanded."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FULL = os.environ.get("HOSTILE") == "full"
TRUTH = "<h1>Visas</h1><p>We sponsor only J-1 visas.</p>"
LIE = "<p>We also sponsor H-1B visas.</p>"
HTML = "text/html; charset=utf-8"
_SCALE = 1.0 if FULL else 0.1  # of what is repeated


@dataclass(frozen=True, slots=True)
class Page:
    """A page, how it is sent, and what must come of it: a category, or a health."""

    name: str
    why: str
    body: bytes
    type: str = HTML
    headers: dict[str, str] = field(default_factory=dict)
    says: str = ""  # a category; "" for one that is not foretold
    health: str = "ok"
    heavy: bool = False


@cache
def pages() -> tuple[Page, ...]:
    """All pages, in the order of the files."""
    found = []
    for path in sorted((HERE / "pages").glob("*.toml")):
        data = tomllib.loads(path.read_text("utf-8"))
        for family in data.get("family", ()):
            found += [_page(family, *case) for case in family["cases"]]
        for bulk in data.get("bulk", ()):
            found += [_heavy(bulk, *case) for case in bulk["cases"]]
    assert len({page.name for page in found}) == len(found), "two cases have one name"
    return tuple(found)


def _page(family: dict[str, Any], name: str, case: Any, why: str) -> Page:
    own = {"piece": case} if isinstance(case, str) else case
    flood = "9" * own.get("flood", 0)
    piece = own.get("piece", "")
    if "type" not in own:
        piece += flood + own.get("then", "")
    if family.get("escaped"):
        # A reference stays one: "&#xD83D;" is no text that anything could be written as.
        piece = piece if piece.startswith("&#") else escape(piece)
    text = family["page"].replace("{}", piece) if "{}" in family["page"] else piece
    text = text or family["page"]
    headers = {k: v.replace("{flood}", "x" * 8_000) for k, v in own.get("headers", {}).items()}
    return Page(
        f"{family['name']}-{name}",
        why,
        _told(text).encode(own.get("encoding", "utf-8")),
        own.get("type", HTML) + (flood if "type" in own else ""),
        headers,
        family.get("says", ""),
        own.get("health", family.get("health", "ok")),
    )


def _heavy(bulk: dict[str, Any], name: str, pieces: Any, why: str, type: str = HTML) -> Page:
    body = "".join(_told(part) for text, times in pieces for part in _repeated(text, times))
    name = f"{bulk['name']}-{name}"
    return Page(name, why, body.encode(), type, says=bulk.get("says", ""), heavy=True)


def _repeated(text: str, times: int) -> Iterator[str]:
    times = max(1, int(times * _SCALE)) if times > 1 else 1
    if "{n}" not in text:
        yield text * times
    else:
        yield from (text.replace("{n}", str(number)) for number in range(times))


def _told(text: str) -> str:
    return text.replace("{truth}", TRUTH).replace("{lie}", LIE)
