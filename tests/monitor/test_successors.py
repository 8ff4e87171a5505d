"""Pages that fail for a night, move, split, or fall silent: what may stand in for them."""

from __future__ import annotations

import pytest
from conftest import BOTH, J1_ONLY, NONE, SILENT, Watch, link, neighbours
from loopback import Visit

from monitor.sights import GIVEN_UP_AFTER
from store.records import Program


@pytest.mark.parametrize("nights_gone", [1, 3])
def test_a_page_that_is_gone_is_not_taken_for_its_neighbours(
    watch: Watch, nights_gone: int
) -> None:
    neighbours(watch)
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    for _ in range(nights_gone):
        watch.night()
    assert watch.kinds() == (["page_gone"] if nights_gone > 1 else [])
    assert watch.category("medicine") == "j1_and_h1b"
    watch.site.page("/medicine/visas", BOTH)
    watch.night()
    assert watch.category("medicine") == "j1_and_h1b"
    assert watch.status("medicine").health == "ok"


def test_a_neighbour_that_has_moved_for_now_is_known_at_its_new_place(watch: Watch) -> None:
    neighbours(watch)
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    watch.site.redirect("/surgery/visas", "/new", status=302)
    watch.site.page("/new", J1_ONLY)
    for _ in range(3):
        watch.night()
    assert watch.kinds() == ["page_gone"]
    assert watch.category("medicine") == "j1_and_h1b"


def test_another_policy_at_another_place_is_believed_in_the_second_night(watch: Watch) -> None:
    neighbours(watch)
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    watch.site.page("/new", NONE)
    assert watch.night().changes == 0
    assert watch.night().changes == 1
    assert watch.kinds() == ["policy_changed"]
    assert watch.category("medicine") == "no_sponsorship"


def test_an_institutions_page_is_no_successor_and_speaks_only_in_the_second_night(
    watch: Watch,
) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    assert watch.night().changes == 0
    watch.site.page("/medicine/visas", BOTH)
    assert watch.night().changes == 0
    assert watch.category("medicine") == "j1_and_h1b"
    watch.site.page("/medicine/visas", "", status=404)
    assert (watch.night().changes, watch.night().changes) == (0, 1)
    assert watch.category("medicine") == "no_sponsorship"
    assert watch.status("medicine").inherited_from == "Fernway Hospital"


def test_a_statement_that_falls_silent_gives_way_to_the_institutions_in_two_nights(
    watch: Watch,
) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.night()
    watch.site.page("/medicine/visas", SILENT)
    assert (watch.night().changes, watch.night().changes) == (0, 1)
    assert watch.category("medicine") == "no_sponsorship"


def test_a_programs_own_statement_takes_the_place_of_the_inherited_one_at_once(
    watch: Watch,
) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.site.page("/medicine/visas", SILENT)
    watch.night()
    assert watch.category("medicine") == "no_sponsorship"
    watch.site.page("/medicine/visas", BOTH)
    assert watch.night().changes == 1
    assert watch.category("medicine") == "j1_and_h1b"


def test_a_statement_that_went_to_another_page_is_not_withdrawn(watch: Watch) -> None:
    neighbours(watch)
    watch.night()
    about = link("/new", "About the other visa")
    watch.site.page("/medicine/visas", f"<p>J-1 visas are sponsored.</p>{about}")
    watch.site.page("/new", "<p>We sponsor H-1B visas, too.</p>")
    for _ in range(3):
        watch.night()
    assert [kind for kind in watch.kinds() if kind != "wording_changed"] == []
    assert watch.category("medicine") == "j1_and_h1b"


