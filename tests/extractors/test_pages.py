"""Whole pages (of invented hospitals): each `pages/X.html` reads as `pages/X.json` says.

A new case is two files and no code: `stances` in full, `conditions` by kind, and what the
page's normalised text must and must not hold.
"""

import json
from pathlib import Path

import pytest

from extractors import classify, page_text

PAGES = sorted((Path(__file__).parent / "pages").glob("*.html"))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_a_page_reads_as_expected(path: Path) -> None:
    want = json.loads(path.with_suffix(".json").read_text("utf-8"))
    body = path.read_bytes()
    policy = classify(body)
    assert {str(v): str(s) for v, s in policy.stances} == want["stances"]
    assert {str(c.kind) for c in policy.conditions} == set(want["conditions"])
    text = page_text(body)
    assert [t for t in want["text_has"] if t not in text] == []
    assert [t for t in want["text_lacks"] if t in text] == []


def test_every_page_has_its_expectation() -> None:
    assert len(PAGES) >= 15
    assert [p.name for p in PAGES if not p.with_suffix(".json").exists()] == []
