"""Pages: watched once, followed when they move, written only when they change."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from store import cycles, pages, programs, snapshots
from store.database import Store
from store.records import Page, Program

NOW = "2026-11-25T02:00:00Z"
A, B, C = (f"https://larkspur.example/{name}" for name in "abc")
PROGRAM = Program("larkspur", "Larkspur Hospital", "Neurology", eligibility_url=A, gme_url=B)


@pytest.fixture
def store(store: Store) -> Store:
    """A database with a program and a cycle."""
    with store.writing():
        programs.save(store, [PROGRAM])
        cycles.open_one(store, NOW)
    return store


def add(store: Store, url: str) -> Page:
    with store.writing():
        return pages.add(store, url)


def move(store: Store, old: str, new: str) -> Page:
    page = pages.at(store, old)
    assert page is not None
    with store.writing():
        return pages.move(store, page, new, 1)


def test_a_page_is_added_once(store: Store) -> None:
    assert add(store, A) == add(store, A) == pages.at(store, A)
    assert pages.at(store, B) is None


def test_a_page_that_moved_is_found_under_both_addresses(store: Store) -> None:
    page = add(store, A)
    moved = move(store, A, B)
    assert (moved.id, moved.url) == (page.id, B)
    assert add(store, A) == moved


def test_a_page_that_moved_there_and_back_is_where_it_was(store: Store) -> None:
    page = add(store, A)
    for _ in range(3):
        move(store, A, B)
        assert move(store, B, A) == page
        assert add(store, A) == add(store, B) == page


@pytest.mark.parametrize("trail", [(A, B, C), (A, B, C, A), (A, B, A, C), (A, B, C, B)])
def test_every_address_of_a_trail_leads_to_its_end(store: Store, trail: tuple[str, ...]) -> None:
    add(store, trail[0])
    for old, new in pairwise(trail):
        move(store, old, new)
    assert {add(store, url).url for url in trail} == {trail[-1]}


def test_a_page_that_moves_onto_another_hands_its_watches_over(store: Store) -> None:
    a, b = add(store, A), add(store, B)
    with store.writing():
        pages.watch(store, a.id, program_id="larkspur", found="named")
        pages.watch(store, b.id, program_id="larkspur", found="discovered")
        pages.watch(store, a.id, institution="Larkspur Hospital", found="named")
    assert move(store, A, B) == b
    watched = {(w.page.id, w.program_id, w.institution) for w in pages.watches(store)}
    assert watched == {(b.id, "larkspur", None), (b.id, None, "Larkspur Hospital")}


def test_a_page_is_watched_once_for_each_program(store: Store) -> None:
    page = add(store, A)
    with store.writing():
        for found in ("named", "named", "discovered"):
            pages.watch(store, page.id, program_id="larkspur", found=found)
    assert [w.found for w in pages.watches(store)] == ["named"]


def test_watches_end_with_the_program(store: Store) -> None:
    page = add(store, A)
    with store.writing():
        pages.watch(store, page.id, program_id="larkspur", found="named")
        pages.watch(store, page.id, institution="Larkspur Hospital", found="named")
    assert len(pages.watches(store)) == 2
    with store.writing():
        programs.remove(store, "larkspur", NOW)
    assert pages.watches(store) == []


def test_a_page_that_the_list_names_no_longer_is_not_watched_on(store: Store) -> None:
    a, b, c = add(store, A), add(store, B), add(store, C)
    with store.writing():
        pages.watch(store, a.id, program_id="larkspur", found="named")
        pages.watch(store, b.id, institution="Larkspur Hospital", found="named")
        pages.watch(store, c.id, program_id="larkspur", found="discovered")

    def watched_after(program: Program) -> list[str]:
        with store.writing():
            programs.save(store, [program])
        return [w.page.url for w in pages.watches(store)]

    assert watched_after(PROGRAM) == [A, B, C]
    assert watched_after(replace(PROGRAM, specialty="Surgery", gme_url="")) == [A, B, C]
    assert watched_after(replace(PROGRAM, eligibility_url=C)) == [B, C]
    assert watched_after(replace(PROGRAM, eligibility_url=C, gme_url=A)) == [C]
    assert watched_after(replace(PROGRAM, website_url="https://moved.example/")) == []


def test_an_answer_is_written_only_when_it_differs(store: Store) -> None:
    page = add(store, A)
    with store.writing():
        first = snapshots.keep(store, snapshots.pack(b"first"), "text/html")
        second = snapshots.keep(store, snapshots.pack(b"second"), "text/html")

    def answered(
        snapshot_id: int, etag: str, cycle_id: int, *, rendered: bool = False
    ) -> tuple[int, int]:
        """Rows written, and the cycle in which the bytes changed last."""
        with store.writing():
            before = store.db.conn.total_changes
            pages.record_answer(
                store,
                page.id,
                etag=etag,
                last_modified=None,
                snapshot_id=snapshot_id,
                cycle_id=cycle_id,
                rendered=rendered,
            )
            written = store.db.conn.total_changes - before
        return written, store.rows("SELECT changed_cycle FROM pages")[0][0]

    assert answered(first, "one", 1) == (1, 1)
    assert answered(first, "one", 2) == (0, 1)
    assert answered(first, "two", 3) == (1, 1)
    assert answered(second, "three", 4) == (1, 4)
    assert not pages.get(store, page.id).rendered
    assert answered(second, "three", 5, rendered=True) == (1, 4)
    assert pages.get(store, page.id).rendered
