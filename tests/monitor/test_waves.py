"""Many institutions that change the same way within days: one wave, told with its members."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from conftest import BOTH, J1_ONLY, NONE, Watch

from extractors import Policy, Stance, Visa
from extractors.conditions import ConditionKind
from extractors.values import Condition
from monitor import waves
from monitor.clock import system
from monitor.review import ReviewError, decide
from monitor.taken_back import BY_ITSELF
from monitor.usual import at_least
from monitor.waves import Direction, Settings, directions
from store import changes, programs, verdicts
from store import waves as table
from store.database import Store
from store.records import Change, Program, Review, stamp

NAMES = ("alder", "birch", "cedar", "elm", "fir", "gorse")
START = datetime(2026, 8, 1, 2, tzinfo=UTC)


def night(watch: Watch, **bodies: str) -> list[str]:
    """A night after which these programs' pages say this; what it reports."""
    if not watch.nights:
        watch.programs(
            *(
                Program(
                    n, f"{n.title()} Hospital", "Surgery", eligibility_url=watch.site.url(f"/{n}")
                )
                for n in NAMES
            )
        )
    for name, body in bodies.items():
        watch.site.page(f"/{name}", body)
    return [str(report) for report in waves.reports(watch.store, watch.night().cycle)]


@pytest.fixture
def wave(watch: Watch) -> Watch:
    """Two hospitals, then three more, then one; and one that opens up meanwhile."""
    assert night(watch, **{**dict.fromkeys(NAMES, BOTH), "gorse": NONE}) == []
    assert night(watch, alder=J1_ONLY, birch=NONE) == []
    (told,) = night(watch, cedar=J1_ONLY, elm=J1_ONLY, fir=J1_ONLY, gorse=BOTH)
    assert told == (
        "wave 1: 5 programs of 5 institutions cut back on H-1B, 2026-11-02 to 2026-11-03 "
        "(`visawatch review 1 ... --wave`)"
    )
    (told,) = night(watch, gorse=J1_ONLY)
    assert "6 programs of 6 institutions" in told
    assert ", 1 of them new" in told
    assert night(watch) == []
    return watch


def test_members_flagged_before_join_and_so_do_those_that_come_later(wave: Watch) -> None:
    (found,) = table.listed(wave.store)
    assert (found.visa, found.way, found.cycle_id) == ("H-1B", "less", 3)
    members = {c.program_id: c.cycle_id for c in wave.changes() if c.wave_id == found.id}
    assert members == {"alder": 2, "birch": 2, "cedar": 3, "elm": 3, "fir": 3, "gorse": 4}
    assert [c.program_id for c in wave.changes() if c.wave_id is None] == ["gorse"]  # opened up


def test_a_wave_is_decided_on_as_a_whole(wave: Watch) -> None:
    decide(wave.store, 2, "dismissed", by="Ada", now=system())
    decided = decide(wave.store, 1, "accepted", by="Ada", now=system(), wave=True)
    assert len(decided) == 5  # but for the one that was decided by itself
    loose = next(c for c in wave.changes() if c.wave_id is None)
    with pytest.raises(ReviewError, match="belongs to no wave"):
        decide(wave.store, loose.id, "accepted", by="Ada", now=system(), wave=True)


def test_a_new_wave_begins_when_one_is_over(wave: Watch) -> None:
    for _ in range(7):
        assert night(wave) == []
    assert night(wave, gorse=BOTH) == []
    assert night(wave, gorse=J1_ONLY) == []  # a week later: by itself, and that is no wave
    assert [w.id for w in table.listed(wave.store)] == [1]


def flag(store: Store, program_id: str, at: datetime, severity: str = "critical") -> None:
    """A change from both visas to the J-1 alone, in a cycle of its own."""
    before = policy(Stance.SPONSORED)
    cycle = store.write("INSERT INTO cycles (started_at) VALUES (?)", (stamp(at),))
    changes.flag(
        store,
        Change(
            0, program_id, cycle, "policy_changed", severity, "open", before.to_json(),
            policy(Stance.NOT_SPONSORED).to_json(), stamp(at),
        ),
    )  # fmt: skip
    waves.recognise(store, cycle, at, Settings())


def policy(h1b: Stance, *conditions: Condition) -> Policy:
    return Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, h1b)), conditions)


@pytest.mark.parametrize(
    ("usually", "weekly", "institutions", "expected"),
    [
        (0, 5, 40, 1),  # nothing in three months, then five in a week
        (0, 4, 40, 0),  # too few, however rare they are
        (14, 5, 40, 0),  # as in every other week
        (14, 12, 40, 1),
        (0, 9, 9, 1),
    ],
)
def test_it_takes_more_than_the_usual(
    store: Store, usually: int, weekly: int, institutions: int, expected: int
) -> None:
    with store.writing():
        programs.save(store, [Program(f"p{i}", f"I{i}", "Surgery") for i in range(institutions)])
        store.write("INSERT INTO cycles (started_at) VALUES (?)", (stamp(START),))
        for number in range(usually):
            at = START + timedelta(days=1 + number * 80 / usually)
            flag(store, f"p{number % institutions}", at)
        assert table.listed(store) == []
        for number in range(weekly):
            flag(store, f"p{number}", START + timedelta(days=95, hours=12 * number))
    assert len(table.listed(store)) == expected


