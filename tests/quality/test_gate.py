"""The quality gate: floors on both halves of the labelled passages, which only ever rise."""

from __future__ import annotations

import subprocess
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from benchmarks import quality
from benchmarks.baselines import ROOT

FILE = Path(__file__).parent / "floors.toml"
FLOORS: dict[str, dict[str, float]] = tomllib.loads(FILE.read_text("utf-8"))
FIGURES = [field.name for field in fields(quality.Score)]


@pytest.fixture(scope="module")
def scores() -> dict[str, quality.Score]:
    """What is reached now. Of the held-out half, figures are all that a failure can show."""
    halves = {"tune": quality.tune(), "held_out": quality.held_out()}
    return {half: quality.score(cases, quality.ours(cases)) for half, cases in halves.items()}


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("half", ["tune", "held_out"])
def test_no_figure_falls_below_its_floor(
    scores: dict[str, quality.Score], half: str, figure: str
) -> None:
    reached = getattr(scores[half], figure)
    assert reached is None or reached >= FLOORS[half][figure]


def test_every_figure_has_a_floor_and_nothing_else() -> None:
    assert {half: list(floors) for half, floors in FLOORS.items()} == {
        "tune": FIGURES,
        "held_out": FIGURES,
    }


def test_no_floor_is_lower_than_it_was_in_any_commit() -> None:
    path = FILE.relative_to(ROOT).as_posix()
    for commit in git("log", "--format=%H", "--diff-filter=AM", "--", path).split():
        before = tomllib.loads(git("show", f"{commit}:{path}"))
        for half, floors in before.items():
            for figure, floor in floors.items():
                assert FLOORS[half][figure] >= floor, f"{half} {figure} was {floor} at {commit}"


def git(*args: str) -> str:
    """What git prints; nothing where the sources are no repository."""
    if not (ROOT / ".git").exists():
        return ""
    return subprocess.run(
        ["git", *args], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout
