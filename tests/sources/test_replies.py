"""Coordinators' mails in every style: how many are read rightly, and whether the others say so."""

from __future__ import annotations

import pytest

from benchmarks.coordinators import mails
from sources.replies import own_words, understand

MAILS = mails()


def test_mails_are_read_rightly_and_no_wrong_one_goes_unmarked() -> None:
    wrong = [mail for mail in MAILS if not mail.right]
    assert len(MAILS) >= 40
    assert len(MAILS) - len(wrong) >= 0.95 * len(MAILS), wrong
    assert [mail for mail in wrong if not mail.understood.doubtful] == []


def test_most_right_ones_are_not_marked() -> None:
    full = [mail for mail in MAILS if mail.whole and mail.right]
    marked = [mail for mail in full if mail.understood.doubtful]
    assert len(marked) <= 0.1 * len(full), marked


def test_the_quote_is_what_the_coordinator_wrote() -> None:
    assert understand("Hello.\nBoth.").quote == "Both."
    assert understand("Hi, we sponsor J-1 visas only. Lunch is free.").quote == (
        "Hi, we sponsor J-1 visas only."
    )


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("J-1 only.\n\nBest,\nPat Rivers\nCoordinator", "J-1 only."),
        ("J-1 only.\n--\nPat", "J-1 only."),
        (
            "J-1 only.\n\nOn Fri, Nov 20, 2026 at 9:12 AM Ask <a@b.example> wrote:\n> H-1B?",
            "J-1 only.",
        ),
        ("> 1. H-1B?\nNo.\n> 2. Any change?\n> Thanks", "1. H-1B?\nNo."),
        ("> We ask you:\n> 1. H-1B?\n\nNo.", "1. H-1B?\n\nNo."),
        ("Thank you for asking. Only J-1.\nThanks\nPat", "Thank you for asking. Only J-1."),
        ("", ""),
    ],
)
def test_quotes_and_signatures_are_left_out(text: str, own: str) -> None:
    assert own_words(text) == own