@pytest.mark.parametrize(("by", "expected"), [(BY_ITSELF, 0), ("Ada", 1)])
def test_what_was_taken_back_is_usual_and_a_false_alarm_is_not(
    store: Store, by: str, expected: int
) -> None:
    with store.writing():
        programs.save(store, [Program(f"p{i}", f"I{i}", "Surgery") for i in range(40)])
        store.write("INSERT INTO cycles (started_at) VALUES (?)", (stamp(START),))
        for number in range(14):
            flag(store, f"p{number}", START + timedelta(days=1 + number * 80 / 14))
        for change in changes.listed(store):
            verdicts.decide(store, Review(change.id, "dismissed", by, "", stamp(START)))
        for number in range(5):
            flag(store, f"p{number}", START + timedelta(days=95, hours=12 * number))
    assert len(table.listed(store)) == expected


def test_while_nothing_is_known_many_are_no_wave(store: Store) -> None:
    with store.writing():
        programs.save(store, [Program(f"p{i}", f"I{i}", "Surgery") for i in range(50)])
        store.write("INSERT INTO cycles (started_at) VALUES (?)", (stamp(START),))
        for number in range(14):
            flag(store, f"p{number}", START + timedelta(days=1 + number // 2))
    assert table.listed(store) == []


def test_a_wave_is_over_when_the_usual_is_left_and_another_can_come(store: Store) -> None:
    with store.writing():
        programs.save(store, [Program(f"p{i}", f"I{i}", "Surgery") for i in range(40)])
        store.write("INSERT INTO cycles (started_at) VALUES (?)", (stamp(START),))
        for number in range(15):
            flag(store, f"p{number}", START + timedelta(days=5 + number // 5))
        for number in range(15):  # as one does in every other night, wave or not
            flag(store, f"p{number}", START + timedelta(days=9 + 2 * number))
        for number in range(15):
            flag(store, f"p{number}", START + timedelta(days=40 + number // 5))
    first, second = table.listed(store)
    assert 15 <= len(first.change_ids) <= 20
    assert 15 <= len(second.change_ids) <= 18  # with those of the days before


def test_one_that_took_it_back_at_once_is_in_the_wave_and_does_not_make_it(store: Store) -> None:
    with store.writing():
        programs.save(store, [Program(f"p{i}", f"I{i}", "Surgery") for i in range(9)])
        for number in range(5):
            flag(store, f"p{number}", START + timedelta(days=number // 3))
            if not number:
                (change,) = changes.listed(store)
                verdicts.decide(store, Review(change.id, "dismissed", BY_ITSELF, "", stamp(START)))
        assert table.listed(store) == []  # of four
        flag(store, "p5", START + timedelta(days=2))
    (wave,) = table.listed(store)
    assert len(wave.change_ids) == 6


def test_forty_programs_of_one_institution_are_no_wave(store: Store) -> None:
    with store.writing():
        programs.save(store, [Program(f"p{i}", "One Hospital", f"S{i}") for i in range(40)])
        programs.save(store, [Program(f"q{i}", f"I{i}", "Surgery") for i in range(20)])
        for number in range(40):
            flag(store, f"p{number}", START + timedelta(hours=number))
    assert table.listed(store) == []


def test_wording_makes_no_wave_and_a_cycle_run_again_changes_nothing(store: Store) -> None:
    with store.writing():
        programs.save(store, [Program(f"p{i}", f"I{i}", "Surgery") for i in range(9)])
        for number in range(9):
            flag(store, f"p{number}", START, severity="minor")
        assert table.listed(store) == []
        for number in range(9):
            flag(store, f"p{number}", START)
        (before,) = table.listed(store)
        waves.recognise(store, before.cycle_id, START, Settings())
        assert table.listed(store) == [before]


STEP3 = Condition(Visa.H1B, ConditionKind.STEP3_PASSED, "2027-02-01")
LATER = Condition(Visa.H1B, ConditionKind.STEP3_PASSED, "2028-02-01")
SPONSORED, REFUSED = policy(Stance.SPONSORED), policy(Stance.NOT_SPONSORED)
SILENT = Policy(((Visa.J1, Stance.SPONSORED),))


@pytest.mark.parametrize(
    ("before", "after", "ways"),
    [
        (SPONSORED, REFUSED, ["less"]),
        (SPONSORED, policy(Stance.CONDITIONAL), ["less"]),
        (SPONSORED, SILENT, ["less"]),
        (SILENT, REFUSED, ["less"]),
        (REFUSED, SILENT, []),
        (REFUSED, policy(Stance.CONDITIONAL), ["more"]),
        (SILENT, SPONSORED, ["more"]),
        (SPONSORED, policy(Stance.CONFLICTING), []),
        (SPONSORED, policy(Stance.SPONSORED, STEP3), ["added step3_passed"]),
        (policy(Stance.SPONSORED, STEP3), SPONSORED, ["dropped step3_passed"]),
        (
            policy(Stance.SPONSORED, STEP3),
            policy(Stance.SPONSORED, LATER),
            ["dated step3_passed"],
        ),
    ],
)
def test_directions(before: Policy, after: Policy, ways: list[str]) -> None:
    change = Change(1, "p", 1, "", "major", "open", before.to_json(), after.to_json(), "")
    assert directions(change) == [Direction("H-1B", way) for way in ways]
    assert all(waves.words("H-1B", way).endswith(("H-1B", "anew")) for way in ways)


def test_the_chance_is_that_of_a_negative_binomial() -> None:
    assert at_least(0, 1, 1.0) == 1
    assert at_least(3, 1, 1.0) == pytest.approx(1 / 8)  # shape 1: geometric
    assert at_least(1, 2, 1.0) == pytest.approx(3 / 4)
    assert at_least(60, 1e6, 50 / 1e6) == pytest.approx(0.0922, abs=0.001)  # nearly Poisson(50)