def test_a_statement_that_went_to_another_page_beside_news_is_not_withdrawn_with_it(
    watch: Watch,
) -> None:
    neighbours(watch)
    watch.site.page("/", SILENT + link("/medicine/visas", "Medicine: visas"))
    watch.night()
    about = link("/medicine/others", "Visas: the others")
    certified = "<p>J-1 visas are sponsored for ECFMG-certified applicants.</p>"
    watch.site.page("/medicine/visas", certified + about)
    watch.site.page("/medicine/others", "<p>We sponsor H-1B visas, too.</p>")
    assert (watch.night().changes, watch.night().changes) == (0, 1)
    assert watch.kinds() == ["policy_changed"]
    assert watch.category("medicine") == "j1_and_h1b"


def test_a_statement_that_went_to_a_page_that_cannot_be_read_is_not_withdrawn(watch: Watch) -> None:
    neighbours(watch)
    watch.site.page("/", SILENT + link("/medicine/visas", "Medicine: visas"))
    watch.night()
    about = link("/medicine/others", "Visas: the others")
    watch.site.page("/medicine/visas", f"<p>J-1 visas are sponsored.</p>{about}")
    watch.site.page("/medicine/others", "", status=503)
    for _ in range(4):
        watch.night()
    assert watch.changes() == []
    watch.site.page("/medicine/others", "<p>We sponsor H-1B visas, too.</p>")
    for _ in range(3):
        watch.night()
    assert [kind for kind in watch.kinds() if kind != "wording_changed"] == []
    assert watch.category("medicine") == "j1_and_h1b"


@pytest.mark.parametrize(
    ("place", "kind"),
    [("/medicine/h1b-visa", "policy_changed"), ("/scholars/h1b-visa", "statement_withdrawn")],
)
def test_a_statement_that_became_another_on_a_page_of_its_own_part_of_the_site_has_changed(
    watch: Watch, place: str, kind: str
) -> None:
    neighbours(watch)
    watch.site.page("/", SILENT + link("/medicine/visas", "Medicine: visas"))
    watch.night()
    watch.site.page("/medicine/visas", "", status=503)
    watch.night()
    watch.site.page(
        "/medicine/visas", "<p>J-1 visas are sponsored.</p>" + link(place, "About the other visa")
    )
    watch.site.page(place, "<h1>H-1B visas</h1><p>We do not sponsor H-1B visas.</p>")
    assert (watch.night().changes, watch.night().changes) == (0, 1)
    assert watch.kinds() == [kind]


def test_a_statement_that_went_to_a_page_behind_one_that_fails_at_first_is_not_withdrawn(
    watch: Watch,
) -> None:
    neighbours(watch)
    watch.night()
    left = f"<p>J-1 visas are sponsored.</p>{link('/medicine/other', 'About the other visa')}"
    watch.site.page("/medicine/other", "<p>We sponsor H-1B visas, too.</p>")
    watch.site.page("/medicine/visas", left)
    watch.night()
    looks = len(watch.site.visits_of("/medicine/visas"))

    def fails_at_first(visit: Visit) -> None:
        first = len(watch.site.visits_of("/medicine/visas")) == looks + 1
        visit.send(b"" if first else left.encode(), 404 if first else 200)

    watch.site.route("/medicine/visas", fails_at_first)
    watch.night()
    assert len(watch.site.visits_of("/medicine/visas")) == looks + 2
    watch.site.page("/medicine/visas", left)
    watch.night()
    assert [kind for kind in watch.kinds() if kind != "wording_changed"] == []
    assert watch.category("medicine") == "j1_and_h1b"


def test_a_page_that_says_the_same_and_is_not_linked_does_not_hide_a_withdrawal(
    watch: Watch,
) -> None:
    neighbours(watch)
    watch.night()
    watch.site.page("/medicine/visas", SILENT)
    watch.site.page("/new", BOTH)
    assert (watch.night().changes, watch.night().changes) == (0, 1)
    assert watch.kinds() == ["statement_withdrawn"]


