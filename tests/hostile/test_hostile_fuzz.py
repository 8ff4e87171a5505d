"""Each parser of what others write, fuzzed.

Hypothesis makes a few inputs for each, anew in every run, and cuts down what it finds:
FUZZ_EXAMPLES says how many (`make fuzz-examples`). Beside it ten thousand are drawn at random,
in a hundredth of the time: the same ones in every run, unless FUZZ_SEED says otherwise.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from targets import PDF_BEGINS, TARGETS

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
DRAWN = 10_000
SEED = os.environ.get("FUZZ_SEED", "")
MOST_PIECES, MOST_BYTES = 25, 300
MANY_PDFS = Path(__file__).with_name("many_pdfs.py")
BATCH = 500  # of PDFs, in one process


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_a_named_error_comes_of_it(name: str) -> None:
    target = TARGETS[name]
    pieces = st.lists(st.sampled_from(target.pieces), max_size=MOST_PIECES).map(b"".join)

    @settings(
        max_examples=EXAMPLES // target.cost,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(pieces | st.binary(max_size=MOST_BYTES))
    def run(raw: bytes) -> None:
        target.check(raw)

    run()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", sorted(TARGETS.keys() - {"pdf"}))
def test_nothing_else_comes_of_ten_thousand(name: str) -> None:
    for raw in islice(drawn(name), DRAWN):
        try:
            TARGETS[name].check(raw)
        except Exception as error:
            error.add_note(f"with {raw!r}")
            raise


@pytest.mark.timeout(600)
def test_nothing_else_comes_of_ten_thousand_pdfs() -> None:
    bodies = drawn("pdf")
    for _ in range(DRAWN // BATCH):
        batch = list(islice(bodies, BATCH))
        if not read_together(batch):
            # PDFium may break; the process that asks must not.
            for raw in batch:
                TARGETS["pdf"].check(raw)


def drawn(name: str) -> Iterator[bytes]:
    """Inputs for a target without end: pieces, bytes, and pieces that were tampered with."""
    random = Random(f"{name} {SEED}")
    pieces = TARGETS[name].pieces
    while True:
        some = b"".join(random.choices(pieces, k=random.randint(0, MOST_PIECES)))
        yield some
        yield random.randbytes(random.randint(0, MOST_BYTES))
        yield tampered(some, random)


def tampered(raw: bytes, random: Random) -> bytes:
    """Some bytes with others in their place, without some, or with some again."""
    start = random.randint(0, len(raw))
    end = start + random.randint(0, 10)
    others = (random.randbytes(random.randint(0, 10)), b"", 2 * raw[start:end])
    return raw[:start] + random.choice(others) + raw[end:]


def read_together(bodies: Sequence[bytes]) -> bool:
    """Whether one process could read these PDFs one after the other."""
    whole = [PDF_BEGINS + body for body in bodies]
    sent = b"".join(struct.pack("!I", len(body)) + body for body in whole)
    command = [sys.executable, str(MANY_PDFS)]
    return subprocess.run(command, input=sent, timeout=300, check=False).returncode == 0
