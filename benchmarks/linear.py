"""What a line of near-matches costs beside a line of prose: `python -m benchmarks.linear`.

Both lines are 1 MB, without a full stop, and begin with a visa, so that all of both is read.
The near-matches are what the rules begin with and never end.
"""

from __future__ import annotations

import statistics
import time

from extractors import classify

SIZE = 1_000_000
GOAL = 3.0  # times the prose, at most
ROUNDS = 5
PROSE = (
    "our residents care for patients in clinic and on the wards with close teaching from "
    "attending physicians who value curiosity kindness rigor research and quality improvement "
)
NEAR_MATCHES = {
    "negations": "we do not do not cannot ",
    "onlys": "the only the sole exclusively just the only type of ",
    "refusals": "we will not be able to currently or presently be in a position to ",
    "conditions": "on a case by by case only if passed step step by the approval of the ",
    "spellings": "J- H- H 1- J H-B exchange visitor (J other vis ",
}


def line(words: str) -> bytes:
    """A page of one line."""
    return f"<p>J-1 visas {words * (SIZE // len(words))}</p>".encode()


def ratios(rounds: int = ROUNDS) -> dict[str, float]:
    """By kind of near-match, its cost over that of prose: medians of rounds taken in turns."""
    pages = {"prose": line(PROSE), **{name: line(words) for name, words in NEAR_MATCHES.items()}}
    seconds: dict[str, list[float]] = {name: [] for name in pages}
    classify(pages["prose"])  # the rules compile once a process
    for _ in range(rounds):
        for name, page in pages.items():
            start = time.perf_counter()
            classify(page)
            seconds[name].append(time.perf_counter() - start)
    cost = {name: statistics.median(times) for name, times in seconds.items()}
    return {name: cost[name] / cost["prose"] for name in NEAR_MATCHES}


def report() -> str:
    """A Markdown table of the ratios."""
    rows = [f"| {name} | {ratio:.2f} | {GOAL:.0f} |" for name, ratio in ratios().items()]
    head = ["| a line of near-matches | times a line of prose | at most |", "| --- | --- | --- |"]
    return "\n".join(["### Linear time: 1 MB in one line", "", *head, *rows])


if __name__ == "__main__":
    print(report())
