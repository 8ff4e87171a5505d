"""The hard limits: no policy that rules an applicant out is ever suggested."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extractors.conditions import ConditionKind
from extractors.values import Condition, Stance, Visa
from shortlist.calendar import EventId
from shortlist.fit import Judge, Klass, Way
from shortlist.knowledge import knowledge
from shortlist.profile import Profile, profile
from shortlist.said import Said

TODAY = date(2026, 11, 25)
KNOWN = knowledge()
SEASON = KNOWN.calendar.season(2027)
YES, NO, MAYBE = Stance.SPONSORED, Stance.NOT_SPONSORED, Stance.CONDITIONAL
J1, H1B = Visa.J1, Visa.H1B
FILING = SEASON.event(EventId.H1B_FILING).last


def judge(mine: Profile) -> Judge:
    return Judge(mine, KNOWN.calendar, SEASON, KNOWN.rules, KNOWN.scale.values, TODAY)


def way(said: Said, **mine: object) -> Way:
    return judge(profile({"ecfmg": "certified", **mine})).verdict(said).way


def h1b(stance: Stance, kind: str, by: str | None = None) -> Said:
    return Said(((J1, NO), (H1B, stance)), (Condition(H1B, ConditionKind(kind), by),))


def refuses(*takes: Visa) -> Said:
    """No visa is sponsored, and these statuses are named."""
    return Said(((J1, NO), (H1B, NO), *((status, YES) for status in takes)))


FEBRUARY = h1b(YES, "step3_passed", "February 1")
LAST_YEARS = h1b(YES, "step3_passed", "2026-02-01")
HOLDER = {"visa": "H-1B", "step3": "passed", "holds_h1b": True}
RESIDENT = {"visa": "permanent_resident"}


@pytest.mark.parametrize(
    ("said", "mine", "expected"),
    [
        (Said(((J1, YES), (H1B, NO))), {"visa": "J-1"}, Way.OPEN),
        (Said(((J1, YES), (H1B, NO))), {"visa": "H-1B", "step3": "passed"}, Way.CLOSED),
        (Said(((J1, YES), (H1B, NO))), {"visa": "either"}, Way.OPEN),
        (Said(((J1, YES),)), {"visa": "H-1B", "step3": "passed"}, Way.ASK),
        (Said(seen=False), {"visa": "J-1"}, Way.ASK),
        (Said(((J1, Stance.CONFLICTING),)), {"visa": "J-1"}, Way.ASK),
        # Step 3: passed, planned in time, planned too late, not planned.
        (FEBRUARY, {"visa": "H-1B", "step3": "passed"}, Way.OPEN),
        (FEBRUARY, {"visa": "H-1B", "step3": "2027-02-01"}, Way.TO_DO),
        (FEBRUARY, {"visa": "H-1B", "step3": "2027-02-02"}, Way.CLOSED),
        (FEBRUARY, {"visa": "H-1B", "step3": "no"}, Way.CLOSED),
        (LAST_YEARS, {"visa": "H-1B", "step3": "2027-01-20"}, Way.TO_DO),
        (h1b(YES, "step3_passed"), {"visa": "H-1B", "step3": "2027-05-31"}, Way.TO_DO),
        # Without a word of Step 3 the law still asks for it.
        (Said(((H1B, YES),)), {"visa": "H-1B", "step3": "no"}, Way.CLOSED),
        (Said(((H1B, YES),)), {"visa": "H-1B", "step3": "2027-06-01"}, Way.CLOSED),
        (Said(((H1B, YES),)), {"visa": "H-1B", "step3": "no", "us_graduate": True}, Way.OPEN),
        # Conditions on who somebody is.
        (h1b(MAYBE, "us_graduates_only"), {"visa": "H-1B", "step3": "passed"}, Way.CLOSED),
        (h1b(MAYBE, "us_graduates_only"), {"visa": "H-1B", "us_graduate": True}, Way.OPEN),
        (h1b(MAYBE, "transfer_only"), {"visa": "H-1B", "step3": "passed"}, Way.CLOSED),
        (h1b(MAYBE, "transfer_only"), HOLDER, Way.OPEN),
        (h1b(NO, "paused"), {"visa": "H-1B", "step3": "passed"}, Way.CLOSED),
        (h1b(MAYBE, "case_by_case"), {"visa": "H-1B", "step3": "passed"}, Way.ASK),
        (h1b(MAYBE, "exceptional_only"), {"visa": "H-1B", "step3": "passed"}, Way.ASK),
        (h1b(MAYBE, "gme_approval"), {"visa": "H-1B", "step3": "2027-01-01"}, Way.ASK),
        # The certificate.
        (Said(((J1, YES),)), {"visa": "J-1", "ecfmg": "no"}, Way.CLOSED),
        (Said(((J1, YES),)), {"visa": "J-1", "ecfmg": "2027-03-01"}, Way.TO_DO),
        (Said(((J1, YES),)), {"visa": "J-1", "ecfmg": "no", "us_graduate": True}, Way.OPEN),
        # Who needs no visa.
        (refuses(), {"visa": "citizen"}, Way.OPEN),
        (refuses(Visa.CITIZEN), RESIDENT, Way.CLOSED),
        (refuses(Visa.PERMANENT_RESIDENT), RESIDENT, Way.OPEN),
        (refuses(), RESIDENT, Way.OPEN),
        (Said(((Visa.EAD, YES),)), {"visa": "EAD"}, Way.OPEN),
        (Said(((Visa.EAD, NO),)), {"visa": "EAD"}, Way.CLOSED),
        (Said(((J1, YES),)), {"visa": "EAD"}, Way.ASK),
    ],
)  # fmt: skip
def test_what_a_policy_means_for_an_applicant(
    said: Said, mine: dict[str, object], expected: Way
) -> None:
    assert way(said, **mine) is expected


def test_the_law_and_the_program_are_kept_apart() -> None:
    verdict = judge(profile({"visa": "H-1B", "step3": "no"})).verdict(Said(((H1B, YES),)))
    assert verdict.best.why == (
        f"for the H-1B the law asks for Step 3 by {FILING}, and you have no plan for it",
    )
    planned = judge(profile({"visa": "H-1B", "step3": "2027-01-05"}))
    (to_do,) = planned.verdict(Said(((H1B, YES),))).best.to_do
    assert (to_do.by, to_do.rule) == (FILING, "h1b-step3")
    (to_do,) = planned.verdict(h1b(YES, "step3_passed", "February 1")).best.to_do
    assert (to_do.by, to_do.rule) == (date(2027, 2, 1), "")


@pytest.mark.parametrize(
    ("stances", "expected"),
    [
        ({J1: YES, H1B: NO}, Klass.J1_ONLY),
        ({J1: YES, H1B: YES}, Klass.J1_AND_H1B),
        ({J1: YES, H1B: MAYBE}, Klass.CASE_BY_CASE),
        ({J1: YES}, Klass.J1_H1B_UNSTATED),
        ({H1B: YES}, Klass.H1B_ONLY),
        ({J1: NO, H1B: NO}, Klass.NONE),
        ({}, Klass.UNKNOWN),
        ({J1: Stance.CONFLICTING}, Klass.UNKNOWN),
        ({J1: NO}, Klass.UNKNOWN),
    ],
)
def test_the_classes_of_the_guide(stances: dict[Visa, Stance], expected: Klass) -> None:
    said = Said(tuple(stances.items()))
    assert judge(profile({"visa": "J-1"})).verdict(said).klass is expected


days = st.dates(date(2026, 8, 1), date(2027, 8, 1))
stances = st.dictionaries(st.sampled_from(list(Visa)), st.sampled_from(list(Stance)))
by = st.none() | days.map(str) | st.sampled_from(
    ["February 1", "before the Match", "before rank lists", "soon"]
)  # fmt: skip
conditions = st.lists(
    st.builds(Condition, st.sampled_from(list(Visa)), st.sampled_from(list(ConditionKind)), by)
)
saids = st.builds(Said, stances.map(lambda d: tuple(d.items())), conditions.map(tuple))
profiles = st.fixed_dictionaries(
    {
        "visa": st.sampled_from(["J-1", "H-1B", "either", "EAD", "permanent_resident", "citizen"]),
        "step3": st.sampled_from(["no", "passed"]) | days,
        "ecfmg": st.sampled_from(["no", "certified"]) | days,
        "us_graduate": st.booleans(),
        "holds_h1b": st.booleans(),
        "in_us": st.none() | st.booleans(),
    }
).map(profile)


def rules_out(said: Said, visa: Visa, mine: Profile) -> bool:
    """Written apart from `shortlist.fit`: whether a policy in so many words leaves somebody out."""
    kinds = {c.kind: c.by for c in said.conditions if c.visa is visa}
    if said.stance(visa) is NO or ConditionKind.PAUSED in kinds:
        return True
    if ConditionKind.US_GRADUATES_ONLY in kinds and not mine.us_graduate:
        return True
    if ConditionKind.TRANSFER_ONLY in kinds and not (visa is H1B and mine.holds_h1b):
        return True
    for c in said.conditions:
        if c.visa is visa and c.kind is ConditionKind.STEP3_PASSED and mine.step3 != "passed":
            if mine.step3 == "no":
                return True
            assert isinstance(mine.step3, date)
            try:
                last = date.fromisoformat(c.by or "")
            except ValueError:
                continue
            if last >= SEASON.begins and mine.step3 > last:
                return True
    return False


@given(saids, profiles)
def test_nothing_is_suggested_that_a_policy_rules_out(said: Said, mine: Profile) -> None:
    verdict = judge(mine).verdict(said)
    for answer in verdict.answers:
        if answer.visa in (J1, H1B) and rules_out(said, answer.visa, mine):
            assert answer.way is Way.CLOSED
    if all(v in (J1, H1B) and rules_out(said, v, mine) for v in mine.visas):
        assert verdict.way is Way.CLOSED
    assert all(0 <= answer.value <= 1 for answer in verdict.answers)
    assert (verdict.way is Way.CLOSED) is all(a.way is Way.CLOSED for a in verdict.answers)


@given(saids, profiles)
def test_an_earlier_step3_and_a_wider_choice_close_nothing(said: Said, mine: Profile) -> None:
    def closed(other: Profile) -> bool:
        return judge(other).verdict(said).way is Way.CLOSED

    if not closed(mine):
        assert not closed(replace(mine, step3="passed"))
        if isinstance(mine.step3, date):
            assert not closed(replace(mine, step3=mine.step3 - timedelta(days=30)))
        if mine.visa in ("J-1", "H-1B"):
            assert not closed(profile({**_values(mine), "visa": "either"}))


@given(saids, profiles)
def test_the_order_of_conditions_does_not_matter(said: Said, mine: Profile) -> None:
    turned = Said(said.stances[::-1], said.conditions[::-1])
    first, second = judge(mine).verdict(said), judge(mine).verdict(turned)
    assert (first.way, first.klass, first.best.value) == (
        second.way, second.klass, second.best.value,
    )  # fmt: skip


def _values(mine: Profile) -> dict[str, object]:
    names = ("step3", "ecfmg", "us_graduate", "holds_h1b", "in_us")
    return {name: getattr(mine, name) for name in names}
