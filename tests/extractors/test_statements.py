"""The score on labelled passages, with floors that are raised and never lowered."""

import json
from pathlib import Path

import pytest

from benchmarks.classify import score, stances
from extractors import classify

DATA = Path(__file__).parent.parent / "data"
VARIANTS = [json.loads(v) for v in (DATA / "variants.jsonl").read_text("utf-8").splitlines()]

# Labelled passages with the J-1 and the H-1B stance both right, of 86.
FLOOR = 85
CONDITIONS_FLOOR = 0.9  # F1


def test_the_score_does_not_fall() -> None:
    right, total, conditions = score()
    assert total == 86
    assert right >= FLOOR
    assert conditions >= CONDITIONS_FLOOR


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v["html"][:60])
def test_a_rewording_is_read(variant: dict[str, str]) -> None:
    policy = classify(variant["html"].encode())
    want = {"J-1": variant.get("j1"), "H-1B": variant.get("h1b")}
    assert stances(policy) == {visa: stance for visa, stance in want.items() if stance}
    assert set(variant.get("conditions", ())) <= {str(c.kind) for c in policy.conditions}
