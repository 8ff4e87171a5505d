"""Teach the second reader and write it into extractors/second: `make reader` (half an hour)."""

from __future__ import annotations

import argparse

import numpy as np
from tokenizers import Tokenizer

from extractors.second import MAX_TOKENS, MODEL, STANCES
from training.export import write
from training.network import Lesson, Plan, pretrained, teach
from training.rows import Row, rows


def main() -> None:
    """Teach, and say how it reads what it was not taught with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=Plan().epochs)
    plan = Plan(epochs=parser.parse_args().epochs)
    weights, tokenizer = pretrained()
    tokens = Tokenizer.from_str(tokenizer)
    tokens.no_padding()
    tokens.enable_truncation(MAX_TOKENS)
    lessons = [_lesson(tokens, epoch) for epoch in range(plan.epochs)]
    used = {number for lesson in lessons for ids, _ in lesson.encoded for number in ids}
    print(f"taught with {len(lessons[0].encoded)} windows and {plan.epochs} epochs", flush=True)
    taught = teach(weights, lessons, plan, len(STANCES))
    write(taught, tokenizer, used, MODEL.parent)
    print(f"wrote {MODEL.parent.name}: python -m benchmarks.calibrate says how it reads")


def _lesson(tokens: Tokenizer, epoch: int) -> Lesson:
    picked = [row for row in rows(epoch) if not row.kept_back]
    labels = np.array([row.stances for row in picked], np.int32)
    return Lesson([_encode(tokens, row) for row in picked], labels)


def _encode(tokens: Tokenizer, row: Row) -> tuple[list[int], list[int]]:
    encoded = tokens.encode(row.under, row.text) if row.under else tokens.encode(row.text)
    return encoded.ids, encoded.type_ids


if __name__ == "__main__":
    main()