def test_one_of_two_pages_that_contradict_fails_for_a_night(watch: Watch) -> None:
    watch.site.page("/", link("/apply", "How to apply") + link("/visas", "Visa policy"))
    watch.site.page("/apply", BOTH)
    watch.site.page("/visas", NONE)
    watch.programs(Program("im", "Fernway", "Medicine", website_url=watch.site.url("/")))
    watch.night()
    assert watch.category() == "conflicting"
    watch.site.page("/visas", "", status=404)
    watch.night()
    watch.site.page("/visas", NONE)
    watch.night()
    assert watch.changes() == []
    watch.site.page("/visas", "", status=404)
    assert (watch.night().changes, watch.night().changes) == (0, 1)
    assert watch.category() == "j1_and_h1b"


def test_a_page_that_two_programs_could_have_lost_goes_to_neither_in_the_first_night(
    watch: Watch,
) -> None:
    neighbours(watch)
    watch.site.page("/surgery/visas", BOTH)
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    watch.site.page("/surgery/visas", "", status=404)  # for this night only
    watch.site.page("/new", BOTH)
    watch.night()
    watch.site.page("/surgery/visas", BOTH)
    watch.night()
    watch.site.page("/new", NONE)
    watch.night()
    assert [(c.program_id, c.kind) for c in watch.changes()] == [("medicine", "policy_changed")]
    assert (watch.category("medicine"), watch.category("surgery")) == (
        "no_sponsorship",
        "j1_and_h1b",
    )
    assert watch.status("surgery").inherited_from is None


def test_a_page_in_the_place_of_two_lost_ones_is_believed_in_the_second_night(
    watch: Watch,
) -> None:
    neighbours(watch)
    watch.site.page("/surgery/visas", BOTH)
    watch.night()
    for name in ("medicine", "surgery"):
        watch.site.page(f"/{name}/visas", "", status=404)
    watch.site.page("/new", BOTH)
    watch.night()
    watch.night()
    watch.site.page("/new", NONE)
    watch.night()
    assert watch.kinds() == ["policy_changed", "policy_changed"]


def test_a_page_of_a_programs_two_is_not_lost_to_the_other(watch: Watch) -> None:
    watch.site.page("/", link("/apply", "Visa eligibility") + link("/faq", "Visa FAQ"))
    watch.site.page("/apply", J1_ONLY)
    watch.site.page("/faq", J1_ONLY)
    watch.programs(Program("im", "Fernway", "Medicine", website_url=watch.site.url("/")))
    watch.night()
    watch.site.redirect("/faq", "/faq-new", status=302)
    watch.site.page("/faq-new", J1_ONLY)
    watch.site.page("/", link("/apply", "Visa eligibility") + link("/faq-new", "Visa FAQ"))
    watch.site.page("/apply", "", status=404)
    watch.night()
    watch.site.page("/apply", BOTH)
    assert watch.night().changes == 1
    assert watch.category() == "conflicting"


def test_a_site_is_not_searched_night_after_night_for_one_of_two_pages(watch: Watch) -> None:
    watch.site.page("/", link("/apply", "Visa eligibility") + link("/faq", "Visa FAQ"))
    watch.site.page("/apply", J1_ONLY)
    watch.site.page("/faq", J1_ONLY)
    watch.programs(Program("im", "Fernway", "Medicine", website_url=watch.site.url("/")))
    watch.night()
    watch.site.page("/apply", "", status=404)
    asked = []
    for _ in range(4):
        watch.night()
        asked.append(len(watch.site.visits_of("/")))
    assert asked[1:] == [asked[1]] * 3


def test_a_moved_page_that_fails_for_a_night_is_still_the_page_that_spoke(watch: Watch) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.night()
    watch.site.redirect("/medicine/visas", "/moved", status=301)
    watch.site.page("/moved", BOTH)
    watch.night()
    watch.site.page("/moved", SILENT)
    assert watch.night().changes == 0
    watch.site.page("/moved", BOTH)
    watch.night()
    watch.site.page("/moved", J1_ONLY)
    assert watch.night().changes == 1
    assert [kind for kind in watch.kinds() if kind != "wording_changed"] == ["policy_changed"]


