"""Changes that close themselves, and those that must not."""

from __future__ import annotations

from conftest import BOTH, FIRST_NIGHT, J1_ONLY, NONE, Watch

from monitor.clock import system
from monitor.review import decide
from monitor.taken_back import BY_ITSELF
from store import outbox, policies, subscriptions, verdicts
from store.records import Subscription


def flagged(watch: Watch, *bodies: str) -> list[str]:
    """The statuses of the changes after a night with each of these pages."""
    if not watch.nights:
        watch.program()
    for body in bodies:
        watch.site.page("/visa", body)
        watch.night()
    return [change.status for change in watch.changes()]


def test_a_change_that_is_taken_back_closes_itself_and_says_so(watch: Watch) -> None:
    assert flagged(watch, J1_ONLY, BOTH, J1_ONLY) == ["dismissed", "open"]
    first, second = watch.changes()
    review = verdicts.of_change(watch.store, first.id)[-1]
    assert review.by == BY_ITSELF
    assert review.note == f"taken back: change {second.id} leads to the policy from before"
    assert review.at == second.detected_at
    assert watch.category() == "j1_only"
    assert policies.standing(watch.store)["im"].origin == "read"


def test_the_mail_says_that_it_takes_a_change_back(watch: Watch) -> None:
    with watch.store.writing():
        subscriptions.add(watch.store, Subscription(0, "fellow@inbox.example"), FIRST_NIGHT)
    flagged(watch, J1_ONLY, BOTH, J1_ONLY)
    first, second = outbox.listed(watch.store)
    assert first.subject == "VisaWatch: Fernway Hospital, Medicine now sponsors H-1B"
    assert second.subject.endswith("no longer sponsors H-1B, as before 2026-11-02")
    said = (b"takes back" in mail.message for mail in (first, second))
    assert list(said) == [False, True]


def test_two_changes_that_lead_back_to_the_start_are_both_closed(watch: Watch) -> None:
    assert flagged(watch, J1_ONLY, BOTH, NONE, J1_ONLY) == ["dismissed", "dismissed", "open"]


def test_a_change_that_leads_elsewhere_closes_nothing(watch: Watch) -> None:
    assert flagged(watch, J1_ONLY, BOTH, NONE) == ["open", "open"]


def test_other_words_for_the_policy_from_before_take_a_change_back(watch: Watch) -> None:
    reworded = "<h1>Visas</h1><p>Our program sponsors J-1 visas only.</p>"
    assert flagged(watch, J1_ONLY, BOTH, reworded) == ["dismissed", "open"]


def test_what_a_maintainer_has_decided_is_left_alone(watch: Watch) -> None:
    flagged(watch, J1_ONLY, BOTH)
    decide(watch.store, watch.changes()[0].id, "accepted", by="Ana", now=system())
    assert flagged(watch, J1_ONLY) == ["accepted", "open"]
    assert len(verdicts.of_change(watch.store, watch.changes()[0].id)) == 1


def test_what_came_before_a_decision_is_left_alone_too(watch: Watch) -> None:
    flagged(watch, J1_ONLY, BOTH, NONE)
    decide(watch.store, watch.changes()[1].id, "accepted", by="Ana", now=system())
    assert flagged(watch, J1_ONLY) == ["open", "accepted", "open"]


def test_a_page_that_is_back_closes_what_was_flagged_when_it_was_gone(watch: Watch) -> None:
    flagged(watch, J1_ONLY)
    watch.site.page("/visa", "", status=404)
    watch.night()
    watch.night()
    watch.site.page("/visa", "", status=503)
    watch.night()
    assert [(c.kind, c.status) for c in watch.changes()] == [("page_gone", "open")]
    assert flagged(watch, J1_ONLY) == ["dismissed"]
    assert verdicts.of_change(watch.store, watch.changes()[0].id)[-1].note == "the page is back"


def test_a_page_that_is_back_with_another_policy_is_a_change(watch: Watch) -> None:
    flagged(watch, J1_ONLY)
    watch.site.page("/visa", "", status=404)
    watch.night()
    watch.night()
    assert flagged(watch, BOTH) == ["dismissed", "open"]


def test_the_same_cycle_run_again_closes_nothing_twice(watch: Watch) -> None:
    flagged(watch, J1_ONLY, BOTH, J1_ONLY)
    flagged(watch, J1_ONLY, J1_ONLY)
    assert len(verdicts.of_change(watch.store, watch.changes()[0].id)) == 1


def test_a_page_that_is_gone_down_and_gone_again_is_told_once(watch: Watch) -> None:
    flagged(watch, J1_ONLY)
    for status in (404, 404, 503, 404, 404):
        watch.site.page("/visa", "", status=status)
        watch.night()
    assert watch.kinds() == ["page_gone"]
