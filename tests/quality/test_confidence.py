"""The table of confidence is what the labelled passages say today."""

from benchmarks.calibrate import count, read_all
from extractors.confidence import Kind, confidence, table


def test_the_table_is_the_count_of_today() -> None:
    reads = list(read_all())
    counted = {kind: count(reads, "tune", kind) for kind in Kind}
    assert counted == table(), "run `python -m benchmarks.calibrate --write`"


def test_confidence_is_a_share_of_right_answers() -> None:
    for kind, (right, wrong) in table().items():
        assert 0 < confidence(kind) < 1
        assert (confidence(kind) > 0.5) == (right > wrong) or right == wrong
