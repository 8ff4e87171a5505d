"""The list: who is on it and in which order, what it leaves out, and what would change it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extractors.conditions import ConditionKind
from extractors.values import Condition, Stance, Visa
from monitor.review import decide_reading
from monitor.taken_back import BY_ITSELF
from shortlist import steps, whatif
from shortlist.advice import advise, why
from shortlist.errors import DataError, ProfileError
from shortlist.fit import Klass, Way
from shortlist.knowledge import knowledge
from shortlist.land import concerning, rules
from shortlist.profile import Profile, profile
from shortlist.target import Shortlist, ask, shares, shortlist
from shortlist.telling import unranked
from shortlist.weights import PARTS, scale
from store.database import Store

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
YES, NO, MAYBE = Stance.SPONSORED, Stance.NOT_SPONSORED, Stance.CONDITIONAL
J1, H1B = Visa.J1, Visa.H1B
BOTH = {J1: YES, H1B: YES}
FEBRUARY = Condition(H1B, ConditionKind.STEP3_PASSED, "February 1")
US_ONLY = Condition(H1B, ConditionKind.US_GRADUATES_ONLY)

Add = Callable[..., None]
SINCE = "2026-11-20T02:00:00Z"  # as conftest has it


def listed(store: Store, **mine: object) -> Shortlist:
    """The list of a profile."""
    return shortlist(ask(store, profile(mine), knowledge(), NOW))


def ids(found: Shortlist) -> list[str]:
    """Its programs in order."""
    return [ranked.program_id for ranked in found.open]


@pytest.fixture
def some(store: Store, add: Add) -> Store:
    """A program of each class."""
    add("both", BOTH, FEBRUARY)
    add("j1", {J1: YES, H1B: NO}, state="CT", city="Hartford")
    add("cases", {J1: YES, H1B: MAYBE}, Condition(H1B, ConditionKind.CASE_BY_CASE), state="NY")
    add("silent", {})
    add("none", {J1: NO, H1B: NO})
    add("graduates", {J1: NO, H1B: MAYBE}, US_ONLY)
    add("unseen", None)
    add("fellows", BOTH, level="fellowship")
    return store


def test_each_program_is_in_its_class_with_why(some: Store) -> None:
    found = listed(some, visa="either", step3="2027-01-15")
    assert ids(found)[:2] == ["both", "cases"]  # which have two ways in
    assert set(ids(found)) == {"both", "j1", "cases", "silent", "unseen"}
    assert [r.program_id for r in found.closed] == ["graduates", "none"]
    assert {k: sum(w.values()) for k, w in found.classes.items() if w} == {
        Klass.J1_AND_H1B: 1, Klass.CASE_BY_CASE: 1, Klass.J1_ONLY: 1, Klass.H1B_ONLY: 1,
        Klass.NONE: 1, Klass.UNKNOWN: 2,
    }  # fmt: skip
    assert [r.program_id for r in found.of(Klass.UNKNOWN)] == ["silent", "unseen"]
    assert ("it does not sponsor the J-1; it does not sponsor the H-1B", 1) in found.reasons


def test_what_to_do_next_and_the_letter(some: Store, add: Add) -> None:
    add("doubt", {J1: YES}, needs_review=True, email="gme@doubt.example")
    found = listed(some, visa="H-1B", step3="2027-01-15", applications=10)
    targets = {
        t.status.program.program_id: t
        for t in found.targets(some, found.chosen, stale_after_cycles=3)
    }
    both = targets["both"]
    assert both.ranked.verdict.way is Way.TO_DO
    assert why(both) == ("it sponsors the H-1B",)
    advice = advise(found.question, both)
    assert advice.steps[0] == "have Step 3 by 2027-02-01"
    assert advice.letter is None
    doubt = advise(found.question, targets["doubt"])
    assert "its policy is in doubt" in doubt.steps[-1]
    assert doubt.letter
    assert doubt.letter.to == "gme@doubt.example"
    assert "2027 Match" in doubt.letter.subject
    assert "by which day must Step 3 be passed?" in doubt.letter.body
    assert "outside the United States" in doubt.letter.body
    assert "{" not in doubt.letter.body
    assert doubt.letter.link.startswith("mailto:gme%40doubt.example?subject=Visa%20")


def test_what_ranks_nothing_is_asked_of_the_program(some: Store) -> None:
    mine = {"visa": "either", "step3": "2027-01-15", "applications": 10}
    older = {**mine, "graduated": 2011, "scores": {"Step 2 CK": 231}}
    plain, found = listed(some, **mine), listed(some, **older)
    assert [(r.program_id, r.score) for r in found.open] == [
        (r.program_id, r.score) for r in plain.open
    ]
    assert unranked(plain.profile) == ""
    assert "year of graduation ranks nothing" in unranked(profile({**mine, "graduated": 2011}))
    assert unranked(found.profile).startswith(
        "Your year of graduation and your scores rank nothing"
    )
    (silent,) = found.targets(
        some, [r for r in found.open if r.program_id == "silent"], stale_after_cycles=3
    )
    letter = advise(found.question, silent).letter
    assert letter
    assert "I graduated in 2011: is there a limit" in letter.body
    assert "My scores are Step 2 CK 231: is there a least score?" in letter.body


def test_the_number_of_applications_cuts_and_says_so(some: Store) -> None:
    found = listed(some, visa="either", step3="passed", applications=2)
    assert [r.program_id for r in found.chosen] == ["both", "cases"]
    assert len(found.left_out) == 3
    assert found.ways == {Way.OPEN: 2}
    last, first = found.chosen[-1].score, found.left_out[0].score
    assert last is not None
    assert first is not None
    assert last >= first


def test_specialties_and_places_narrow_it(some: Store, add: Add) -> None:
    add("heart", BOTH, specialty="Cardiology", state="CT", city="New Haven")
    assert ids(listed(some, visa="J-1", specialties=["cardiology"])) == ["heart"]
    assert ids(listed(some, visa="J-1", places=["new haven, ct"])) == ["heart"]
    assert set(ids(listed(some, visa="J-1", places=["Connecticut"]))) == {"heart", "j1"}
    assert ids(listed(some, visa="J-1", level="fellowship")) == ["fellows"]
    with pytest.raises(ProfileError, match=r"no watched program .* 'Cardiolgy'; did you mean Card"):
        listed(some, visa="J-1", specialties=["Cardiolgy"])


def test_the_score_is_the_weighted_mean_that_is_shown(some: Store) -> None:
    found = listed(some, visa="either", step3="2027-01-15", near=["CT"], weights={"near": 10})
    assert ids(found)[0] == "j1"
    for ranked in found.open:
        parts = shares(found.question, ranked.fact, ranked.verdict)
        assert ranked.score == pytest.approx(sum(part.points for part in parts))
        assert {part.part for part in parts} == set(PARTS)
        assert ranked.score is not None
        assert 0 <= ranked.score <= 100


def test_what_a_maintainer_has_decided_on_is_sure(some: Store, add: Add) -> None:
    add("doubt", BOTH, confidence=0.1, needs_review=True)
    found = listed(some, visa="J-1", weights={"sure": 10})
    assert ids(found)[0] != "doubt"
    for program_id, who in (("doubt", "ada"), ("j1", BY_ITSELF)):
        decide_reading(some, program_id, "accepted", by=who, now=NOW)
    found = listed(some, visa="J-1", weights={"sure": 10})
    assert found.question.table.confirmed == {"doubt"}
    assert ids(found)[0] == "doubt"


weights = st.dictionaries(st.sampled_from(PARTS), st.integers(0, 10))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(weights=weights, part=st.sampled_from(PARTS))
def test_a_weight_moves_only_the_order(some: Store, weights: dict[str, int], part: str) -> None:
    """Whatever matters, who is ruled out stays so; and a part that counts alone decides alone."""
    base = listed(some, visa="either", step3="2027-01-15")
    found = listed(some, visa="either", step3="2027-01-15", weights=weights)
    assert sorted(ids(found)) == sorted(ids(base))
    assert found.closed == base.closed or [r.program_id for r in found.closed] == [
        r.program_id for r in base.closed
    ]
    alone = {p: 10 if p == part else 0 for p in PARTS}
    only = listed(some, visa="either", step3="2027-01-15", weights=alone)
    values = [
        next(s.value for s in shares(only.question, r.fact, r.verdict) if s.part == part)
        for r in only.open
    ]
    assert values == sorted(values, reverse=True)


def test_what_if_says_what_opens_and_what_closes(some: Store) -> None:
    question = ask(some, profile({"visa": "H-1B", "places": ["MA"]}), knowledge(), NOW)
    found = {one.words: one for one in whatif.proposals(question)}
    assert found["you pass Step 3 by 2026-12-31"].opens == ("both", "silent", "unseen")
    assert found["you take a J-1 or an H-1B"].opens == ("both", "silent", "unseen")
    question = ask(some, profile({"visa": "J-1", "places": ["MA"]}), knowledge(), NOW)
    found = {one.words: one for one in whatif.proposals(question)}
    assert found["you add Connecticut"].opens == ("j1",)
    assert found["you add New York"].opens == ("cases",)
    mine = profile({"visa": "either", "step3": "2027-01-15"})
    question = ask(some, mine, knowledge(), NOW)
    found = {one.words: one for one in whatif.proposals(question)}
    assert found["you take the H-1B only"].closes == ("j1",)
    other = whatif.changed(mine, "us_graduate=yes")
    assert whatif.weighed(question, "x", other).opens == ("graduates",)
    assert whatif.changed(mine, "places+CT").places == ("CT",)
    assert whatif.changed(mine, "places=CT; Boston, MA").places == ("CT", "Boston, MA")
    assert whatif.changed(mine, "visa=J-1").visa == "J-1"


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("step4=passed", "write NAME=VALUE"),
        ("step3=soon", "none of: passed"),
        ("visa+J-1", "one value"),
    ],
)
def test_a_bad_what_if_is_named(wish: str, words: str) -> None:
    with pytest.raises(ProfileError, match=words):
        whatif.changed(profile({"visa": "J-1"}), wish)


def concerned(**mine: object) -> dict[str, str]:
    """The rules of the land that concern a profile: why, by id."""
    found = concerning(profile(mine), rules(), NOW.date())
    return {c.rule.id: c.because + (" ENDED" if c.ended else "") for c in found}


def test_rules_of_the_land_are_shown_to_whom_they_concern() -> None:
    abroad = concerned(visa="H-1B", step3="passed", in_us=False, nationality="India")
    assert "ENDED" in abroad["h1b-fee-2025"]
    assert "entry-full-2026" not in abroad
    assert "h1b-fee-2025" not in concerned(visa="H-1B", in_us=True)
    assert "j1-home-residence" in concerned(visa="J-1")
    nigeria = concerned(visa="J-1", nationality="nigeria", in_us=False)
    assert nigeria["entry-partial-2026"] == "concerns the J-1; for nationals of Nigeria"
    assert "entry-partial-2026" not in concerned(visa="H-1B", nationality="Nigeria")
    assert "depends on your nationality" in concerned(visa="J-1")["entry-full-2026"]
    assert concerned(visa="citizen") == {}


def test_the_steps_after_the_match_have_days_in_order() -> None:
    known = knowledge()
    season = known.calendar.season(2027)
    for visa in (J1, H1B):
        due = steps.checklist(known.steps, [visa], season)
        assert [d.day for d in due] == sorted(d.day for d in due)
        assert due[0].day >= date(2027, 3, 19)
        assert due[-1].day < date(2027, 7, 1)
    assert steps.checklist(known.steps, [Visa.CITIZEN], season) == ()
    assert len(steps.as_dates(steps.checklist(known.steps, [J1], season), season)) == 7


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "'visa': must be given: J-1, H-1B, either"),
        ({"visa": "B-2"}, "'visa': Input should be 'J-1', 'H-1B'"),
        ({"visa": "J-1", "step3": "next week"}, "'step3': 'next week' is none of: passed, no, or"),
        ({"visa": "J-1", "ecfmg": "2026-02-31"}, "'ecfmg': '2026-02-31' is none of: certified"),
        ({"visa": "J-1", "places": ["Atlantis"]}, "'places.0': 'Atlantis' is no state; write MA"),
        ({"visa": "J-1", "nationality": "Atlantis"}, "'nationality': 'Atlantis' is not among"),
        ({"visa": "J-1", "applications": 0}, "'applications': .*greater than or equal to 1"),
        ({"visa": "J-1", "weights": {"luck": 3}}, r"weights\.luck.: .*no such weight; .*visa"),
        ({"visa": "J-1", "weights": {"visa": 11}}, r"'weights\.visa': .*less than or equal to 10"),
        ({"visa": "J-1", "prefers": "H-1B"}, "'prefers': says something only with visa = either"),
        ({"visa": "J-1", "name": "Ana"}, "'name': there is no such thing in a profile"),
        ({"visa": "J-1", "scores": {"step1": 999}}, r"'scores\.step1': "),
    ],
)  # fmt: skip
def test_a_bad_profile_is_named_with_the_way_out(values: dict[str, object], words: str) -> None:
    with pytest.raises(ProfileError, match=words):
        profile(values)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(ProfileError) as caught:
        profile({"visa": "x", "step3": "y", "places": ["z"]})
    assert [name for name, _ in caught.value.faults] == ["visa", "step3", "places.0"]


def test_a_profile_has_the_least_defaults() -> None:
    mine = profile({"visa": "J-1", "places": ["massachusetts", "new york, NY"]})
    assert mine.places == ("MA", "new york, NY")
    assert (mine.step3, mine.ecfmg, mine.applications) == ("no", "certified", 40)
    assert isinstance(mine, Profile)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("weights.toml", lambda t: t.replace('id = "near"', 'id = "luck"'), "parts.5.id: "),
        ("weights.toml", lambda t: t.replace("to_do = 0.5", "to_do = 5"), "values.to_do: "),
        ("weights.toml", lambda t: t.replace("stale_days = 180", "stale_days = 7"), "stale_days"),
        ("land.toml", lambda t: t.replace('"Chad"', '"Tchad"'), "no such country: Tchad"),
        ("land.toml", lambda t: t.replace('by = "start"\n', ""), "rule ecfmg: requires and by"),
        ("steps.toml", lambda t: t.replace("days = 52", "days = 5200"), "days: "),
    ],
)  # fmt: skip
def test_a_bad_file_is_named_with_its_fault(
    folder: Path, name: str, change: Callable[[str], str], words: str
) -> None:
    ours = Path(__file__).parents[2] / "shortlist" / "data" / name
    (folder / name).write_text(change(ours.read_text()))
    with pytest.raises(DataError, match=rf"{name}: .*{words}"):
        knowledge(folder)


def test_weights_of_ones_own_stand(folder: Path) -> None:
    ours = Path(__file__).parents[2] / "shortlist" / "data" / "weights.toml"
    (folder / "weights.toml").write_text(ours.read_text().replace("weight = 5", "weight = 9"))
    assert scale(folder).weights({"near": 0}) == {
        "visa": 9, "ready": 2, "second": 1, "sure": 3, "fresh": 1, "near": 0,
    }  # fmt: skip