def test_a_page_that_moved_silently_while_the_institutions_fell_silent(watch: Watch) -> None:
    watch.site.page("/gme", BOTH)
    neighbours(watch, gme="/gme")
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    watch.site.page("/gme", SILENT)
    watch.night()
    watch.site.page("/new", BOTH)
    watch.night()
    watch.night()
    assert [kind for kind in watch.kinds() if kind != "wording_changed"] == []
    assert watch.category("medicine") == "j1_and_h1b"


def test_a_statement_split_off_is_found_though_the_institution_says_the_same(
    watch: Watch,
) -> None:
    watch.site.page("/gme", BOTH)
    neighbours(watch, gme="/gme")
    watch.night()
    about = link("/new", "About the other visa")
    watch.site.page("/medicine/visas", f"<p>J-1 visas are sponsored.</p>{about}")
    watch.site.page("/new", "<p>We sponsor H-1B visas, too.</p>")
    for _ in range(3):
        watch.night()
    watch.site.page("/gme", NONE)
    watch.night()
    watch.night()
    assert [kind for kind in watch.kinds() if kind != "wording_changed"] == []
    assert watch.category("medicine") == "j1_and_h1b"


def test_a_statement_that_went_came_back_and_went_again_is_found_at_its_old_place(
    watch: Watch,
) -> None:
    neighbours(watch)
    watch.night()
    apart = f"<p>J-1 visas are sponsored.</p>{link('/new', 'About the other visa')}"
    home = watch.site.url("/medicine/visas")
    for _ in range(2):
        watch.site.page("/medicine/visas", apart)
        watch.site.page("/new", "<p>We sponsor H-1B visas, too.</p>")
        watch.night()
        watch.night()
        policy = watch.status("medicine").policy
        assert policy is not None
        assert {e.url for e in policy.evidence} == {home, watch.site.url("/new")}
        watch.site.page("/medicine/visas", BOTH)
        watch.site.redirect("/new", "/medicine/visas", status=301)
        watch.night()
    assert [kind for kind in watch.kinds() if kind != "wording_changed"] == []


def test_another_programs_find_is_nobody_elses_successor(watch: Watch) -> None:
    neighbours(watch)
    about = link("/other", "About the other visa")
    half = "<p>J-1 visas are sponsored.</p>"
    watch.site.page("/medicine/visas", BOTH)
    watch.night()
    watch.site.page("/medicine/visas", f"{half}{about}")
    watch.site.page("/other", "<p>We sponsor H-1B visas, too.</p>")
    for _ in range(3):
        watch.night()
    watch.site.page("/surgery/visas", "", status=404)
    for _ in range(3):
        watch.night()
    assert [c.program_id for c in watch.changes() if c.kind == "page_gone"] == ["surgery"]
    assert watch.category("surgery") == "j1_only"


def test_a_page_in_a_neighbours_part_of_the_site_is_no_successor(watch: Watch) -> None:
    neighbours(watch)
    watch.night()
    watch.site.page("/", SILENT + link("/medicine/h1b", "Medicine: H-1B visas, eligibility"))
    watch.site.page("/medicine/h1b", "<p>We sponsor H-1B visas.</p>")
    watch.site.page("/surgery/visas", "", status=404)
    for _ in range(3):
        watch.night()
    assert watch.kinds() == ["page_gone"]
    assert watch.category("surgery") == "j1_only"


def test_a_page_that_was_down_before_it_was_gone_is_looked_for_in_two_nights(watch: Watch) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.night()
    for status in (503, 503, 404):
        watch.site.page("/medicine/visas", "", status=status)
        watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    watch.site.page("/new", BOTH)
    assert watch.night().changes == 0
    assert watch.category("medicine") == "j1_and_h1b"
    assert watch.status("medicine").health == "ok"


