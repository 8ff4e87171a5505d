"""A program's page, when what it has to tell is not plain."""

from __future__ import annotations

from pathlib import Path

from answering import answered
from serving import NOON, Serve, Served, words

from extractors import policy_for, read_page, with_source
from sources.deciding import accept
from store import policies, programs
from store.database import Store
from store.records import Program, Standing

PROGRAM = Program("two", "Fernway Hospital", "Urology", website_url="https://fernway.example/")
SEEN = "2026-11-24T02:00:00Z"
TWO_THINGS = (
    b"<h1>Urology</h1><h2>Visas</h2><p>We sponsor both J-1 and H-1B visas.</p>"
    b"<h2>FAQ</h2><p>Our program sponsors J-1 visas only. H-1B visas are not sponsored.</p>"
)


def section(served: Served, program_id: str, name: str) -> str:
    """The text of a section of a program's page."""
    (found,) = served.page(f"/programs/{program_id}").xpath(f"//section[@aria-labelledby='{name}']")
    return words(found)


def test_pages_that_contradict_each_other_are_quoted_in_reading_order(
    database: Path, serve: Serve
) -> None:
    said = with_source(
        read_page(TWO_THINGS),
        url="https://fernway.example/visas",
        fetched_at=SEEN,
        snapshot="0" * 64,
    )
    policy = policy_for([said])[0].to_json()
    with Store(database) as store, store.writing():
        programs.save(store, [PROGRAM])
        policies.record(store, Standing("two", SEEN, "read", policy, policy))
    served = serve(database)
    top = section(served, "two", "policy")
    assert "H-1B conflicting" in top
    assert "read automatically, not reviewed" in top
    assert "Its pages say two things at once." in top
    assert [words(quote) for quote in served.page("/programs/two").xpath("//blockquote")] == [
        "We sponsor both J-1 and H-1B visas.",
        "Our program sponsors J-1 visas only.",
        "H-1B visas are not sponsored.",
    ]


def test_a_page_that_was_not_read_for_long_says_so_at_once(database: Path, serve: Serve) -> None:
    served = serve(database, stale_after_cycles=1)
    since = "stale: its page could not be read since 2026-11-23"
    assert since in section(served, "lantern-hill-pediatrics", "policy")
    assert f"{since.capitalize()}. " in section(served, "lantern-hill-pediatrics", "sure")


def test_what_the_institution_says_is_not_put_into_the_programs_mouth(public: Served) -> None:
    top = section(public, "marrow-bay-pathology", "policy")
    assert top.startswith("What its institution says about visas")
    assert "from its institution's office" in top
    assert section(public, "marrow-bay-pathology", "quotes").startswith(
        "In the institution's own words"
    )


def test_a_coordinators_word_is_not_put_into_the_institutions_mouth(
    database: Path, serve: Serve
) -> None:
    with Store(database) as store:
        number = answered(store, program_id="marrow-bay-pathology")
        with store.writing():
            accept(store, number, by="ada", now=NOON)
        assert policies.standing(store)["marrow-bay-pathology"].inherited_from
    assert "institution's office" not in section(serve(database), "marrow-bay-pathology", "policy")


def test_a_program_of_which_no_page_was_read_says_what_to_do(database: Path, serve: Serve) -> None:
    with Store(database) as store, store.writing():
        programs.save(store, [PROGRAM])
    top = section(serve(database), "two", "policy")
    assert "No page of this program has been read yet. Ask the program" in top
