"""What a cycle flags, and what it does not, over real HTTP."""

from __future__ import annotations

import pytest
from conftest import BOTH, J1_ONLY, NONE, SILENT, Watch, in_turn, neighbours
from loopback import Visit

from extractors import Policy, Stance, Visa
from monitor.clock import system
from monitor.review import decide
from store import policies, verdicts


def test_the_first_sight_of_a_program_is_no_change(watch: Watch) -> None:
    watch.site.page("/visa", J1_ONLY)
    watch.program()
    summary = watch.night()
    assert (summary.fetched, summary.changes) == (1, 0)
    assert watch.category() == "j1_only"
    assert watch.changes() == []


def test_a_changed_policy_is_flagged_once_with_both_quotes(watch: Watch) -> None:
    watch.site.page("/visa", BOTH)
    watch.program()
    watch.night()
    watch.site.page("/visa", J1_ONLY)
    assert watch.night().changes == 1
    assert watch.night().changes == 0
    (change,) = watch.changes()
    assert (change.kind, change.severity, change.status) == ("policy_changed", "critical", "open")
    assert change.cycle_id == 2
    assert change.url == watch.site.url("/visa")
    assert {e["quote"] for e in change.before["evidence"]} == {"We sponsor J-1 and H-1B visas."}
    assert {e["quote"] for e in change.after["evidence"]} == {"We sponsor only J-1 visas."}
    assert change.after["evidence"][0]["fetched_at"] == "2026-11-02T02:00:00Z"
    assert watch.category() == "j1_only"


