"""How much a change matters, over all transitions: the table of severities, exactly.

Critical: who may apply changed. Major: a condition changed. Minor: wording only.
"""

from __future__ import annotations

from itertools import product

import pytest

from extractors import Policy, Stance, Visa
from extractors.conditions import ConditionKind
from extractors.values import Condition, Evidence
from monitor.compare import ChangeKind, Difference, Severity, difference

S, C, N, U, X = (
    Stance.SPONSORED,
    Stance.CONDITIONAL,
    Stance.NOT_SPONSORED,
    Stance.UNSTATED,
    Stance.CONFLICTING,
)
CHANGED, ADDED, WITHDRAWN, CONFLICT = (
    ChangeKind.POLICY_CHANGED,
    ChangeKind.STATEMENT_ADDED,
    ChangeKind.STATEMENT_WITHDRAWN,
    ChangeKind.CONFLICT,
)
DECIDE_CATEGORY = (Visa.J1, Visa.H1B)

# By the stance before, the kind of change to each stance in this order; "" is none.
AFTER = (S, C, N, U, X)
KINDS = {
    S: ("", CHANGED, CHANGED, WITHDRAWN, CONFLICT),
    C: (CHANGED, "", CHANGED, WITHDRAWN, CONFLICT),
    N: (CHANGED, CHANGED, "", WITHDRAWN, CONFLICT),
    U: (ADDED, ADDED, ADDED, "", CONFLICT),
    X: (CHANGED, CHANGED, CHANGED, WITHDRAWN, ""),
}
STANCES = [(before, after, KINDS[before][i]) for before in KINDS for i, after in enumerate(AFTER)]


def says(
    *stances: tuple[Visa, Stance], words: str = "", asks: tuple[Condition, ...] = ()
) -> Policy:
    """A policy that rests on one sentence, which is the same unless `words` are given."""
    quote = words or "Our visa policy."
    evidence = tuple(Evidence(v, s, quote, 0, len(quote), ("rule",)) for v, s in stances)
    return Policy(stances, asks, 0.97, False, evidence)


@pytest.mark.parametrize("visa", Visa)
@pytest.mark.parametrize(("before", "after", "kind"), STANCES)
def test_a_stance_that_changes_is_critical_whatever_the_visa(
    visa: Visa, before: Stance, after: Stance, kind: str
) -> None:
    other = Visa.H1B if visa is Visa.J1 else Visa.J1
    old, new = (says((other, S), (visa, stance)) for stance in (before, after))
    found = difference(old, new)
    if not kind:
        assert found is None
        return
    if after is X and visa not in DECIDE_CATEGORY:  # the category is that of J-1 and H-1B alone
        kind = ADDED if before is U else CHANGED
    assert found == Difference(ChangeKind(kind), Severity.CRITICAL)


@pytest.mark.parametrize("visa", Visa)
def test_silence_is_the_same_whether_it_is_written_down_or_not(visa: Visa) -> None:
    assert difference(says(), says((visa, U), words="Our visa policy.")) in (
        None,
        Difference(ChangeKind.WORDING_CHANGED, Severity.MINOR),  # a sentence that says nothing
    )


STEP3 = Condition(Visa.H1B, ConditionKind.STEP3_PASSED, "2027-02-01")
LATER = Condition(Visa.H1B, ConditionKind.STEP3_PASSED, "2028-02-01")
UNDATED = Condition(Visa.H1B, ConditionKind.STEP3_PASSED)
EVERY = tuple(Condition(Visa.H1B, kind) for kind in ConditionKind)
DATES = [((STEP3,), (LATER,)), ((STEP3,), (UNDATED,)), ((UNDATED,), (STEP3,))]
CONDITIONS = [
    *(((), (one,)) for one in EVERY),  # added
    *(((one,), ()) for one in EVERY),  # dropped
    *(((one,), (two,)) for one, two in product(EVERY, EVERY) if one != two),  # one for another
    *DATES,
]


@pytest.mark.parametrize(("before", "after"), CONDITIONS)
@pytest.mark.parametrize("stance", [S, C])
def test_a_condition_that_changes_by_itself_is_major(
    stance: Stance, before: tuple[Condition, ...], after: tuple[Condition, ...]
) -> None:
    old, new = (says((Visa.J1, S), (Visa.H1B, stance), asks=asks) for asks in (before, after))
    assert difference(old, new) == Difference(CHANGED, Severity.MAJOR)


def test_a_condition_that_makes_the_program_free_to_refuse_is_critical() -> None:
    old = says((Visa.J1, S), (Visa.H1B, S))
    new = says((Visa.J1, S), (Visa.H1B, C), asks=(Condition(Visa.H1B, ConditionKind.CASE_BY_CASE),))
    assert difference(old, new) == Difference(CHANGED, Severity.CRITICAL)


def test_the_order_of_conditions_and_stances_is_no_change() -> None:
    pays = Condition(Visa.H1B, ConditionKind.APPLICANT_PAYS)
    old = says((Visa.J1, S), (Visa.H1B, S), asks=(STEP3, pays))
    new = says((Visa.H1B, S), (Visa.J1, S), asks=(pays, STEP3))
    assert difference(old, new) is None


@pytest.mark.parametrize(
    ("words", "severity"),
    [
        ("We do as we always did.", Severity.MINOR),
        ("our  VISA policy", None),  # nobody would call it other words
    ],
)
def test_other_words_for_the_same_are_minor(words: str, severity: Severity | None) -> None:
    found = difference(says((Visa.J1, S)), says((Visa.J1, S), words=words))
    assert (found and found.severity) == severity


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (((Visa.J1, S), (Visa.H1B, S)), ((Visa.J1, S), (Visa.H1B, N)), CHANGED),
        (((Visa.J1, S), (Visa.H1B, S)), (), WITHDRAWN),
        ((), ((Visa.J1, S), (Visa.H1B, N)), ADDED),
        (((Visa.J1, S),), ((Visa.H1B, S),), CHANGED),  # one is silent now, the other speaks
        (((Visa.J1, S), (Visa.H1B, S)), ((Visa.J1, N),), CHANGED),  # one refused, one silent
        (((Visa.J1, X),), ((Visa.J1, X), (Visa.H1B, X)), ADDED),  # it contradicted itself before
    ],
)
def test_several_stances_at_once_are_one_critical_change(
    before: tuple[tuple[Visa, Stance], ...], after: tuple[tuple[Visa, Stance], ...], kind: str
) -> None:
    assert difference(says(*before), says(*after)) == Difference(
        ChangeKind(kind), Severity.CRITICAL
    )
