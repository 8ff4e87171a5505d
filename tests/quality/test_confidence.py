"""The table of confidence is what the labelled passages say today."""

from benchmarks.calibrate import HALVES, count, read_all
from extractors.agree import Accord, Ground
from extractors.confidence import Basis, confidence, share, table


def test_the_table_is_the_count_of_today() -> None:
    counted = count(list(read_all()), HALVES[0])
    assert counted == table(), "run `python -m benchmarks.calibrate --write`"


def test_confidence_is_the_share_of_right_answers() -> None:
    often = Basis(Ground.EXPLICIT, Accord.AGREES)
    right, wrong = table()[often]
    assert right > 100
    assert abs(share(often) - right / (right + wrong)) < 0.02
    assert confidence([often, often]) == round(share(often) ** 2, 2)


def test_a_basis_that_was_never_seen_leans_on_its_accord() -> None:
    unseen = next(b for g in Ground if (b := Basis(g, Accord.ALONE)) not in table())
    assert unseen not in table()
    assert share(Basis(Ground.CONFLICT, Accord.DOUBTS)) < share(unseen) < 1


def test_readers_that_agree_are_surer_than_those_that_do_not() -> None:
    for ground in (Ground.EXPLICIT, Ground.MILD, Ground.LEANT, Ground.NAMED):
        assert share(Basis(ground, Accord.AGREES)) > share(Basis(ground, Accord.DOUBTS))
