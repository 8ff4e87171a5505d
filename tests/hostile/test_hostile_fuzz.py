"""Each parser of what others write, fuzzed: FUZZ_EXAMPLES says how often (`make fuzz-examples`)."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from targets import TARGETS

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_a_named_error_comes_of_it(name: str) -> None:
    target = TARGETS[name]
    pieces = st.lists(st.sampled_from(target.pieces), max_size=25).map("".join)

    @settings(
        max_examples=EXAMPLES // target.cost,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(pieces.map(lambda text: text.encode("utf-8")) | st.binary(max_size=300))
    def run(raw: bytes) -> None:
        target.check(raw)

    run()
