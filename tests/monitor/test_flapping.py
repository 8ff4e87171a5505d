"""Policies that go back and forth: held and reported once, and no true change is lost.

The nights are judged as a cycle judges them, on observations that are put into the store: crawls
of so many nights would take minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from conftest import BOTH, FIRST_NIGHT, J1_ONLY, NONE, SILENT, Watch

from crawler import Health
from extractors import RULES_VERSION, read_page
from monitor import flapping, watchlist
from monitor.confirm import settle_all
from monitor.judging import first_look, suspicions
from monitor.status import Status, statuses
from monitor.watchlist import Watchlist
from store import changes, cycles, pages, programs, snapshots
from store.database import Store
from store.records import Change, Observation, Page, Program, stamp

OFFICE = "https://f.example/"
GONE, DOWN = "", "down"
SETTINGS = flapping.Settings()


@dataclass
class Nights:
    """Programs of one hospital that inherit one page, night after night.

    One of them may have had a page of its own, which is gone.
    """

    store: Store
    number: int = 0
    lost: bool = False

    def __post_init__(self) -> None:
        with self.store.writing():
            programs.save(
                self.store,
                [
                    Program(
                        i,
                        "Fernway Hospital",
                        i,
                        gme_url=OFFICE,
                        eligibility_url=f"{OFFICE}im" if self.lost and i == "im" else None,
                    )
                    for i in self.ids
                ],
            )
        watchlist.name_pages(self.store)

    @property
    def ids(self) -> tuple[str, ...]:
        return ("im", "surgery")

    def run(self, *bodies: str) -> list[str]:
        """A night with each of these pages; what was reported in them."""
        told = []
        for body in bodies:
            cycle_id = self._night(body)
            told += [str(report) for report in flapping.reports(self.store, cycle_id)]
        return told

    def _night(self, body: str) -> int:
        now = FIRST_NIGHT + timedelta(days=self.number)
        self.number += 1
        with self.store.writing():
            cycle, _ = cycles.open_one(self.store, stamp(now))
        watched = watchlist.load(self.store)
        self._look(watched, body, cycle.id, 0)
        found = suspicions(first_look(self.store, cycle.id, now=now, withdraw_cycles=2))
        if found:
            self._look(watched, body, cycle.id, 1)
        for _ in range(2):  # as a cycle that is killed after the first time, and goes on
            settle_all(
                self.store, watchlist.load(self.store), found,
                cycle_id=cycle.id, now=now, withdraw_cycles=2, flap=SETTINGS,
            )  # fmt: skip
        with self.store.writing():
            flapping.note(self.store, cycle.id, SETTINGS)
            cycles.finish(self.store, cycle.id, stamp(now), {})
        return cycle.id

    def _look(self, watched: Watchlist, body: str, cycle_id: int, attempt: int) -> None:
        for page in watched.pages():
            self._see(page, body if page.url == OFFICE else GONE, cycle_id, attempt)

    def _see(self, page: Page, body: str, cycle_id: int, attempt: int) -> None:
        with self.store.writing():
            if body in (GONE, DOWN):
                health = Health.GONE if body == GONE else Health.UNREACHABLE
                seen = Observation(page.id, cycle_id, attempt, 0, health)
                cycles.observe(self.store, [seen])
                return
            found = snapshots.keep(self.store, snapshots.pack(body.encode()), "text/html")
            stated = [s.to_json() for s in read_page(body.encode(), "text/html")]
            snapshots.save_reading(self.store, found, RULES_VERSION, stated)
            cycles.observe(
                self.store, [Observation(page.id, cycle_id, attempt, 0, Health.OK, found)]
            )
            pages.record_answer(
                self.store, page.id, etag=None, last_modified=None, snapshot_id=found,
                cycle_id=cycle_id,
            )  # fmt: skip

    def changes(self) -> list[Change]:
        return [c for c in changes.listed(self.store, "all") if c.program_id == "im"]

    def kinds(self) -> list[str]:
        return [change.kind for change in self.changes()]

    def status(self) -> Status:
        return statuses(self.store)[0]

    def category(self) -> str:
        policy = self.status().policy
        return str(policy.category) if policy else ""


@pytest.fixture
def nights(store: Store) -> Nights:
    return Nights(store)


def test_a_policy_that_goes_back_and_forth_is_held_and_reported_once(nights: Nights) -> None:
    told = nights.run(J1_ONLY, BOTH, J1_ONLY, BOTH, J1_ONLY, BOTH, J1_ONLY, BOTH)
    assert told == [
        "flapping: Fernway Hospital (im, surgery) goes back and forth between J-1 and H-1B "
        "and J-1 only; held until it rests"
    ]
    assert [c.cycle_id for c in nights.changes()] == [2, 3, 4]
    status = nights.status()
    assert nights.category() == "j1_and_h1b"  # the last that was flagged
    assert status.policy is not None
    assert status.policy.needs_review
    assert "between" in status.flapping


def test_turns_of_the_office_count_for_a_program_whose_own_page_is_gone(store: Store) -> None:
    nights = Nights(store, lost=True)
    nights.run(J1_ONLY, BOTH, J1_ONLY, BOTH, J1_ONLY, BOTH, J1_ONLY, *[J1_ONLY] * 7)
    assert [c.cycle_id for c in nights.changes()] == [2, 3, 4, 14]


def test_a_change_that_is_taken_back_and_made_after_all_is_told_each_time(nights: Nights) -> None:
    assert nights.run(J1_ONLY, BOTH, J1_ONLY, BOTH, *[BOTH] * 3) == []
    assert [c.cycle_id for c in nights.changes()] == [2, 3, 4]
    assert nights.category() == "j1_and_h1b"


def test_changes_to_different_policies_that_are_taken_back_are_no_flapping(nights: Nights) -> None:
    assert nights.run(J1_ONLY, BOTH, J1_ONLY, NONE, J1_ONLY, *[SILENT] * 2, J1_ONLY) == []
    assert [c.cycle_id for c in nights.changes()] == [2, 3, 4, 5, 7, 8]


def test_one_that_comes_to_rest_where_it_stood_ends_without_a_change(nights: Nights) -> None:
    nights.run(J1_ONLY, BOTH, J1_ONLY, BOTH, J1_ONLY, BOTH)
    assert nights.run(*[BOTH] * 6) == []
    assert nights.run(BOTH) == [
        "flapping: Fernway Hospital (im, surgery) has come to rest at J-1 and H-1B"
    ]
    assert nights.run(*[BOTH] * 3) == []
    assert len(nights.changes()) == 3
    status = nights.status()
    assert status.flapping == ""
    assert status.policy is not None
    assert not status.policy.needs_review


def test_one_that_comes_to_rest_elsewhere_is_flagged_then(nights: Nights) -> None:
    nights.run(J1_ONLY, BOTH, J1_ONLY, BOTH, J1_ONLY)
    assert nights.run(*[J1_ONLY] * 6) == []
    assert len(nights.changes()) == 3
    assert len(nights.run(J1_ONLY)) == 1
    assert [(c.cycle_id, c.after["category"]) for c in nights.changes()][3:] == [(12, "j1_only")]
    assert nights.run(*[J1_ONLY] * 3) == []
    assert nights.category() == "j1_only"
    assert len(nights.changes()) == 4


def test_a_night_in_which_the_page_is_down_does_not_count_as_rest(nights: Nights) -> None:
    nights.run(J1_ONLY, BOTH, J1_ONLY, BOTH, J1_ONLY, *[DOWN] * 8)
    assert nights.run(J1_ONLY) == []
    assert nights.status().flapping


@pytest.mark.parametrize("news", [NONE, SILENT])
def test_what_was_not_said_before_is_flagged_all_the_same(nights: Nights, news: str) -> None:
    nights.run(J1_ONLY, BOTH, J1_ONLY, BOTH, J1_ONLY)
    assert nights.run(news, news, news) == []
    assert len(nights.changes()) == 4
    assert nights.run(BOTH) == []
    assert len(nights.changes()) == 4  # and back again is held


def test_a_withdrawn_statement_is_flagged_in_the_night_it_comes_to_rest(nights: Nights) -> None:
    nights.run(SILENT, J1_ONLY, *[SILENT] * 2, J1_ONLY, *[SILENT] * 2)
    told = ["statement_added", "statement_withdrawn", "statement_added"]
    assert nights.kinds() == told
    assert nights.status().flapping
    nights.run(*[SILENT] * 6)
    assert nights.kinds() == told
    nights.run(SILENT)
    assert nights.kinds() == [*told, "statement_withdrawn"]
    assert not nights.status().flapping


def test_a_page_that_comes_and_goes_is_held_too_and_told_when_it_stays_away(
    nights: Nights,
) -> None:
    told = nights.run(*[J1_ONLY, GONE, GONE] * 4)
    assert len(told) == 1
    assert "between J-1 only and no page" in told[0]
    before = len(nights.changes())
    nights.run(*[GONE] * 8)
    assert nights.kinds()[before:] == ["page_gone"]
    assert nights.run(GONE, GONE) == []
    assert len(nights.changes()) == before + 1


def test_turns_that_are_far_apart_are_changes(nights: Nights) -> None:
    for _ in range(2):
        nights.run(*[J1_ONLY] * 10, *[BOTH] * 10)
    assert len(nights.changes()) == 3
    assert not nights.status().flapping


def test_other_words_for_what_is_said_are_no_turn(nights: Nights) -> None:
    reworded = J1_ONLY.replace("We sponsor", "Our hospital sponsors")
    nights.run(*[J1_ONLY, reworded] * 3)
    assert not nights.status().flapping
    assert set(nights.kinds()) == {"wording_changed"}


def test_it_is_held_in_a_whole_cycle_and_nobody_is_mailed(watch: Watch) -> None:
    watch.program()
    for body in (J1_ONLY, BOTH, J1_ONLY, BOTH, J1_ONLY):
        watch.site.page("/visa", body)
        watch.night()
    assert [c.cycle_id for c in watch.changes()] == [2, 3, 4]
    assert watch.status().flapping
