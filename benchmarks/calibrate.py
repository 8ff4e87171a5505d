"""How often policies of each kind are right: the table behind `Policy.confidence`.

    python -m benchmarks.calibrate [--write]

Counted on the passages that rules are written with: half of the labelled ones, the development
set and the reworded ones (statements.jsonl). The other half is only scored, to show how far the
table holds there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.classify import PASSAGES, passage_page
from benchmarks.labelled import development, passages
from extractors import Asker, Stance, Visa, categorise, read_page
from extractors.confidence import REVIEW_BELOW, Kind
from extractors.policy import kind_for

TABLE = Path(__file__).parent.parent / "extractors" / "confidence.toml"
HALVES = ("tune", "held-out")


@dataclass(frozen=True, slots=True)
class Read:
    """One passage: its half, what its policy rests on, and whether its category is right."""

    half: str
    kind: Kind
    right: bool


def read_all() -> Iterator[Read]:
    """Every labelled passage, read for the program that asks."""
    for passage in passages() + development():
        asker = Asker(passage.level, passage.specialty)
        seen = passage.id.startswith("d") or not passage.held_out
        half = "tune" if seen else "held-out"
        yield _read(half, passage.page(), asker, passage.stances)
    for line in PASSAGES.read_text("utf-8").splitlines():
        label = json.loads(line)
        page = (passage_page(label["passage"]), "text/html")
        yield _read("tune", page, Asker(), label["stances"])


def _read(half: str, page: tuple[bytes, str], asker: Asker, stances: Mapping[str, str]) -> Read:
    policy, kind = kind_for([read_page(*page)], asker)
    j1, h1b = (Stance(stances.get(visa, "unstated")) for visa in (Visa.J1, Visa.H1B))
    return Read(half, kind, policy.category is categorise(j1, h1b))


def count(reads: list[Read], half: str, kind: Kind) -> tuple[int, int]:
    """How many of a kind are right, and how many wrong."""
    of_kind = [read.right for read in reads if read.half == half and read.kind is kind]
    return sum(of_kind), len(of_kind) - sum(of_kind)


def sure(counts: tuple[int, int]) -> float:
    """The share that is right, as `extractors.confidence` takes it from the table."""
    return round((counts[0] + 1) / (sum(counts) + 2), 2)


def main() -> None:
    """Print the reliability table; with `--write`, keep it."""
    reads = list(read_all())
    counts = {(half, kind): count(reads, half, kind) for half in HALVES for kind in Kind}
    reviewed = [k for k in Kind if k is Kind.CONFLICT or sure(counts["tune", k]) < REVIEW_BELOW]
    print(f"{'kind':16} sure  review  tune right/wrong  held-out right/wrong")
    for kind in Kind:
        tune, held = counts["tune", kind], counts["held-out", kind]
        mark = "review" if kind in reviewed else ""
        figures = f"{tune[0]:6} / {tune[1]:<9} {held[0]:8} / {held[1]}"
        print(f"{kind:16} {sure(tune):.2f}  {mark:6} {figures}")
    for half in HALVES:
        right, wrong = (sum(counts[half, kind][n] for kind in Kind) for n in (0, 1))
        flagged = [sum(counts[half, kind][n] for kind in reviewed) for n in (0, 1)]
        print(
            f"{half}: {flagged[1]} of {wrong} wrong answers need review,"
            f" and {flagged[0]} of {right} right ones"
        )
    if "--write" in sys.argv[1:]:
        today = datetime.now(UTC).date().isoformat()
        rows = [
            f"[kind.{kind}]\nright = {counts['tune', kind][0]}\nwrong = {counts['tune', kind][1]}\n"
            for kind in Kind
        ]
        head = (
            "# How often policies of each kind were right, on the labelled passages that rules\n"
            f"# are written with. Made by `python -m benchmarks.calibrate --write`, {today}.\n"
        )
        TABLE.write_text("\n".join([head, *rows]), "utf-8")


if __name__ == "__main__":
    main()
