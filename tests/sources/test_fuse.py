"""What several channels come to: the labelled cases, and what holds for any evidence."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.evidence_cases import SEASON, TODAY, Case, cases, evidence
from extractors import Condition, ConditionKind, Stance, Visa
from sources import Channel, Evidence, Role, fuse, weights
from sources.weights import WeightsError, read, table

CASES = cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-line-{case.line}")
def test_a_labelled_case_comes_out_as_the_table_says(case: Case) -> None:
    fused = fuse(case.evidence, TODAY)
    assert dict(fused.policy.stances) == {visa: s for visa, (s, _) in case.answer.items()}
    deciding = {visa: fused.channels(visa) for visa in case.answer}
    assert deciding == {visa: (channel,) for visa, (_, channel) in case.answer.items()}
    assert set(fused.disputed) == case.disputed
    assert fused.policy.needs_review == case.review


def test_there_are_enough_cases_of_every_kind() -> None:
    kinds = Counter(case.kind for case in CASES)
    assert len(CASES) >= 120
    assert set(kinds) == {"agreeing", "disagreeing", "stale", "silent"}
    assert min(kinds.values()) >= 30


def test_all_sides_are_told_with_what_became_of_them() -> None:
    told = fuse(
        map(evidence, ("C 40d H+", "C 90d H-", "W 2d H-", "C last H-", "R 3d H+ @ann", "F 9d H+")),
        TODAY,
    ).sides
    assert [(s.evidence.channel, s.role) for s in told] == [
        (Channel.COORDINATOR, Role.DECIDES),
        (Channel.COORDINATOR, Role.SUPERSEDED),
        (Channel.WEBSITE, Role.DISAGREES),
        (Channel.FREIDA, Role.AGREES),
        (Channel.RESIDENT, Role.UNVERIFIED),
        (Channel.COORDINATOR, Role.HISTORY),
    ]


def test_conditions_come_from_all_who_agree() -> None:
    page, answer = evidence("W 2d J+ H+ step3=2027-02-01"), evidence("C 4d J+ H+ step3=2027-01-15")
    asked = Condition(Visa.H1B, ConditionKind.STEP3_PASSED, "2027-02-01")
    assert fuse([page, evidence("C 4d J+ H+")], TODAY).policy.conditions == (asked,)
    earlier = replace(asked, by="2027-01-15")
    assert fuse([page, answer], TODAY).policy.conditions == (earlier,)


def test_a_policy_quotes_both_sides() -> None:
    page = replace(
        evidence("W 2d H-"), quote="We do not sponsor H-1B visas.", link="https://a.example/"
    )
    mail = replace(evidence("C 2d H+"), quote="Yes, both.")
    quotes = [(e.quote, e.rules, e.url) for e in fuse([page, mail], TODAY).policy.evidence]
    assert quotes == [
        ("Yes, both.", ("channel:coordinator",), None),
        ("We do not sponsor H-1B visas.", ("channel:website",), "https://a.example/"),
    ]


def test_a_report_that_agrees_with_one_that_counts_leaves_it_counting() -> None:
    decided, counts, again = map(evidence, ("M 2d J~", "R 3d J+ @ann ok", "R 1d J~ @ann"))
    assert fuse([decided, counts, again], TODAY).policy == fuse([decided, counts], TODAY).policy


_days = st.integers(0, 900).map(lambda n: TODAY - timedelta(days=n))
_stances = st.sampled_from([s for s in Stance if s is not Stance.UNSTATED])
_said = st.dictionaries(st.sampled_from([Visa.J1, Visa.H1B, Visa.O1]), _stances)


@st.composite
def _evidence(draw: st.DrawFn, said: st.SearchStrategy[dict[Visa, Stance]] = _said) -> Evidence:
    day = draw(_days)
    since = day - timedelta(days=draw(st.sampled_from([0, 0, 30, 400])))
    return Evidence(
        draw(st.sampled_from(Channel)),
        f"{day}T09:00:00Z",
        day.year + (day.month >= 6) + draw(st.sampled_from([0, 0, 0, 1])),
        tuple(sorted(draw(said).items(), key=lambda pair: list(Visa).index(pair[0]))),
        who=draw(st.sampled_from(["ann", "bob", "cy"])),
        since=f"{since}T09:00:00Z",
        confirmed=draw(st.booleans()),
        doubtful=draw(st.booleans()),
        confidence=draw(st.sampled_from([0.3, 0.8, 1.0])),
    )


_known = st.lists(_evidence(), max_size=8)


@given(_known, st.randoms(use_true_random=False))
def test_order_does_not_matter_nor_does_saying_it_twice(known: list[Evidence], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = [*known, *known[:2]]
    random.shuffle(shuffled)
    assert fuse(shuffled, TODAY) == fuse(known, TODAY)


@given(_known, st.data())
def test_agreeing_evidence_never_lowers_confidence(
    known: list[Evidence], data: st.DataObject
) -> None:
    before = fuse(known, TODAY)
    stated = {v: s for v, s in before.policy.stances if s is not Stance.CONFLICTING}
    more = data.draw(_evidence(st.just(stated)))
    after = fuse([*known, more], TODAY)
    assert after.policy.confidence >= before.policy.confidence
    assert after.policy.stances == before.policy.stances


@given(_known, _evidence())
def test_older_evidence_never_overrules_newer_of_its_channel(
    known: list[Evidence], older: Evidence
) -> None:
    before = fuse(known, TODAY)
    after = fuse([*known, older], TODAY)
    for side in before.sides:
        newer = (side.evidence.season, side.evidence.at) > (older.season, older.at)
        if side.role is Role.DECIDES and side.evidence.channel is older.channel and newer:
            assert after.policy.stance(side.visa) is side.stance


@given(_known)
def test_nothing_stands_without_somebody_who_says_so(known: list[Evidence]) -> None:
    fused = fuse(known, TODAY)
    for visa, stance in fused.policy.stances:
        said = {s.stance for s in fused.sides if s.visa is visa and s.role is Role.DECIDES}
        assert stance in said or (stance is Stance.CONFLICTING and len(said) > 1)
    assert bool(fused.disputed) <= fused.policy.needs_review
    spoken = {(e, visa) for e in known for visa, s in e.stances}
    assert {(s.evidence, s.visa) for s in fused.sides} == spoken


def test_the_table_of_the_season_follows_the_order_of_channels() -> None:
    rows = [table()[channel] for channel in Channel]
    for stronger, weaker in pairwise(rows):
        assert stronger.season > weaker.fresh
    assert table()[Channel.COORDINATOR].last == 0
    assert SEASON == 2027


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("[freida]", "[friend]", "one row for each channel"),
        ("fresh = 0.62", "fresh = 0.55", "from 1 down to 0"),
        ("fresh = 0.62", "fresh = 0.65", "two are the same"),
        ("coarse = true\n", "course = true\n", "unknown key course"),
        ("older = 0\n", "", "older"),
    ],
)
def test_a_table_that_does_not_decide_is_refused(before: str, after: str, says: str) -> None:
    from importlib.resources import files

    text = (files(weights.__package__) / "weights.toml").read_text("utf-8")
    with pytest.raises(WeightsError, match=says):
        read(text.replace(before, after, 1))


def test_the_docs_show_the_table() -> None:
    docs = (Path(__file__).parent.parent.parent / "docs" / "sources.md").read_text("utf-8")
    shown = re.findall(r"^\| `(\w+)`:[^|]*\| (.+) \|$", docs, re.MULTILINE)
    rows = [
        (
            channel,
            " | ".join(
                [
                    *(f"{n:.2f}" if n else "0" for n in (w.fresh, w.season, w.last, w.older)),
                    f"{w.fresh_days} days",
                ]
            ),
        )
        for channel, w in table().items()
    ]
    assert shown == rows
