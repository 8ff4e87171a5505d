"""Pages that are down: what they hold up, and what they do not repeat."""

from __future__ import annotations

from conftest import BOTH, J1_ONLY, NONE, SILENT, Watch, link, neighbours
from loopback import Visit

from monitor.timeline import Began, Period, timeline
from store.records import Program


def test_a_page_that_is_down_between_two_sights_does_not_start_the_count_anew(
    watch: Watch,
) -> None:
    watch.program()
    watch.site.page("/visa", BOTH)
    watch.night()
    watch.site.page("/visa", SILENT)
    watch.night()
    watch.site.page("/visa", "", status=503)
    watch.night()
    watch.site.page("/visa", SILENT)
    assert watch.night().changes == 1
    assert watch.kinds() == ["statement_withdrawn"]


def test_a_page_that_is_down_does_not_repeat_what_it_said_the_night_before(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", BOTH)
    watch.night()
    watch.site.page("/visa", SILENT)
    watch.night()
    watch.site.page("/visa", "", status=503)
    assert watch.night().changes == 0
    watch.site.page("/visa", BOTH)
    assert watch.night().changes == 0
    assert watch.changes() == []


def test_a_change_that_was_not_confirmed_waits_until_the_page_is_up_again(watch: Watch) -> None:
    watch.program()
    watch.site.page("/visa", BOTH)
    watch.night()

    def changed_then_down(visit: Visit) -> None:
        first = len(watch.site.visits_of("/visa")) == 3
        visit.send(J1_ONLY.encode() if first else b"", 200 if first else 503)

    watch.site.route("/visa", changed_then_down)
    watch.night()
    assert watch.night().changes == 0  # down all night
    watch.site.page("/visa", J1_ONLY)
    assert watch.night().changes == 1


def test_a_condition_beside_what_the_institution_no_longer_says_is_told_with_it(
    watch: Watch,
) -> None:
    watch.site.page("/gme", BOTH)
    neighbours(watch, gme="/gme")
    own = "<h1>Visas</h1><p>We sponsor J-1 visas.</p>"
    watch.site.page("/medicine/visas", own)
    watch.night()
    watch.site.page("/gme", SILENT)
    watch.site.page(
        "/medicine/visas", own.replace("visas.", "visas for ECFMG-certified applicants.")
    )
    watch.night()
    assert [c.program_id for c in watch.changes()] == ["medicine"]
    assert [c.after["category"] for c in watch.changes()] == ["j1_h1b_unstated"]


def test_a_page_that_is_down_holds_up_nothing_that_it_has_no_word_in(watch: Watch) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.night()
    watch.site.page("/gme", f"{NONE}<p>Posted on May 3.</p>")
    watch.night()
    watch.site.page("/gme", "", status=503)
    watch.site.page("/medicine/visas", J1_ONLY)
    assert watch.night().changes == 1
    assert watch.category("medicine") == "j1_only"


def test_a_page_that_is_down_holds_up_what_it_alone_has_said(watch: Watch) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.site.page("/medicine/visas", SILENT)
    watch.night()

    def changed_then_down(visit: Visit) -> None:
        first = len(watch.site.visits_of("/gme")) == 2
        visit.send(BOTH.encode() if first else b"", 200 if first else 503)

    watch.site.route("/gme", changed_then_down)
    assert watch.night().changes == 0
    watch.site.page("/gme", NONE)
    assert watch.night().changes == 0


def test_a_page_that_is_down_holds_up_nothing_that_it_has_said_twice(watch: Watch) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.night()
    watch.site.page("/gme", BOTH)
    for _ in range(2):
        assert watch.night().changes == 0
    watch.site.page("/gme", "", status=503)
    watch.site.page("/surgery/visas", "<p>J-1 visas are not sponsored.</p>")
    assert watch.night().changes == 1
    assert watch.category("surgery") == "h1b_only"


def test_a_policy_is_quoted_where_it_stands_now(watch: Watch) -> None:
    watch.site.page("/gme", J1_ONLY)
    neighbours(watch, gme="/gme")
    watch.night()

    def quoted() -> set[str | None]:
        policy = watch.status("surgery").policy
        assert policy is not None
        return {e.url for e in policy.evidence}

    watch.site.page("/surgery/visas", SILENT)
    for url in ("/surgery/visas", "/gme"):
        assert watch.night().changes == 0
        assert quoted() == {watch.site.url(url)}
    assert watch.status("surgery").inherited_from == "Fernway Hospital"
    watch.site.page("/gme", NONE)
    assert watch.night().changes == 1  # no withdrawal, that would take two nights
    assert watch.category("surgery") == "no_sponsorship"
    periods = [e for e in timeline(watch.store, "surgery").entries if isinstance(e, Period)]
    assert [p.began for p in periods] == [Began.FIRST_SIGHT, Began.ELSEWHERE, Began.CHANGE]


def test_what_is_no_longer_said_may_have_gone_to_a_page_that_is_down(watch: Watch) -> None:
    watch.site.page("/gme", BOTH)
    neighbours(watch, gme="/gme")
    watch.site.page("/medicine/visas", "<p>J-1 visas are sponsored.</p>")
    watch.night()
    watch.site.page("/gme", SILENT)
    watch.site.page("/medicine/visas", "", status=503)
    watch.night()
    watch.night()
    assert [c.program_id for c in watch.changes()] == []
    watch.site.page("/medicine/visas", BOTH)
    watch.night()
    assert watch.kinds() == ["wording_changed"]


def test_what_a_page_that_is_gone_has_said_may_have_gone_to_one_that_is_down(watch: Watch) -> None:
    """Its institution's office speaks in its stead meanwhile, and says less."""
    j1, h1b = "<p>J-1 visas are sponsored.</p>", "<p>H-1B visas are sponsored.</p>"
    watch.site.page("/", SILENT + link("/j-1", "Eligibility") + link("/h-1b", "Visa policy"))
    watch.site.page("/gme", J1_ONLY)
    watch.site.page("/j-1", j1)
    watch.site.page("/h-1b", h1b)
    home, office = watch.site.url("/"), watch.site.url("/gme")
    watch.programs(Program("im", "Fernway Hospital", "IM", website_url=home, gme_url=office))
    watch.night()
    assert watch.category() == "j1_and_h1b"
    watch.site.page("/j-1", "", status=503)
    watch.site.page("/h-1b", "", status=404)
    for _ in range(3):
        assert watch.night().changes == 0
    watch.site.page("/j-1", j1 + h1b)
    watch.night()
    assert watch.category() == "j1_and_h1b"
    assert {change.severity for change in watch.changes()} <= {"minor"}
    watch.site.page("/j-1", j1)
    watch.night()
    watch.night()
    assert watch.category() == "j1_only"


def test_a_page_that_is_gone_for_a_night_does_not_speak_up_what_waits(watch: Watch) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.night()
    watch.site.page("/medicine/visas", "<p>J-1 visas are sponsored.</p>")
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    assert watch.night().changes == 0
    watch.site.page("/medicine/visas", "<p>J-1 visas are sponsored.</p>")
    assert watch.night().changes == 1
    assert watch.category("medicine") == "j1_only"


def test_a_page_that_is_gone_for_a_night_keeps_its_word(watch: Watch) -> None:
    watch.site.page("/gme", BOTH)
    neighbours(watch, gme="/gme")
    watch.site.page("/medicine/visas", "<p>We sponsor J-1 visas.</p>")
    watch.night()
    watch.site.page("/gme", "", status=404)
    watch.site.page("/medicine/visas", "<p>We do not sponsor J-1 visas.</p>")
    assert watch.night().changes == 1
    assert watch.category("medicine") == "h1b_only"
    watch.site.page("/gme", BOTH)
    assert watch.night().changes == 0


def test_a_page_that_is_down_holds_up_nothing_that_would_be_the_same_without_its_news(
    watch: Watch,
) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.night()
    watch.site.page("/gme", SILENT)
    watch.night()
    watch.site.page("/gme", "", status=503)
    watch.site.page("/medicine/visas", J1_ONLY)
    assert watch.night().changes == 1
    assert watch.category("medicine") == "j1_only"


def test_of_two_statements_withdrawn_one_after_the_other_each_is_missed_twice(
    watch: Watch,
) -> None:
    watch.program()
    watch.site.page("/visa", BOTH)
    watch.night()
    watch.site.page("/visa", "<h1>Visas</h1><p>We sponsor J-1 visas.</p>")
    assert watch.night().changes == 0
    watch.site.page("/visa", SILENT)
    assert watch.night().changes == 0
    assert watch.night().changes == 1
    assert watch.category() == "unstated"


def test_of_two_statements_withdrawn_only_that_is_waited_for_which_nobody_else_makes(
    watch: Watch,
) -> None:
    watch.site.page("/gme", BOTH)
    neighbours(watch, gme="/gme")
    watch.site.page("/surgery/visas", J1_ONLY)
    watch.night()
    watch.site.page("/surgery/visas", "<h1>Visas</h1><p>We sponsor J-1 visas.</p>")
    assert watch.night().changes == 0
    watch.site.page("/surgery/visas", SILENT)  # the institution's offers the J-1, too
    assert watch.night().changes == 1
    assert watch.category("surgery") == "j1_and_h1b"


def test_a_page_that_begins_to_speak_is_news_though_another_falls_silent(watch: Watch) -> None:
    watch.site.page("/", link("/apply", "How to apply") + link("/visas", "Visa policy"))
    watch.site.page("/apply", BOTH)
    watch.site.page("/visas", "<p>We sponsor J-1 visas.</p>")
    watch.programs(Program("im", "Fernway", "Medicine", website_url=watch.site.url("/")))
    watch.night()
    watch.site.page("/apply", "<p>We sponsor J-1 visas.</p>")
    watch.site.page("/visas", J1_ONLY)
    assert watch.night().changes == 1
    assert watch.category() == "j1_only"


def test_what_a_page_says_when_it_is_fetched_anew_for_a_neighbour_is_told_of_all(
    watch: Watch,
) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.site.page("/surgery/visas", SILENT)
    watch.night()
    watch.site.page("/medicine/visas", J1_ONLY)

    def down_then_changed(visit: Visit) -> None:
        first = len(watch.site.visits_of("/gme")) == 2
        visit.send(b"" if first else BOTH.encode(), 503 if first else 200)

    watch.site.route("/gme", down_then_changed)
    assert watch.night().changes == 1
    assert watch.category("surgery") == "no_sponsorship"  # seen once, and not in both looks
    assert watch.night().changes == 1
    assert watch.category("surgery") == "j1_and_h1b"
    assert watch.night().changes == 0


def test_what_a_cycle_of_one_program_sees_is_told_of_the_others_in_the_next(watch: Watch) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.site.page("/surgery/visas", SILENT)
    watch.night()
    watch.site.page("/gme", BOTH)
    assert watch.night(only=["medicine"]).changes == 0
    assert watch.night().changes == 1
    assert watch.category("surgery") == "j1_and_h1b"
