"""How sure an answer is by the signs it gives of itself: the weights behind `Policy.confidence`.

    python -m benchmarks.calibrate [--write]

A logistic regression on labelled passages that the second reader was not taught with, a seventh of
what it might have been (training/rows.py), and that no rule was written by. The held-out half is
only scored, to show how far the weights hold there.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.labelled import development, passages, taught
from extractors import Asker, Policy, Stance, categorise, read_page
from extractors.agree import Accord, Ground
from extractors.confidence import REVIEW_BELOW, Basis, signs, weights
from extractors.policy import bases_for
from extractors.second import VISAS
from training.rows import kept_back

FILE = Path(__file__).parent.parent / "extractors" / "confidence.toml"
HALVES = ("kept back", "held-out")
# Kept back from the second reader, and rules were written by them: there rules are right where it
# doubts them, which says nothing of how often they are elsewhere.
_KNOWN_TO_RULES = frozenset((
    "d166", "d248", "d257", "t0315", "t0673", "t1841", "t2507", "t2742", "t3153", "t3488",
    "t3656", "t4037", "t4530", "t6425", "t6542", "t6600", "t6942", "t7051", "t7214", "t7797",
    "t8529", "t8562", "t8716", "t8808", "t8836", "t9427", "t9489", "t9993", "t10024", "t11087",
    "t11532", "t11587", "t13333", "t13506", "t14128", "t14214", "t15091", "t15132", "t15364",
    "t15449", "t15521", "t15580", "t15608", "t15906", "t16139", "t16826", "t17535",
))  # fmt: skip
_RIDGE = 20.0  # pulls each weight towards 0, by as much as a handful of answers could push it away
_STEPS = 50  # of Newton's method; it is there in about ten


@dataclass(frozen=True, slots=True)
class Read:
    """One passage: its set, its policy, what that rests on, and what is right of it."""

    half: str
    policy: Policy
    bases: tuple[Basis, ...]
    right: tuple[bool, ...]  # by visa
    exact: bool  # the category


def read_all() -> Iterator[Read]:
    """Every passage that counts, read for the program that asks."""
    known = passages()
    for passage in [*known, *development(), *taught()]:
        held = passage in known and passage.held_out
        if not (held or (kept_back(passage.id) and passage.id not in _KNOWN_TO_RULES)):
            continue
        asker = Asker(passage.level, passage.specialty)
        yield _read(HALVES[held], passage.page(), asker, passage.stances)


def _read(half: str, page: tuple[bytes, str], asker: Asker, stances: Mapping[str, str]) -> Read:
    policy, bases = bases_for([read_page(*page)], asker)
    wanted = [Stance(stances.get(visa, "unstated")) for visa in VISAS]
    right = tuple(policy.stance(visa) is stance for visa, stance in zip(VISAS, wanted, strict=True))
    return Read(half, policy, tuple(bases), right, policy.category is categorise(*wanted))


def fit(reads: Sequence[Read]) -> dict[str, float]:
    """The weight of each sign by name: those that tell right answers among those kept back best."""
    answers = [
        (signs(basis), right)
        for read in reads
        if read.half == HALVES[0]
        for basis, right in zip(read.bases, read.right, strict=True)
    ]
    names = sorted({name for found, _ in answers for name in found})
    x = np.array([[found.get(name, 0.0) for name in names] for found, _ in answers])
    y = np.array([right for _, right in answers], float)
    found = np.zeros(len(names))
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-x @ found))
        slope = x.T @ (chance - y) + _RIDGE * found
        bend = (x.T * (chance * (1 - chance))) @ x + _RIDGE * np.eye(len(names))
        found -= np.linalg.solve(bend, slope)
    return {name: round(float(weight), 3) for name, weight in zip(names, found, strict=True)}


def as_toml(fitted: Mapping[str, float]) -> str:
    """The weights as confidence.toml holds them."""
    today = datetime.now(UTC).date().isoformat()
    lines = [
        "# How much each sign tells of an answer on one visa being right, in log odds: what the",
        "# rules' word rests on (ground), how the second reader stands to it (agree.py), how sure",
        "# that one is, and what the answer is. Fitted on labelled passages that the second reader",
        f"# was not taught with, by `python -m benchmarks.calibrate --write`, {today}.",
        "",
        "[weights]",
        *(f'"{name}" = {weight}' for name, weight in fitted.items()),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print how often answers were right, by what they rest on; `--write` keeps the weights."""
    if "--write" in sys.argv[1:]:
        FILE.write_text(as_toml(fit(list(read_all()))), "utf-8")
        weights.cache_clear()
    reads = list(read_all())
    print(f"{'ground':12}{'reader':10}{'kept back: right/wrong':>24}{'held-out: right/wrong':>24}")
    counts = Counter(
        (basis.ground, basis.accord, read.half, right)
        for read in reads
        for basis, right in zip(read.bases, read.right, strict=True)
    )
    for ground in Ground:
        for accord in Accord:
            cells = [[counts[ground, accord, half, ok] for ok in (True, False)] for half in HALVES]
            if any(map(any, cells)):
                shown = "".join(f"{f'{right} / {wrong}':>24}" for right, wrong in cells)
                print(f"{ground:12}{accord:10}{shown}")
    for half in HALVES:
        of_half = [read for read in reads if read.half == half]
        marks = Counter((read.exact, read.policy.needs_review) for read in of_half)
        right, wrong = (
            sum(marks[exact, mark] for mark in (True, False)) for exact in (True, False)
        )
        print(
            f"{half}: {right} of {len(of_half)} right; {marks[False, True]} of {wrong} wrong"
            f" answers below {REVIEW_BELOW} need review, and {marks[True, True]} of the right ones"
        )


if __name__ == "__main__":
    main()
