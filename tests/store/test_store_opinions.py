"""What the second reader made of some words is kept as it was, for one model."""

from __future__ import annotations

import pytest

from store.database import Store
from store.opinions import Opinions

WORDS, OTHERS = b"0123456789abcdef", b"fedcba9876543210"
CHANCES = ((0.0, 0.001, 0.287, 0.712, 0.0), (1.0, 0.0, 0.0, 0.0, 0.0))


def test_what_was_saved_is_known_to_the_same_model_alone(store: Store) -> None:
    opinions = Opinions(store, "model-1")
    assert opinions.get(WORDS) is None
    opinions[WORDS] = CHANCES
    assert opinions.get(WORDS) == CHANCES
    assert Opinions(store, "model-1").get(WORDS) is None
    with store.writing():
        opinions.save()
    assert Opinions(store, "model-1").get(WORDS) == CHANCES
    assert Opinions(store, "model-1").get(OTHERS) is None
    assert Opinions(store, "model-2").get(WORDS) is None


def test_each_thousandth_comes_back_as_it_went_in(store: Store) -> None:
    opinions = Opinions(store, "model-1")
    for number in range(1001):
        share = round(number / 1000, 3)
        opinions[number.to_bytes(16)] = ((share,) * 5, (share,) * 5)
    with store.writing():
        opinions.save()
    known = Opinions(store, "model-1")
    for number in range(1001):
        assert known.get(number.to_bytes(16)) == ((round(number / 1000, 3),) * 5,) * 2


def test_another_model_takes_the_place_of_the_one_before(store: Store) -> None:
    for reader in ("model-1", "model-2"):
        opinions = Opinions(store, reader)
        opinions[WORDS] = CHANCES
        with store.writing():
            opinions.save()
    assert store.tuples("SELECT reader FROM opinions") == [("model-2",)]


def test_what_a_step_that_fails_was_to_save_is_not_known(store: Store) -> None:
    def fail_late() -> None:
        opinions = Opinions(store, "model-1")
        opinions[WORDS] = CHANCES
        with store.writing():
            opinions.save()
            raise KeyError

    with pytest.raises(KeyError):
        fail_late()
    assert Opinions(store, "model-1").get(WORDS) is None
