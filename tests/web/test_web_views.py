"""What is not to be shown as certain."""

import pytest

from extractors import Policy, Stance, Visa
from monitor.status import Status
from store.records import Program, Review
from web.views import View

PROGRAM = Program("im", "Fernway Hospital", "Internal Medicine")
CONFIRMED = Review(1, "accepted", "ada", "", "2026-11-25T12:00:00Z")


def view(confidence: float, *, needs_review: bool = False, review: Review | None = None) -> View:
    policy = Policy(((Visa.J1, Stance.SPONSORED),), (), confidence, needs_review)
    return View(Status(PROGRAM, policy, "ok"), review)


@pytest.mark.parametrize(
    ("shown", "uncertain"),
    [
        (view(0.97), False),
        (view(0.3), True),
        (view(0.97, needs_review=True), True),
        (view(0.3, review=CONFIRMED), False),
        (View(Status(PROGRAM, None, "never_seen")), True),
    ],
)
def test_an_answer_that_is_rather_wrong_than_right_is_uncertain(
    shown: View, uncertain: bool
) -> None:
    assert shown.uncertain is uncertain
