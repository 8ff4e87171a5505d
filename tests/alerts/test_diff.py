"""Diffs and summaries of policies."""

from __future__ import annotations

import doctest
import time
from dataclasses import replace
from typing import Any

import pytest
from alerts_bench import BOTH, J1_ONLY, REWORDED, policy
from hypothesis import given
from hypothesis import strategies as st

from extractors.conditions import ConditionKind
from extractors.values import Condition, Stance, Visa
from monitor import diff
from monitor.alerts import matching, message
from store.records import Change

words = st.lists(
    st.sampled_from(["J-1", "H-1B", "we", "sponsor", " ", "  ", ".", "\n", "(", "é", "שלום"])
).map("".join)
texts = words | st.text()
CHANGE = Change(1, "p", 1, "policy_changed", "critical", "open", BOTH, J1_ONLY, "")
STEP3 = Condition(Visa.H1B, ConditionKind.STEP3_PASSED, "2027-02-01")
LATER = Condition(Visa.H1B, ConditionKind.STEP3_PASSED, "2027-03-01")


@pytest.mark.parametrize("module", [diff, matching, message])
def test_examples(module: Any) -> None:
    assert doctest.testmod(module).failed == 0


@given(texts)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert {span.op for span in diff.word_diff(text, text)} <= {"equal"}


@given(texts, texts)
def test_spans_make_both_texts(before: str, after: str) -> None:
    spans = diff.word_diff(before, after)
    assert "".join(s.text for s in spans if s.op != "insert") == before
    assert "".join(s.text for s in spans if s.op != "delete") == after


@given(texts, texts)
def test_html_holds_the_same_words_and_no_tag_but_ours(before: str, after: str) -> None:
    html = str(diff.as_html(diff.word_diff(before, after)))
    bare = html
    for tag in ("<ins>", "</ins>", "<del>", "</del>"):
        bare = bare.replace(tag, "")
    assert "<" not in bare
    assert ">" not in bare


def test_the_statements_blocks_are_compared_in_page_order_once() -> None:
    block = "Visas. We sponsor J-1 visas. We do not sponsor H-1B visas."
    evidence = [
        {"visa": "H-1B", "quote": "We do not sponsor H-1B visas.", "start": 29, "url": "b"},
        {"visa": "J-1", "quote": "We sponsor J-1 visas.", "context": block, "start": 7, "url": "b"},
        {"visa": "J-1", "quote": "Only J-1.", "start": 900, "url": "a"},
    ]
    assert diff.statement_text({"evidence": evidence}) == f"Only J-1.\n\n{block}"


def test_words_differ_and_not_characters() -> None:
    spans = diff.policy_diff(BOTH, REWORDED)
    assert diff.as_text(spans) == (
        "[-We sponsor-]{+Both+} J-1 and H-1B visas {+are sponsored +}for our residents."
    )
    assert diff.as_rich(spans).plain == diff.as_text(spans)


def test_unlike_long_texts_end_in_time() -> None:
    before, after = (" ".join(f"{c}{n * n % 7919}" for n in range(20_000)) for c in "ab")
    start = time.monotonic()
    spans = diff.word_diff(before, after)
    assert time.monotonic() - start < 20 * diff.TIME_LIMIT
    assert "".join(s.text for s in spans if s.op != "delete") == after


def test_more_words_than_there_are_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diff, "MOST_WORDS", 3)
    assert [s.op for s in diff.word_diff("a b c", "a b d")] == ["delete", "insert"]


def test_long_unchanged_stretches_are_cut() -> None:
    same = " ".join(map(str, range(100)))
    spans = diff.shortened(diff.word_diff(f"{same} old {same}", f"{same} new {same}"), around=2)
    assert diff.as_text(spans) == "… 98 99 [-old-]{+new+} 0 1 …"


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (BOTH, J1_ONLY, "H-1B: sponsored -> not sponsored (J-1 and H-1B -> J-1 only)"),
        (BOTH, REWORDED, "wording changed; the policy is the same (J-1 and H-1B)"),
        (
            BOTH,
            policy(Stance.SPONSORED, Stance.SPONSORED, "x", STEP3),
            "H-1B: sponsored as before, now 'Step 3 passed by 2027-02-01' (J-1 and H-1B as before)",
        ),
        (
            policy(Stance.SPONSORED, Stance.SPONSORED, "x", STEP3),
            policy(Stance.SPONSORED, Stance.SPONSORED, "x", LATER),
            "H-1B: sponsored as before, no longer 'Step 3 passed by 2027-02-01', "
            "now 'Step 3 passed by 2027-03-01' (J-1 and H-1B as before)",
        ),
        (
            BOTH,
            policy(None, None, ""),
            "J-1: sponsored -> not stated; H-1B: sponsored -> not stated "
            "(J-1 and H-1B -> nothing stated)",
        ),
    ],
)
def test_summaries(before: dict[str, Any], after: dict[str, Any], says: str) -> None:
    assert diff.summary(replace(CHANGE, before=before, after=after)) == says


def test_a_page_that_is_gone() -> None:
    gone = replace(CHANGE, kind="page_gone", after=BOTH)
    assert diff.summary(gone) == "the page is gone; last known: J-1 and H-1B"
    assert diff.touched(BOTH, BOTH) == ("J-1", "H-1B")


def test_every_word_of_the_domain_has_words() -> None:
    assert set(diff.CONDITION_WORDS) == set(ConditionKind)
    assert set(diff.STANCE_WORDS) == set(Stance)


def test_the_category_is_that_of_the_stances_whatever_a_record_says() -> None:
    assert diff.category({"stances": {"J-1": "sponsored", "H-1B": "conditional"}}) == (
        "J-1, H-1B case by case"
    )
    assert diff.category({}) == "nothing stated"
