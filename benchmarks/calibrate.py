"""How often answers are right, by what they rest on: the table behind `Policy.confidence`.

    python -m benchmarks.calibrate [--write]

Counted on labelled passages that the second reader was not taught with: a seventh of what it
might have been (training/rows.py). The held-out half is only scored, to show how far the table
holds there.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.labelled import development, passages, taught
from extractors import Asker, Policy, Stance, categorise, read_page
from extractors.agree import Accord, Ground
from extractors.confidence import REVIEW_BELOW, Basis, table
from extractors.policy import bases_for
from extractors.second import VISAS
from training.rows import kept_back

TABLE = Path(__file__).parent.parent / "extractors" / "confidence.toml"
HALVES = ("kept back", "held-out")


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
        if not (held or kept_back(passage.id)):
            continue
        asker = Asker(passage.level, passage.specialty)
        yield _read(HALVES[held], passage.page(), asker, passage.stances)


def _read(half: str, page: tuple[bytes, str], asker: Asker, stances: Mapping[str, str]) -> Read:
    policy, bases = bases_for([read_page(*page)], asker)
    wanted = [Stance(stances.get(visa, "unstated")) for visa in VISAS]
    right = tuple(policy.stance(visa) is stance for visa, stance in zip(VISAS, wanted, strict=True))
    return Read(half, policy, tuple(bases), right, policy.category is categorise(*wanted))


def count(reads: Sequence[Read], half: str) -> dict[Basis, tuple[int, int]]:
    """By basis, how many answers are right and wrong."""
    found: Counter[tuple[Basis, bool]] = Counter()
    for read in reads:
        if read.half == half:
            found.update(zip(read.bases, read.right, strict=True))
    bases = {basis for basis, _ in found}
    return {basis: (found[basis, True], found[basis, False]) for basis in bases}


def as_toml(counts: Mapping[Basis, tuple[int, int]]) -> str:
    """The table as confidence.toml holds it."""
    today = datetime.now(UTC).date().isoformat()
    lines = [
        "# How often an answer on one visa was right, by what the rules' word rests on and how the",
        "# second reader stands to it (extractors/agree.py), on labelled passages that the second",
        f"# reader was not taught with. Made by `python -m benchmarks.calibrate --write`, {today}.",
    ]
    for ground in Ground:
        rows = [(a, counts[Basis(ground, a)]) for a in Accord if Basis(ground, a) in counts]
        if rows:
            lines += ["", f"[{ground}]"]
            lines += [f"{a} = {{ right = {r}, wrong = {w} }}" for a, (r, w) in rows]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Print the reliability table; with `--write`, keep it."""
    if "--write" in sys.argv[1:]:
        TABLE.write_text(as_toml({}), "utf-8")  # a table of other rules may not even load
        TABLE.write_text(as_toml(count(list(read_all()), HALVES[0])), "utf-8")
        table.cache_clear()
    reads = list(read_all())
    tables = {half: count(reads, half) for half in HALVES}
    print(f"{'ground':12}{'accord':10}{'kept back: right/wrong':>24}{'held-out: right/wrong':>24}")
    for ground in Ground:
        for accord in Accord:
            cells = [tables[half].get(Basis(ground, accord)) for half in HALVES]
            if any(cells):
                shown = "".join(f"{f'{c[0]} / {c[1]}' if c else '':>24}" for c in cells)
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
