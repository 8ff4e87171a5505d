"""How well statements are read, beside simpler ways to read them: `make quality`.

    python -m benchmarks.quality [--python .venv-quality/bin/python] [--errors N]

Scores every reader on the labelled passages (tests/data/README.md) and prints Markdown. Of the
held-out half only figures are ever printed: `errors`, which shows passages, is given the tune
half and nothing else.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path

from benchmarks import baselines, linear
from benchmarks.baselines import ROOT, Answer
from benchmarks.classify import CONDITIONS, PASSAGES, passage_page
from benchmarks.labelled import Passage, development, passages, taught
from benchmarks.read_pages import read_page
from extractors import Stance, categorise, page_text
from training.rows import kept_back

VISAS = ("J-1", "H-1B")
UNSTATED = "unstated"
BINS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.01)  # of confidence


@dataclass(frozen=True, slots=True)
class Case:
    """A labelled passage, as any reader gets it, and what an expert reads in it."""

    id: str
    body: str
    content_type: str
    level: str
    specialty: str
    pattern: str
    stances: dict[str, str]  # of the J-1 and the H-1B
    conditions: frozenset[tuple[str, str]]  # on these; the visa is "" where labels do not tell it
    by_visa: bool = True  # whether labels tell the visa; else only the kinds of CONDITIONS count

    @property
    def text(self) -> str:
        """The passage as plain text, a block to a line."""
        return page_text(self.body.encode(), self.content_type)


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of one reader on one part of the data; None where it cannot be asked."""

    j1: float  # macro-F1 of the stances
    h1b: float
    category: float  # share exact
    conditions: float  # F1
    near_misses: float | None  # share read as unstated
    quotes: float | None  # share that equals the page at its span
    wrong_flagged: float | None  # share of wrong answers that are marked for review
    right_passed: float | None  # share of right ones that are not


HEADINGS = (
    "J-1 F1",
    "H-1B F1",
    "category",
    "conditions F1",
    "near-misses unstated",
    "quotes exact",
    "wrong: for review",
    "right: not for review",
)
BAR = Score(0.97, 0.97, 0.95, 0.90, 0.98, 1.0, 0.9, 0.9)


def tune() -> list[Case]:
    """The half of the passages that rules may be written by."""
    return _passages(held_out=False)


def held_out() -> list[Case]:
    """The other half: for figures only, never to be shown."""
    return _passages(held_out=True)


def reworded() -> list[Case]:
    """The 86 passages reworded from real pages; neither their level nor the visa of a condition
    is known."""
    rows = [json.loads(line) for line in PASSAGES.read_text("utf-8").splitlines()]
    return [
        Case(
            id=f"statement-{number}",
            body=passage_page(row["passage"]).decode(),
            content_type="text/html",
            level="",
            specialty=row["specialty"],
            pattern=row["page_kind"],
            stances=row["stances"],
            conditions=frozenset(
                ("", CONDITIONS[c]) for c in row["conditions"] if row["stances"] and c in CONDITIONS
            ),
            by_visa=False,
        )
        for number, row in enumerate(rows, 1)
    ]


def _passages(*, held_out: bool) -> list[Case]:
    return [_case(passage) for passage in passages() if passage.held_out is held_out]


def _case(passage: Passage) -> Case:
    body, content_type = passage.page()
    return Case(
        id=passage.id,
        body=body.decode(),
        content_type=content_type,
        level=passage.level,
        specialty=passage.specialty,
        pattern=passage.pattern,
        stances={v: s for v, s in passage.stances.items() if v in VISAS},
        conditions=frozenset(c for c in passage.conditions if c[0] in VISAS),
    )


def ours(cases: Sequence[Case]) -> list[Answer]:
    """What the rules of this checkout read."""
    return [baselines.from_json(read_page(page(case))) for case in cases]


def is_right(case: Case, stances: Mapping[str, str]) -> bool:
    """Whether the stances of both visas are as labelled."""
    return all(case.stances.get(v, UNSTATED) == stances.get(v, UNSTATED) for v in VISAS)


def is_as_labelled(case: Case, answer: Answer) -> bool:
    """Whether both stances and their conditions are as labelled."""
    return is_right(case, answer.stances) and _conditions(case, answer) == case.conditions


def score(cases: Sequence[Case], answers: Sequence[Answer]) -> Score:
    """The figures of the answers to the cases."""
    pairs = list(zip(cases, answers, strict=True))
    right = [answer for case, answer in pairs if is_right(case, answer.stances)]
    wrong = [answer for case, answer in pairs if not is_right(case, answer.stances)]
    return Score(
        j1=_macro_f1(pairs, "J-1"),
        h1b=_macro_f1(pairs, "H-1B"),
        category=_share(_category(case.stances) == _category(a.stances) for case, a in pairs) or 0,
        conditions=_conditions_f1(pairs),
        near_misses=_share(
            not set(VISAS) & set(answer.stances) for case, answer in pairs if not case.stances
        ),
        quotes=_share(exact for answer in answers for exact in answer.quotes),
        wrong_flagged=_share(a.needs_review for a in wrong if a.needs_review is not None),
        right_passed=_share(not a.needs_review for a in right if a.needs_review is not None),
    )


def _macro_f1(pairs: Iterable[tuple[Case, Answer]], visa: str) -> float:
    """The mean F1 of the stances that are labelled at all, `unstated` among them."""
    seen = Counter((c.stances.get(visa, UNSTATED), a.stances.get(visa, UNSTATED)) for c, a in pairs)
    each = []
    for stance in sorted({label for label, _ in seen}):
        hit = seen[stance, stance]
        said = sum(n for (_, read), n in seen.items() if read == stance)
        labelled = sum(n for (label, _), n in seen.items() if label == stance)
        each.append(2 * hit / (said + labelled))
    return sum(each) / len(each)