def test_a_page_that_moved_to_where_it_cannot_be_read_is_not_gone(watch: Watch) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    watch.site.page("/new", BOTH, status=503)
    for _ in range(3):
        watch.night()
    assert watch.changes() == []
    assert "/new" in watch.status("medicine").detail
    watch.site.page("/new", BOTH)
    watch.night()
    assert watch.changes() == []
    assert watch.category("medicine") == "j1_and_h1b"


def test_a_page_that_moved_and_changed_before_it_could_be_read_is_found_at_once(
    watch: Watch,
) -> None:
    watch.site.page("/gme", NONE)
    neighbours(watch, gme="/gme")
    watch.night()
    watch.site.page("/", SILENT + link("/medicine/new", "Medicine: eligibility"))
    watch.site.page("/medicine/visas", "", status=404)
    watch.site.page("/medicine/new", J1_ONLY, status=503)
    watch.night()
    assert watch.changes() == []
    watch.site.page("/medicine/new", J1_ONLY)
    assert watch.night().changes == 1
    assert watch.category("medicine") == "j1_only"


def test_a_page_that_is_gone_is_not_waited_for_where_nothing_can_be_read_for_ever(
    watch: Watch,
) -> None:
    neighbours(watch)
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    watch.site.page("/new", BOTH, status=503)
    for _ in range(GIVEN_UP_AFTER + 1):
        watch.night()
    assert watch.changes() == []
    watch.night()
    assert watch.kinds() == ["page_gone"]


@pytest.mark.parametrize("answer", [(503, {}), (302, {"Location": "/log-in"})])
def test_a_page_that_is_gone_is_not_at_its_neighbours_place_that_cannot_be_read(
    watch: Watch, answer: tuple[int, dict[str, str]]
) -> None:
    neighbours(watch)
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    watch.site.route("/surgery/visas", lambda visit: visit.send(b"", *answer))
    watch.site.page("/log-in", "", status=503)
    assert (watch.night().changes, watch.night().changes) == (0, 1)
    assert watch.kinds() == ["page_gone"]


def test_a_page_that_fails_and_is_gone_at_the_second_look_was_not_searched_for(
    watch: Watch,
) -> None:
    watch.site.page("/gme", J1_ONLY)
    neighbours(watch, gme="/gme")
    watch.site.page("/medicine/visas", "<p>We sponsor H-1B visas.</p>")
    watch.night()

    def down_then_gone(visit: Visit) -> None:
        first = len(watch.site.visits_of("/medicine/visas")) % 2 == 0
        visit.send(b"", 503 if first else 404)

    watch.site.route("/medicine/visas", down_then_gone)
    for gme in (NONE, J1_ONLY):
        watch.site.page("/gme", gme)
        watch.night()
    assert len(watch.site.visits_of("/medicine/visas")) == 5
    assert watch.category("medicine") == "j1_and_h1b"
    assert watch.status("medicine").health == "unreachable"


QUIET = "<title>Eligibility</title><h1>Eligibility</h1><p>We ask for three letters and a CV.</p>"


@pytest.mark.parametrize("down", [0, 1])
def test_a_page_that_says_nothing_and_moves_is_known_by_its_name_and_words(
    watch: Watch, down: int
) -> None:
    neighbours(watch)
    watch.site.page("/medicine/visas", QUIET)
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    watch.site.page("/new", QUIET, status=503 if down else 200)
    watch.night()
    watch.site.page("/new", QUIET)
    watch.night()
    watch.site.page("/new", QUIET + NONE)
    watch.night()
    watch.night()
    assert watch.kinds() == ["statement_added"]
    assert watch.category("medicine") == "no_sponsorship"


def test_another_page_that_says_nothing_is_not_taken_for_a_lost_one(watch: Watch) -> None:
    neighbours(watch)
    watch.site.page("/medicine/visas", QUIET)
    watch.night()
    watch.site.page("/medicine/visas", "", status=404)
    watch.site.page("/new", QUIET.replace("Eligibility", "Eligibility of visitors"))
    watch.night()
    watch.night()
    assert watch.kinds() == ["page_gone"]
