"""Statements to a policy, and pages to one."""

from dataclasses import replace

import pytest

from extractors import (
    RULES_VERSION,
    Asker,
    Category,
    Condition,
    ConditionKind,
    Policy,
    Stance,
    Statement,
    Visa,
    categorise,
    classify,
    policy_for,
    read_page,
    with_source,
)
from extractors.second import STANCES


def read(*paragraphs: str) -> Policy:
    return classify("".join(f"<p>{p}</p>" for p in paragraphs).encode())


def said(*paragraphs: str) -> tuple[Statement, ...]:
    return read_page("".join(f"<p>{p}</p>" for p in paragraphs).encode())


J1_ONLY = said("We sponsor only J-1 visas.")
H1B_TOO = said("We sponsor J-1 and H-1B visas.")
H1B_CASE = said("H-1B visas are considered case by case.")
SILENT = said("We welcome you.")


@pytest.mark.parametrize("j1", Stance)
@pytest.mark.parametrize("h1b", Stance)
def test_every_pair_of_stances_has_a_category(j1: Stance, h1b: Stance) -> None:
    conflicting = Stance.CONFLICTING in (j1, h1b)
    assert (categorise(j1, h1b) is Category.CONFLICTING) == conflicting


def test_equals_that_disagree_conflict_and_both_are_quoted() -> None:
    policy = read("We sponsor H-1B visas.", "We do not sponsor H-1B visas.")
    assert policy.stance(Visa.H1B) is Stance.CONFLICTING
    assert len({e.quote for e in policy.evidence}) == 2


def test_only_in_one_place_and_an_offer_in_another_conflict() -> None:
    assert read("We sponsor only J-1 visas.", "H-1B visas are sponsored.").stance(Visa.H1B) is (
        Stance.CONFLICTING
    )


def test_the_specific_beats_the_general() -> None:
    policy = read("The hospital does not sponsor visas.", "We accept J-1 visas through ECFMG.")
    assert policy.category is Category.J1_ONLY


def test_the_conditional_tells_more_than_the_offer() -> None:
    policy = read("We sponsor J-1 and H-1B visas.", "H-1B visas are granted case by case.")
    assert policy.category is Category.J1_H1B_CASE_BY_CASE


def test_a_date_stays_with_its_condition() -> None:
    policy = read("H-1B applicants must pass USMLE Step 3 by February 1, 2027.", "We sponsor H-1B.")
    assert Condition(Visa.H1B, ConditionKind.STEP3_PASSED, "2027-02-01") in policy.conditions
    assert policy.stance(Visa.H1B) is Stance.SPONSORED


def test_own_pages_win_and_the_institution_fills_in() -> None:
    own = said("We sponsor J-1 visas.")
    policy, inherited = policy_for([own], [H1B_CASE, said("We do not sponsor J-1 visas.")])
    assert policy.stance(Visa.J1) is Stance.SPONSORED
    assert policy.stance(Visa.H1B) is Stance.CONDITIONAL
    assert {c.kind for c in policy.conditions} == {ConditionKind.CASE_BY_CASE}
    assert not inherited


def test_what_only_the_institution_states_is_inherited() -> None:
    j1_only = read("We sponsor only J-1 visas.")
    assert policy_for([SILENT], [J1_ONLY]) == (j1_only, True)
    assert policy_for([], [J1_ONLY]) == (j1_only, True)
    assert policy_for([J1_ONLY], [H1B_TOO]) == (j1_only, False)
    assert policy_for([], []) == (read(), False)
    assert policy_for([SILENT], [])[1] is False


def test_pages_of_one_level_that_disagree_conflict() -> None:
    one = with_source(
        J1_ONLY, url="https://a.example/", fetched_at="2026-11-24T02:00:00Z", snapshot="a"
    )
    two = with_source(
        H1B_TOO, url="https://b.example/", fetched_at="2026-11-24T02:00:01Z", snapshot="b"
    )
    policy, _ = policy_for([one, two])
    assert policy.stance(Visa.J1) is Stance.SPONSORED
    assert policy.stance(Visa.H1B) is Stance.CONFLICTING
    assert {e.url for e in policy.evidence if e.visa is Visa.H1B} == {
        "https://a.example/",
        "https://b.example/",
    }


def heard(page: tuple[Statement, ...], stance: Stance) -> tuple[Statement, ...]:
    """The page, of whose J-1 the second reader is sure that it is `stance`."""
    chances = tuple(0.99 if one is stance else 0.0 for one in STANCES)
    return tuple(
        replace(one, stance=stance, chances=chances) if one.chances and one.visa is Visa.J1 else one
        for one in page
    )


@pytest.mark.parametrize(
    ("both", "h1b_only"),
    [
        ("<p>We sponsor J-1 visas and H-1B visas.</p>", "<p>We sponsor H-1B visas, not J-1.</p>"),
        (
            "<table><tr><td>J-1</td><td>Yes</td></tr><tr><td>H-1B</td><td>Yes</td></tr></table>",
            "<table><tr><td>J-1</td><td>No</td></tr><tr><td>H-1B</td><td>Yes</td></tr></table>",
        ),
    ],
)
def test_two_clear_pages_that_disagree_are_not_reconciled_by_the_second_reader(
    both: str, h1b_only: str
) -> None:
    pages = [heard(read_page(page.encode()), Stance.SPONSORED) for page in (both, h1b_only)]
    policy, _ = policy_for(pages)
    assert policy.stances == ((Visa.J1, Stance.CONFLICTING), (Visa.H1B, Stance.SPONSORED))


def test_a_page_that_refuses_and_one_that_decides_case_by_case_contradict_each_other() -> None:
    policy, _ = policy_for([H1B_CASE, J1_ONLY])
    assert policy.stance(Visa.H1B) is Stance.CONFLICTING


def test_a_silent_page_beside_a_speaking_one_changes_nothing() -> None:
    assert policy_for([SILENT, J1_ONLY])[0] == policy_for([J1_ONLY])[0]


def test_the_rules_have_a_version() -> None:
    assert len(RULES_VERSION) == 12


def test_a_page_for_all_residents_is_no_less_specific_than_another() -> None:
    everybody = said("We sponsor J-1 visas for all eligible residents, and H-1B case by case.")
    policy, _ = policy_for([everybody, H1B_TOO])
    assert policy.stance(Visa.H1B) is Stance.CONDITIONAL
    assert policy_for([H1B_TOO, everybody])[0].stances == policy.stances


def test_two_pages_with_two_dates_keep_both() -> None:
    first = said("We sponsor the H-1B; Step 3 must be passed by December 31, 2026.")
    second = said("We sponsor the H-1B; Step 3 must be passed by February 1, 2027.")
    dates = {c.by for c in policy_for([first, second])[0].conditions}
    assert dates == {"2026-12-31", "2027-02-01"}


def test_a_less_specific_page_that_agrees_adds_its_condition() -> None:
    row = read_page(b"<p>Surgery: J-1 visas are sponsored.</p>")
    page = said("We sponsor J-1 visas. An ECFMG certificate is required for the J-1 visa.")
    policy, _ = policy_for([row, page], asker=Asker(specialty="Surgery"))
    assert {c.kind for c in policy.conditions} == {ConditionKind.ECFMG_CERTIFIED}
