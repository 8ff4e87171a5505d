"""Teach the second reader and write it into extractors/second: `make reader` (under an hour).

It has members, which were taught with the same passages in another order and in other
surroundings. Where one errs the other often does not: the mean of their chances is right more
often than either's, and less sure where they differ.
"""

from __future__ import annotations

import argparse

import numpy as np
from tokenizers import Tokenizer

from extractors.second import MAX_TOKENS, MODEL, STANCES
from training.export import write
from training.network import Lesson, Plan, Weights, pretrained, teach
from training.rows import Row, rows

_MEMBERS = 2


def main() -> None:
    """Teach, and say how it reads what it was not taught with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=Plan().epochs)
    parser.add_argument("--members", type=int, default=_MEMBERS)
    chosen = parser.parse_args()
    used: set[int] = set()
    members: list[Weights] = []
    for seed in range(chosen.members):
        plan = Plan(epochs=chosen.epochs, seed=seed)
        encoder, tokenizer = pretrained()
        lessons = _lessons(tokenizer, plan)
        used |= {number for lesson in lessons for ids, _ in lesson.encoded for number in ids}
        print(f"member {seed + 1}: {len(lessons[0].encoded)} windows", flush=True)
        members.append(teach(encoder, lessons, plan, len(STANCES)))
    write(members, tokenizer, used, MODEL.parent)
    print(f"wrote {MODEL.parent.name}: python -m benchmarks.calibrate says how it reads")


def _lessons(tokenizer: str, plan: Plan) -> list[Lesson]:
    tokens = Tokenizer.from_str(tokenizer)
    tokens.no_padding()
    tokens.enable_truncation(MAX_TOKENS)
    # The first lesson is the passages alone; the others' surroundings differ by member, too.
    first, *others = range(plan.epochs)
    return [_lesson(tokens, epoch) for epoch in (first, *(e + 100 * plan.seed for e in others))]


def _lesson(tokens: Tokenizer, epoch: int) -> Lesson:
    picked = [row for row in rows(epoch) if not row.kept_back]
    labels = np.array([row.stances for row in picked], np.int32)
    return Lesson([_encode(tokens, row) for row in picked], labels)


def _encode(tokens: Tokenizer, row: Row) -> tuple[list[int], list[int]]:
    encoded = tokens.encode(row.under, row.text) if row.under else tokens.encode(row.text)
    return encoded.ids, encoded.type_ids


if __name__ == "__main__":
    main()
