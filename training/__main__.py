"""Teach the second reader and write it into extractors/second: `make reader` (half an hour)."""

from __future__ import annotations

import argparse

import numpy as np
from tokenizers import Tokenizer

from extractors.second import MAX_TOKENS, MODEL, STANCES
from training.export import write
from training.network import Plan, pretrained, teach
from training.rows import Row, rows


def main() -> None:
    """Teach, and say how it reads what it was not taught with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=Plan().epochs)
    plan = Plan(epochs=parser.parse_args().epochs)
    every = list(rows())
    weights, tokenizer = pretrained()
    tokens = Tokenizer.from_str(tokenizer)
    tokens.no_padding()
    tokens.enable_truncation(MAX_TOKENS)
    encoded = [_encode(tokens, row) for row in every]
    used = {number for ids, _ in encoded for number in ids}
    picked = [at for at, row in enumerate(every) if not row.kept_back]
    labels = np.array([every[at].stances for at in picked], np.int32)
    print(f"taught with {len(picked)} rows, {len(every) - len(picked)} kept back", flush=True)
    taught = teach(weights, [encoded[at] for at in picked], labels, plan, len(STANCES))
    write(taught, tokenizer, used, MODEL.parent)
    print(f"wrote {MODEL.parent.name}: python -m benchmarks.calibrate says how it reads")


def _encode(tokens: Tokenizer, row: Row) -> tuple[list[int], list[int]]:
    encoded = tokens.encode(row.under, row.text) if row.under else tokens.encode(row.text)
    return encoded.ids, encoded.type_ids


if __name__ == "__main__":
    main()