def _conditions_f1(pairs: Iterable[tuple[Case, Answer]]) -> float:
    told = [(_conditions(case, answer), case.conditions) for case, answer in pairs]
    count = sum(len(read) + len(labelled) for read, labelled in told)
    return 2 * sum(len(read & labelled) for read, labelled in told) / count if count else 1.0


def _conditions(case: Case, answer: Answer) -> set[tuple[str, str]]:
    """What was read, as far as the case is labelled with it."""
    told = {(v, k) for v, k in answer.conditions if v in VISAS and v in answer.stances}
    if case.by_visa:
        return told
    return {("", kind) for _, kind in told if kind in CONDITIONS.values()}


def _category(stances: dict[str, str]) -> str:
    return categorise(*(Stance(stances.get(visa, UNSTATED)) for visa in VISAS))


def _share(told: Iterable[bool | None]) -> float | None:
    listed = list(told)
    return sum(map(bool, listed)) / len(listed) if listed else None


def readers(python: Path) -> dict[str, Callable[[Sequence[Case]], list[Answer] | None]]:
    """Every reader by name; one that is not there gives None."""
    tag = baselines.last_release()
    return {
        "VisaWatch": ours,
        "our last release": lambda cases: (
            baselines.of_release(tag, [page(case) for case in cases]) if tag else None
        ),
        "keyword search": lambda cases: [baselines.keyword_search(c.text) for c in cases],
        "spaCy Matcher, negation window": lambda cases: baselines.in_environment(
            python, "window", [c.text for c in cases]
        ),
        "medspaCy ConText": lambda cases: baselines.in_environment(
            python, "context", [c.text for c in cases]
        ),
    }


def page(case: Case) -> dict[str, str]:
    names = ("body", "content_type", "level", "specialty")
    return {name: getattr(case, name) for name in names}


def table(title: str, cases: Sequence[Case], told: Mapping[str, list[Answer] | None]) -> str:
    """A Markdown table: readers against figures."""
    lines = [
        f"### {title}: {len(cases)} passages",
        "",
        f"| | {' | '.join(HEADINGS)} |",
        f"| --- |{' --- |' * len(HEADINGS)}",
    ]
    for name, answers in told.items():
        figures = (
            _figures(score(cases, answers))
            if answers is not None
            else ["none yet" if name == "our last release" else "not installed"]
            + [""] * (len(HEADINGS) - 1)
        )
        lines.append(f"| {name} | {' | '.join(figures)} |")
    lines.append(f"| the bar | {' | '.join(_figures(BAR))} |")
    return "\n".join(lines)


def _figures(figures: Score) -> list[str]:
    return [_figure(getattr(figures, field.name)) for field in fields(Score)]


def reliability(parts: Mapping[str, tuple[Sequence[Case], Sequence[Answer]]]) -> str:
    """A Markdown table: of the answers of about equal confidence, how many are right."""
    lines = [
        "### Reliability: answers by confidence, and the share that is right",
        "",
        f"| confidence | {' | '.join(f'{name}: answers | right' for name in parts)} |",
        f"| --- |{' --- | --- |' * len(parts)}",
    ]
    for low, high in pairwise(BINS):
        cells = []
        for cases, answers in parts.values():
            inside = [
                is_right(case, answer.stances)
                for case, answer in zip(cases, answers, strict=True)
                if answer.confidence is not None and low <= answer.confidence < high
            ]
            cells += [str(len(inside)), _figure(_share(inside))]
        lines.append(f"| {low:.2f} to {min(high, 1):.2f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def errors(limit: int) -> list[tuple[Case, Answer]]:
    """The worst errors in what is not scored and was not taught: the surer, the worse."""
    cases = [_case(p) for p in [*development(), *taught()] if kept_back(p.id)]
    wrong = [(c, a) for c, a in zip(cases, ours(cases), strict=True) if not is_right(c, a.stances)]
    wrong.sort(key=lambda pair: (pair[1].needs_review or False, -(pair[1].confidence or 0)))
    return wrong[:limit]


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print every table; `--errors` adds passages that were kept back from teaching."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality")
    parser.add_argument(
        "--python",
        type=Path,
        default=ROOT / ".venv-quality" / "bin" / "python",
        help="the interpreter that has spaCy (requirements-quality.lock)",
    )
    parser.add_argument("--errors", type=int, default=0, help="also list errors, worst first")
    chosen = parser.parse_args(arguments)
    parts = {"Tune half": tune(), "Held-out half": held_out()}
    parts["Both halves"] = [*parts["Tune half"], *parts["Held-out half"]]
    parts["Reworded from real pages"] = reworded()
    known = readers(chosen.python)
    told = {
        part: {name: read(cases) for name, read in known.items()} for part, cases in parts.items()
    }
    for part, cases in parts.items():
        print(table(part, cases, told[part]), end="\n\n")
    own = {part: (parts[part], told[part]["VisaWatch"] or []) for part in parts}
    print(reliability(own), end="\n\n")
    print(linear.report())
    for case, answer in errors(chosen.errors):
        print(f"\n{case.id} ({case.pattern}; asked for {case.level}, {case.specialty})")
        print(f"labelled {case.stances}, read {answer.stances}, confidence {answer.confidence}")
        print(case.text)


if __name__ == "__main__":
    main()
