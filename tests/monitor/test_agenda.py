"""What a cycle has to fetch, taken out of the store host by host."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler import Limits, Target
from extractors import RULES_VERSION
from monitor import watchlist
from monitor.agenda import Agenda
from store import cycles, pages, programs, snapshots
from store.database import Store
from store.records import Cycle, Observation, Program, stamp

NOW = datetime(2026, 11, 30, tzinfo=UTC)
OFFICE = "https://office.example.edu/gme"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "v.db") as opened:
        yield opened


def night(store: Store) -> Cycle:
    with store.writing():
        return cycles.open_one(store, stamp(NOW))[0]


def watch(store: Store, *urls: str, office: str = "", site: str = "") -> None:
    """Programs p0, p1 ... of one hospital, each with a page that the list names, or ''."""
    with store.writing():
        programs.save(
            store,
            [
                Program(
                    f"p{n}", "Fernway", "Medicine",
                    website_url=site, eligibility_url=url, gme_url=office,
                )
                for n, url in enumerate(urls)
            ],
        )  # fmt: skip
    watchlist.name_pages(store)


def taken(agenda: Agenda, host: str, most: int = 100) -> list[Target]:
    found = []
    while targets := agenda.take(host, most):
        found += targets
    return found


def test_each_page_is_taken_once_for_all_that_watch_it(store: Store) -> None:
    shared = "https://im.example.edu/visas"
    watch(store, shared, shared, "https://im.example.edu/other", office=OFFICE)
    agenda = Agenda(store, night(store).id, Limits())
    assert (agenda.total, agenda.has_unread, bool(agenda)) == (3, True, True)
    assert agenda.hosts() == ["im.example.edu", "office.example.edu"]
    first = agenda.take("im.example.edu", 1)
    assert {(t.key, t.pages[0].url) for t in first} == {
        ("program:p0", shared),
        ("program:p1", shared),
    }
    assert [t.key for t in taken(agenda, "im.example.edu")] == ["program:p2"]
    assert [t.key for t in taken(agenda, "office.example.edu")] == ["institution:Fernway"]


def test_what_the_cycle_has_observed_is_not_asked_for_again(store: Store) -> None:
    watch(store, *(f"https://im.example.edu/{n}" for n in range(3)))
    cycle = night(store)
    page = pages.at(store, "https://im.example.edu/1")
    assert page is not None
    with store.writing():
        snapshot = snapshots.keep(store, snapshots.pack(b"We like it here."), "text/html")
        snapshots.save_reading(store, snapshot, RULES_VERSION, [])
        pages.record_answer(
            store, page.id, etag='"1"', last_modified=None, snapshot_id=snapshot, cycle_id=cycle.id
        )
        cycles.observe(store, [Observation(page.id, cycle.id, 0, 0, "ok", snapshot)])
    left = taken(Agenda(store, cycle.id, Limits()), "im.example.edu")
    assert [t.key for t in left] == ["program:p0", "program:p2"]
    with store.writing():
        cycles.finish(store, cycle.id, stamp(NOW), {})
    agenda = Agenda(store, night(store).id, Limits(), only=["p1"])
    assert (agenda.total, agenda.has_unread) == (1, False)
    ((known,),) = (t.pages for t in taken(agenda, "im.example.edu"))
    assert (known.etag, known.sha256 != "") == ('"1"', True)


def test_a_page_that_is_watched_no_more_ends_nothing(store: Store) -> None:
    watch(store, *(f"https://im.example.edu/{n}" for n in range(4)))
    agenda = Agenda(store, night(store).id, Limits())
    with store.writing():
        for program_id in ("p0", "p1"):
            programs.remove(store, program_id, stamp(NOW))
    found = agenda.take("im.example.edu", 1)
    assert [t.key for t in found] == ["program:p2"]


def test_spellings_of_an_address_are_taken_together(store: Store) -> None:
    watch(store, *(f"https://im.example.edu/{n}" for n in range(9)), "https://im.example.edu/0#top")
    agenda = Agenda(store, night(store).id, Limits())
    assert [t.key for t in agenda.take("im.example.edu", 2)] == [
        "program:p0", "program:p1", "program:p9"
    ]  # fmt: skip


def test_only_programs_without_a_page_are_searched_for(store: Store) -> None:
    site = "https://fernway.example.edu/"
    watch(store, "", "https://im.example.edu/visas", site=site)
    agenda = Agenda(store, night(store).id, Limits())
    assert [(t.key, t.site_urls, t.pages) for t in agenda.searches()] == [
        ("program:p0", (site,), ())
    ]
    both = Agenda(store, night(store).id, Limits(), missing=["p1"])
    assert {t.key for t in both.searches()} == {"program:p0", "program:p1"}
