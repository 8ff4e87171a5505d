"""Coordinators' mails in every style: how many are read rightly, and whether the others say so."""

from __future__ import annotations

import tomllib
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from watching import NOW

from extractors import Visa
from sources.letters import Kind, read
from sources.replies import Understood, own_words, understand

MAILS: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent.parent / "data" / "coordinator_mails.toml").read_text("utf-8")
)["mail"]


def understood(mail: dict[str, Any], now: datetime = NOW) -> Understood:
    message = EmailMessage()
    message["From"] = "Pat Rivers <pat@marrow.example>"
    message["Message-ID"] = "<1@marrow.example>"
    if "html" in mail:
        message.set_content(mail["html"], subtype="html")
    else:
        message.set_content(mail["text"])
    letter = read(message.as_bytes(), now)
    assert letter.kind is Kind.ANSWER
    return understand(letter.text)


def right(mail: dict[str, Any]) -> bool:
    policy = understood(mail).policy
    says = {visa: str(policy.stance(visa)) for visa in (Visa.J1, Visa.H1B)}
    return says == {
        Visa.J1: mail.get("j1", "unstated"),
        Visa.H1B: mail.get("h1b", "unstated"),
    }


def test_mails_are_read_rightly_and_no_wrong_one_goes_unmarked() -> None:
    wrong = [mail for mail in MAILS if not right(mail)]
    assert len(MAILS) >= 40
    assert len(MAILS) - len(wrong) >= 0.95 * len(MAILS), wrong
    unmarked = [mail for mail in wrong if not understood(mail).doubtful]
    assert unmarked == []


def test_most_right_ones_are_not_marked() -> None:
    full = [mail for mail in MAILS if "j1" in mail and "h1b" in mail and right(mail)]
    marked = [mail for mail in full if understood(mail).doubtful]
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
