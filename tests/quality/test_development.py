"""The development set is sound, and shares no passage with the sets that are scored."""

import json
import re
from pathlib import Path

import pytest

from benchmarks.labelled import DATA, Passage, as_html, development, taught
from extractors import AT_DISCRETION, ConditionKind, Stance, Visa

FILE = DATA / "development.jsonl"
PASSAGES = development()


def letters(text: str) -> str:
    return re.sub(r"<[^>]*>|[\W_]+", "", text.casefold())


def scored(path: Path) -> set[str]:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]
    return {letters(row.get("passage") or row.get("html") or row["line"]) for row in rows}


@pytest.mark.parametrize("passage", PASSAGES, ids=[passage.id for passage in PASSAGES])
def test_a_row_is_labelled_with_words_that_are_known(passage: Passage) -> None:
    stances = {Visa(visa): Stance(stance) for visa, stance in passage.stances.items()}
    kinds = {(Visa(visa), ConditionKind(kind)) for visa, kind in passage.conditions}
    assert as_html(passage.text)
    assert passage.level in {"residency", "fellowship"}
    assert Stance.UNSTATED not in stances.values()
    for visa, stance in stances.items():
        said = {kind for about, kind in kinds if about is visa}
        assert bool(said & AT_DISCRETION) == (stance is Stance.CONDITIONAL)
        if stance is Stance.NOT_SPONSORED:
            assert said <= {ConditionKind.PAUSED}
    assert {visa for visa, _ in kinds} <= stances.keys()
    assert not (passage.pattern.startswith("near_miss") and stances)


def test_no_two_rows_are_the_same() -> None:
    assert len({passage.id for passage in PASSAGES}) == len(PASSAGES)
    assert len({letters(passage.text) for passage in PASSAGES}) == len(PASSAGES)


def test_no_passage_stands_in_a_set_that_is_scored() -> None:
    others = set().union(*(scored(path) for path in DATA.glob("*.jsonl") if path != FILE))
    shared = [passage.id for passage in PASSAGES if letters(passage.text) in others]
    assert len(others) > 500
    assert not shared


def test_nothing_is_taught_that_is_scored() -> None:
    files = ("statements.jsonl", "passages_a.jsonl", "passages_b.jsonl")
    others = set().union(*(scored(DATA / name) for name in files))
    shared = [passage.id for passage in taught() if letters(passage.text) in others]
    assert len(others) > 500
    assert not shared
