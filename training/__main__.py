"""Teach the second reader and write it into extractors/second: `make reader` (under an hour).

It has members, which were taught with the same passages in another order and in other
surroundings, side by side. Where one errs the other often does not: the mean of their chances is
right more often than either's, and less sure where they differ.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import torch

from extractors.second import MAX_TOKENS, MODEL, STANCES
from extractors.wordpiece import WordPieces
from training.export import write
from training.network import Lesson, Plan, Weights, pretrained, teach
from training.rows import rows

_MEMBERS = 2


def main() -> None:
    """Teach, and say how it reads what it was not taught with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=Plan().epochs)
    parser.add_argument("--members", type=int, default=_MEMBERS)
    chosen = parser.parse_args()
    plans = [Plan(epochs=chosen.epochs, seed=seed) for seed in range(chosen.members)]
    threads = max(1, len(os.sched_getaffinity(0)) // len(plans))
    with ProcessPoolExecutor(
        len(plans), get_context("spawn"), torch.set_num_threads, (threads,)
    ) as pool:
        members, used = zip(*pool.map(_member, plans), strict=True)
    _, pieces = pretrained()
    write(members, pieces, frozenset[int]().union(*used), MODEL.parent)
    print(f"wrote {MODEL.parent.name}: python -m benchmarks.calibrate says how it reads")


def _member(plan: Plan) -> tuple[Weights, frozenset[int]]:
    """One member, and the token ids that it was taught with."""
    encoder, pieces = pretrained()
    lessons = _lessons(WordPieces(pieces), plan)
    print(f"member {plan.seed + 1}: {len(lessons[0].encoded)} windows", flush=True)
    used = frozenset(n for lesson in lessons for ids, _ in lesson.encoded for n in ids)
    return teach(encoder, lessons, plan, len(STANCES)), used


def _lessons(pieces: WordPieces, plan: Plan) -> list[Lesson]:
    # The first lesson is the passages alone; the others' surroundings differ by member, too.
    first, *others = range(plan.epochs)
    return [_lesson(pieces, epoch) for epoch in (first, *(e + 100 * plan.seed for e in others))]


def _lesson(pieces: WordPieces, epoch: int) -> Lesson:
    picked = [row for row in rows(epoch) if not row.kept_back]
    labels = np.array([row.stances for row in picked], np.int32)
    return Lesson([pieces.encode(row.under, row.text, MAX_TOKENS) for row in picked], labels)


if __name__ == "__main__":
    main()