def test_a_page_that_is_back_on_the_second_look_is_not_flagged(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", BOTH)
    watch.night()
    watch.site.route("/visa", in_turn(J1_ONLY, BOTH))
    assert watch.night().changes == 0
    assert len(watch.site.visits_of("/visa")) == 3  # the second look was taken
    assert watch.night().changes == 0
    assert watch.category() == "j1_and_h1b"


def test_a_difference_that_could_not_be_confirmed_is_looked_at_again(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", BOTH)
    watch.night()
    tag = {"ETag": '"new"'}

    def changed_then_down(visit: Visit) -> None:
        if len(watch.site.visits_of("/visa")) == 3:
            visit.send(b"", 503)
        else:
            visit.send(J1_ONLY.encode(), headers=tag)

    watch.site.route("/visa", changed_then_down)
    assert watch.night().changes == 0

    def not_modified(visit: Visit) -> None:
        known = visit.headers.get("If-None-Match") == tag["ETag"]
        visit.send(b"" if known else J1_ONLY.encode(), 304 if known else 200, tag)

    watch.site.route("/visa", not_modified)
    assert watch.night().changes == 1


@pytest.mark.parametrize("noise", ["<p>Visitors: {}</p>", "<!-- {} -->", "<nav>{} H-1B news</nav>"])
def test_noise_around_the_statement_is_no_change(watch: Watch, noise: str) -> None:
    watch.program()
    for night in range(3):
        watch.site.page("/visa", BOTH + noise.format(night))
        watch.night()
    assert watch.changes() == []


def test_the_same_policy_in_other_words_is_minor(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", "<p>We sponsor J-1 and H-1B visas.</p>")
    watch.night()
    watch.site.page("/visa", "<p>Both J-1 and H-1B visas are sponsored by our program.</p>")
    watch.night()
    assert [(c.kind, c.severity) for c in watch.changes()] == [("wording_changed", "minor")]


def test_a_statement_added_is_flagged_at_once(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", SILENT)
    watch.night()
    assert watch.category() == "unstated"
    watch.site.page("/visa", SILENT + J1_ONLY)
    watch.night()
    assert watch.kinds() == ["statement_added"]


def test_a_withdrawn_statement_must_be_missing_in_two_cycles(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", J1_ONLY)
    watch.night()
    watch.site.page("/visa", SILENT)
    assert watch.night().changes == 0
    assert watch.category() == "j1_only"  # until it is sure
    assert watch.night().changes == 1
    assert watch.kinds() == ["statement_withdrawn"]
    assert watch.category() == "unstated"
    assert watch.night().changes == 0


def test_a_statement_withdrawn_beside_a_condition_dropped_is_told_with_it(watch: Watch) -> None:
    watch.program()
    certified = "<h1>Visas</h1><p>We sponsor J-1 visas for ECFMG-certified applicants.</p>"
    watch.site.page("/visa", f"{certified}<p>We do not sponsor H-1B visas.</p>")
    watch.night()
    watch.site.page("/visa", "<h1>Visas</h1><p>We sponsor J-1 visas.</p>")
    assert watch.night().changes == 1
    assert watch.category() == "j1_h1b_unstated"


def test_a_statement_that_is_missing_for_one_night_is_not_withdrawn(watch: Watch) -> None:
    watch.program()
    for body in (J1_ONLY, SILENT, J1_ONLY, SILENT, J1_ONLY):
        watch.site.page("/visa", body)
        watch.night()
    assert watch.changes() == []


def test_a_page_that_is_gone_is_flagged_once_in_the_second_night(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", J1_ONLY)
    watch.night()
    watch.site.page("/visa", "<p>gone</p>", status=410)
    assert [watch.night().changes for _ in range(5)] == [0, 1, 0, 0, 0]
    assert watch.kinds() == ["page_gone"]
    assert (watch.category(), watch.status().health) == ("j1_only", "gone")


def test_a_gone_page_that_comes_back_with_another_policy_is_a_change(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", J1_ONLY)
    watch.night()
    watch.site.page("/visa", "", status=404)
    for _ in range(3):
        watch.night()
    watch.site.page("/visa", BOTH)
    watch.night()
    assert watch.kinds() == ["page_gone", "policy_changed"]
    assert (watch.category(), watch.status().health) == ("j1_and_h1b", "ok")


def test_an_institutions_page_that_is_there_between_two_nights_ends_the_count_of_gone_pages(
    watch: Watch,
) -> None:
    watch.site.page("/gme", BOTH)
    neighbours(watch, gme="/gme")
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    for _ in range(2):
        watch.night()
    for status in (404, 200, 404):
        watch.site.page("/gme", BOTH, status=status)
        watch.night()
    assert watch.changes() == []


def test_an_outage_is_health_and_no_change(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", J1_ONLY)
    watch.night()
    watch.site.page("/visa", "<h1>Down</h1>", status=503)
    for _ in range(4):
        summary = watch.night()
        assert (summary.failed, summary.changes) == (1, 0)
    status = watch.status()
    assert (status.health, watch.category()) == ("unreachable", "j1_only")
    assert status.as_of == "2026-11-01T02:00:00Z"
    assert status.policy is not None
    assert status.policy.needs_review  # it is stale


def test_pages_that_contradict_each_other_are_a_conflict(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", "<p>We sponsor H-1B visas.</p>")
    watch.night()
    watch.site.page("/visa", "<p>We sponsor H-1B visas.</p><p>We do not sponsor H-1B visas.</p>")
    watch.night()
    assert watch.kinds() == ["conflict"]
    assert watch.category() == "conflicting"


def test_a_dismissed_change_stays_quiet_until_the_statement_changes(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", BOTH)
    watch.night()
    watch.site.page("/visa", J1_ONLY)
    watch.night()
    decide(watch.store, 1, "dismissed", by="Ada", note="read wrongly", now=system())
    assert watch.category() == "j1_and_h1b"
    assert watch.night().changes == 0
    assert watch.category() == "j1_and_h1b"
    watch.site.page("/visa", "<p>We do not sponsor visas.</p>")
    assert watch.night().changes == 1
    assert watch.changes()[1].before["category"] == "j1_and_h1b"
    assert watch.category() == "no_sponsorship"


def test_a_corrected_policy_stands_until_the_statement_changes(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", BOTH)
    watch.night()
    watch.site.page("/visa", J1_ONLY)
    watch.night()
    truth = Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.CONDITIONAL)))
    decide(watch.store, 1, "corrected", by="Ada", note="they said", now=system(), policy=truth)
    for counter in range(3):
        watch.site.page("/visa", f"{J1_ONLY}<p>{counter} visitors</p>")
        assert watch.night().changes == 0
        assert watch.category() == "j1_h1b_case_by_case"
    watch.site.page("/visa", BOTH)
    assert watch.night().changes == 1
    assert watch.category() == "j1_and_h1b"
    (review,) = verdicts.of_change(watch.store, 1)
    assert (review.by, review.note, review.verdict) == ("Ada", "they said", "corrected")
    origins = [standing.origin for standing in policies.history(watch.store, "im")]
    assert origins == ["read", "read", "corrected", "read"]


def test_a_page_that_comes_to_say_what_a_maintainer_decided_is_no_news(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", BOTH)
    watch.night()
    watch.site.page("/visa", J1_ONLY)
    watch.night()
    decide(watch.store, 1, "dismissed", by="Ada", now=system())
    watch.site.page("/visa", BOTH)
    assert watch.night().changes == 0
    assert (watch.category(), watch.status().origin) == ("j1_and_h1b", "read")
    watch.site.page("/visa", NONE)
    assert watch.night().changes == 1
