"""Which pages a cycle watches: moved, gone and found again, shared by an institution."""

from __future__ import annotations

from conftest import BOTH, J1_ONLY, SILENT, Watch

from store import pages
from store.records import Program


def link(path: str, text: str) -> str:
    return f'<p><a href="{path}">{text}</a></p>'


def hospital(watch: Watch, *, gme: str = "", site: str = "/") -> None:
    watch.programs(
        *(
            Program(
                name,
                "Fernway Hospital",
                name,
                website_url=watch.site.url(site) if site else "",
                gme_url=watch.site.url(gme) if gme else "",
            )
            for name in ("medicine", "surgery", "pediatrics")
        )
    )


def test_a_page_behind_links_is_found_and_then_only_it_is_fetched(watch: Watch) -> None:
    watch.site.page("/", SILENT + link("/education", "Education"))
    watch.site.page("/education", SILENT + link("/apply", "How to Apply"))
    watch.site.page("/apply", BOTH)
    watch.programs(Program("im", "Fernway", "Medicine", website_url=watch.site.url("/")))
    watch.night()
    assert watch.category() == "j1_and_h1b"
    before = len(watch.site.paths())
    watch.night()
    assert watch.site.paths()[before:] == ["/robots.txt", "/apply"]


def test_a_page_that_moved_for_good_is_followed(watch: Watch) -> None:
    watch.program("/old")
    watch.site.page("/old", J1_ONLY)
    watch.night()
    watch.site.redirect("/old", "/new", status=301)
    watch.site.page("/new", J1_ONLY)
    watch.night()
    before = len(watch.site.paths())
    watch.night()
    assert watch.site.paths()[before:] == ["/robots.txt", "/new"]
    assert watch.changes() == []
    page = pages.at(watch.store, watch.site.url("/new"))
    assert page is not None
    assert watch.status().health == "ok"


def test_a_page_gone_from_its_place_is_found_at_its_new_one(watch: Watch) -> None:
    watch.programs(
        Program(
            "im",
            "Fernway",
            "Medicine",
            website_url=watch.site.url("/"),
            eligibility_url=watch.site.url("/visa"),
        )
    )
    watch.site.page("/", SILENT + link("/2027/eligibility", "Eligibility and Requirements"))
    watch.site.page("/visa", J1_ONLY)
    watch.night()
    watch.site.page("/visa", "", status=404)
    watch.site.page("/2027/eligibility", J1_ONLY)
    watch.night()
    before = len(watch.site.paths())
    watch.night()
    assert watch.site.paths()[before:] == ["/robots.txt", "/2027/eligibility"]
    assert watch.changes() == []
    assert (watch.category(), watch.status().health) == ("j1_only", "ok")


def test_an_institutions_page_is_fetched_once_for_all_its_programs(watch: Watch) -> None:
    hospital(watch, gme="/gme", site="")
    watch.site.page("/gme", J1_ONLY)
    watch.night()
    assert len(watch.site.visits_of("/gme")) == 1
    for name in ("medicine", "surgery", "pediatrics"):
        assert watch.category(name) == "j1_only"
        assert watch.status(name).inherited_from == "Fernway Hospital"


def test_a_programs_own_statement_goes_before_its_institutions(watch: Watch) -> None:
    hospital(watch, gme="/gme", site="")
    watch.programs(
        Program(
            "surgery", "Fernway Hospital", "Surgery", eligibility_url=watch.site.url("/surgery")
        )
    )
    watch.site.page("/gme", J1_ONLY)
    watch.site.page("/surgery", BOTH)
    watch.night()
    assert (watch.category("medicine"), watch.category("surgery")) == ("j1_only", "j1_and_h1b")
    assert watch.status("surgery").inherited_from is None


def test_a_site_that_states_nothing_has_its_likeliest_page_watched(watch: Watch) -> None:
    watch.site.page("/", SILENT + link("/apply", "How to Apply") + link("/news", "News"))
    watch.site.page("/apply", "<h1>How to Apply</h1><p>Send us your letters by October.</p>")
    watch.site.page("/news", SILENT)
    watch.programs(Program("im", "Fernway", "Medicine", website_url=watch.site.url("/")))
    watch.night()
    assert watch.category() == "unstated"
    watch.site.page("/apply", "<h1>How to Apply</h1>" + BOTH)
    watch.night()
    assert watch.kinds() == ["statement_added"]


def test_a_page_that_stays_gone_is_not_searched_for_each_night(watch: Watch) -> None:
    watch.program()
    watch.site.page("/", SILENT + link("/news", "News"))
    watch.site.page("/news", SILENT)
    watch.site.page("/visa", J1_ONLY)
    watch.night()
    watch.site.page("/visa", "", status=404)
    searches = []
    for _ in range(9):
        before = len(watch.site.visits_of("/"))
        watch.night()
        searches.append(len(watch.site.visits_of("/")) - before)
    assert searches == [1, 1, 0, 0, 0, 0, 0, 0, 1]
