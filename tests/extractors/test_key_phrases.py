"""The phrases that every other sentence is a rewording of."""

import pytest

from extractors import Category, classify


@pytest.mark.parametrize(
    ("sentence", "category"),
    [
        ("We sponsor only J-1 visas.", Category.J1_ONLY),
        ("We sponsor J-1 and H-1B visas.", Category.J1_AND_H1B),
        ("We do not sponsor visas.", Category.NO_SPONSORSHIP),
        (
            "We sponsor J-1 visas. H-1B sponsorship is considered on a case-by-case basis.",
            Category.J1_H1B_CASE_BY_CASE,
        ),
        ("We sponsor J-1 visas.", Category.J1_H1B_UNSTATED),
        ("H-1B sponsorship is considered on a case-by-case basis.", Category.H1B_ONLY),
        ("We are proud of our residents.", Category.UNSTATED),
    ],
)
def test_a_key_phrase_has_its_category(sentence: str, category: Category) -> None:
    policy = classify(f"<p>{sentence}</p>".encode())
    assert policy.category is category
    assert not policy.needs_review
