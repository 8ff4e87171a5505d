"""The weights of confidence are what the labelled passages say today."""

import pytest

from benchmarks.calibrate import fit, read_all
from extractors import Stance
from extractors.agree import Accord, Ground
from extractors.confidence import Basis, confidence, share, weights

YES = Stance.SPONSORED


def test_the_weights_are_those_of_today() -> None:
    # Processors round differently: a weight may be off by a little, and no answer is.
    assert fit(list(read_all())) == pytest.approx(weights(), abs=0.01), (
        "run `python -m benchmarks.calibrate --write`"
    )


def test_a_confidence_is_the_chance_that_all_its_answers_are_right() -> None:
    often = Basis(Ground.EXPLICIT, Accord.AGREES, YES, 0.9)
    assert confidence([often, often]) == round(share(often) ** 2, 2)


@pytest.mark.parametrize("ground", Ground)
def test_readers_that_agree_are_surer_than_those_that_do_not(ground: Ground) -> None:
    agrees = share(Basis(ground, Accord.AGREES, YES, 0.9))
    decides = share(Basis(ground, Accord.DECIDES, YES, 0.9))
    doubts = share(Basis(ground, Accord.DOUBTS, YES, 0.9, Stance.NOT_SPONSORED))
    assert 1 > agrees > decides > doubts > 0


def test_a_surer_second_reader_makes_surer_what_it_says_and_less_sure_what_it_denies() -> None:
    agreed = [share(Basis(Ground.EXPLICIT, Accord.AGREES, YES, c)) for c in (0.5, 0.9, 0.99, 1.0)]
    denied = [
        share(Basis(Ground.EXPLICIT, Accord.DOUBTS, YES, c, Stance.UNSTATED))
        for c in (0.5, 0.9, 0.99, 1.0)
    ]
    assert agreed == sorted(agreed)
    assert denied == sorted(denied, reverse=True)


def test_signs_that_were_never_weighed_count_nothing() -> None:
    unseen = Basis(Ground.CONFLICT, Accord.ALONE, Stance.CONFLICTING)
    assert 0 < share(unseen) < 1
