"""The benchmark of quality: its figures, its readers, and what it must never print."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import baselines, linear, quality
from benchmarks.baselines import ROOT, Answer, keyword_search
from benchmarks.labelled import taught
from benchmarks.quality import Case


def case(stances: dict[str, str], *conditions: tuple[str, str]) -> Case:
    body = "<p>We sponsor J-1 visas only.</p>"
    return Case(
        "x", body, "text/html", "residency", "Neurology", "", stances, frozenset(conditions)
    )


def test_a_score_of_known_answers() -> None:
    cases = [
        case({"J-1": "sponsored", "H-1B": "conditional"}, ("H-1B", "case_by_case")),
        case({"J-1": "sponsored", "H-1B": "not_sponsored"}),
        case({}),
        case({}),
    ]
    answers = [
        Answer(
            {"J-1": "sponsored", "H-1B": "conditional"},
            frozenset({("H-1B", "case_by_case"), ("J-1", "ecfmg_certified")}),
            0.9,
            False,
            (True, True, False),
        ),
        Answer({"J-1": "sponsored"}, frozenset(), 0.4, True),
        Answer({}, frozenset(), 0.9, True),
        Answer({"J-1": "sponsored"}, frozenset(), 0.9, False),
    ]
    score = quality.score(cases, answers)
    assert score.j1 == pytest.approx((2 * 2 / (3 + 2) + 2 * 1 / (1 + 2)) / 2)
    assert score.h1b == pytest.approx((1 + 0 + 2 * 2 / (3 + 2)) / 3)
    assert score.category == 0.5
    assert score.conditions == pytest.approx(2 / 3)
    assert score.near_misses == 0.5
    assert score.quotes == pytest.approx(2 / 3)
    assert score.wrong_flagged == 0.5
    assert score.right_passed == 0.5


def test_a_reader_without_confidence_has_no_such_figures() -> None:
    score = quality.score([case({})], [keyword_search("We sponsor J-1 visas.")])
    assert (score.near_misses, score.quotes, score.wrong_flagged) == (0.0, None, None)


@pytest.mark.parametrize(
    ("text", "stances"),
    [
        ("We take J1 and H1-B.", {"J-1": "sponsored", "H-1B": "sponsored"}),
        ("No visas.", {"J-1": "not_sponsored", "H-1B": "not_sponsored"}),
        ("H–1B is decided case by case.", {"H-1B": "conditional"}),
        ("Our clinic is by the river.", {}),
    ],
)
def test_keyword_search(text: str, stances: dict[str, str]) -> None:
    assert keyword_search(text).stances == stances


def test_a_reader_that_is_not_installed_has_no_answers(tmp_path: Path) -> None:
    assert baselines.in_environment(tmp_path / "python", "window", ["J-1"]) is None


def test_the_rules_of_a_commit_are_read_as_they_were() -> None:
    given = [case({})]
    pages = [quality.page(c) for c in given]
    (answer,) = baselines.of_release("HEAD", pages)
    assert answer.stances == {"J-1": "sponsored", "H-1B": "not_sponsored"}
    assert answer.quotes
    assert all(answer.quotes)


def test_nothing_of_the_held_out_half_is_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(linear, "report", lambda: "")
    quality.main(["--errors", "1000", "--python", str(tmp_path / "python")])
    printed = capsys.readouterr().out
    assert "### Held-out half: 237 passages" in printed
    assert any(passage.id in printed for passage in taught())
    assert held_out_in(printed) == 0


def test_nothing_of_the_held_out_half_is_documented() -> None:
    assert held_out_in((ROOT / "docs" / "quality.md").read_text("utf-8")) == 0


def held_out_in(text: str) -> int:
    """How much of the held-out half a text shows: a count, for no failure may show it either."""
    words = " ".join(text.split())
    known = {line for case in (*quality.tune(), *quality.reworded()) for line in lines(case)}
    secrets = [c.id for c in quality.held_out()]
    secrets += [s for c in quality.held_out() for s in lines(c) if s not in known]
    return sum(secret in words for secret in secrets)


def lines(case: Case) -> list[str]:
    """The lines of a passage that are long enough to know it by."""
    return [line for line in case.text.split("\n") if len(line) > 30]


def test_a_line_of_near_matches_costs_about_as_much_as_prose() -> None:
    # The bar is linear.GOAL, as `make quality` prints; a busy machine gets twice that.
    slowest = max(linear.ratios(rounds=3).values())
    assert slowest <= 2 * linear.GOAL
