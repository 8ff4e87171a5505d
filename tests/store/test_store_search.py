"""Programs are found by what they are and by what stands for them."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from store import cycles, pages, policies, programs, search
from store.database import Store
from store.records import Observation, Program, Standing, stamp
from store.schema import migrations
from store.search import Wish

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
PROGRAMS = (
    Program("elm-im", "Élm Hospital", "Internal Medicine", city="Salem", state="MA"),
    Program("elm-surg", "Élm Hospital", "Surgery", city="Salem", state="MA"),
    Program("oak-cards", "Oak 100% Clinic", "Cardiology", "fellowship", "New York", "NY"),
    Program("yew-fm", "Yew Health", "Family Medicine", city="Albany", state="NY"),
)  # fmt: skip


ALL = [program.program_id for program in PROGRAMS]  # as they are sorted


def stand(store: Store, program_id: str, category: str, at: datetime = NOON, **policy: Any) -> None:
    whole = {"category": category, "stances": {}, "conditions": [], "evidence": [], **policy}
    with store.writing():
        policies.record(store, Standing(program_id, stamp(at), "read", whole, {}))


@pytest.fixture
def store(store: Store) -> Store:
    """Four programs, of which three have a policy."""
    with store.writing():
        programs.save(store, PROGRAMS)
    stand(store, "elm-im", "j1_only", stances={"J-1": "sponsored", "H-1B": "not_sponsored"})
    stand(
        store,
        "elm-surg",
        "j1_h1b_case_by_case",
        stances={"J-1": "sponsored", "H-1B": "conditional"},
        conditions=[{"visa": "H-1B", "kind": "case_by_case"}, {"visa": "H-1B", "kind": "paused"}],
        needs_review=True,
    )
    stand(store, "yew-fm", "unstated")
    return store


def found(store: Store, sort: str = "name", **wish: Any) -> list[str]:
    total, ids = search.find(store, Wish(**wish), sort=sort, limit=10)
    assert total == len(ids)
    return ids


@pytest.mark.parametrize(
    ("wish", "ids"),
    [
        ({}, ALL),
        ({"text": "elm"}, ["elm-im", "elm-surg"]),
        ({"text": "ELM surg"}, ["elm-surg"]),
        ({"text": "massachusetts INTERNAL"}, ["elm-im"]),
        ({"text": "new york"}, ["oak-cards", "yew-fm"]),
        ({"text": "edicine"}, []),  # the end of a word
        ({"text": "' OR 1=1 --"}, []),
        ({"specialty": "x' OR 'a' = 'a"}, []),
        ({"text": "?!"}, ALL),
        ({"state": "NY", "level": "fellowship"}, ["oak-cards"]),
        ({"city": "new"}, ["oak-cards"]),
        ({"city": "york"}, []),
        ({"institution": "0% cl"}, ["oak-cards"]),
        ({"institution": "%"}, ["oak-cards"]),
        ({"institution": "_"}, []),
        ({"specialty": "Surgery"}, ["elm-surg"]),
        ({"visa": "J-1"}, ["elm-im", "elm-surg"]),
        ({"visa": "H-1B"}, ["elm-surg"]),
        ({"category": "unstated"}, ["yew-fm"]),
        ({"condition": "paused"}, ["elm-surg"]),
        ({"visa": "J-1", "without_doubt": True}, ["elm-im"]),
        ({"without_doubt": True}, ["elm-im", "yew-fm"]),
    ],
)
def test_what_is_asked_for_is_found(store: Store, wish: dict[str, Any], ids: list[str]) -> None:
    assert found(store, **wish) == ids


def test_the_policy_that_stands_is_searched_and_no_other(store: Store) -> None:
    stand(store, "elm-surg", "no_sponsorship", stances={"J-1": "not_sponsored"})
    assert found(store, condition="paused") == found(store, visa="H-1B") == []
    assert found(store, category="no_sponsorship") == ["elm-surg"]
    with store.writing():
        programs.remove(store, "elm-im", stamp(NOON))
    assert found(store, visa="J-1") == []


@pytest.mark.parametrize("sort", search.SORTS)
def test_every_order_gives_each_program_once_in_stretches(store: Store, sort: str) -> None:
    one_by_one = [search.find(store, Wish(), sort=sort, limit=1, offset=n)[1] for n in range(5)]
    assert [ids[0] for ids in one_by_one[:4]] == found(store, sort)
    assert sorted(found(store, sort)) == sorted(p.program_id for p in PROGRAMS)
    assert one_by_one[4] == []


def test_a_program_is_found_by_its_new_names(store: Store) -> None:
    with store.writing():
        programs.save(store, [Program("yew-fm", "Ash Health", "Family Medicine", state="ME")])
    assert found(store, text="yew") == []
    assert found(store, text="ash maine") == ["yew-fm"]


def test_when_pages_were_seen_is_noted_when_a_cycle_is_done(store: Store) -> None:
    """Those that carry the policy count; where nothing is stated, all of them."""
    ago = {"carries": 40, "other": 1, "office": 3}
    with store.writing():
        ids = {name: pages.add(store, f"https://x.example/{name}").id for name in ago}
        for name in ("carries", "other"):
            pages.watch(store, ids[name], program_id="elm-im", found="named")
        pages.watch(store, ids["office"], institution="Yew Health", found="named")
    carried = [{"visa": "J-1", "quote": "x", "url": "https://x.example/carries"}]
    stand(store, "elm-im", "j1_only", stances={"J-1": "sponsored"}, evidence=carried)
    with store.writing():
        cycle, _ = cycles.open_one(store, stamp(NOON))
        for name, days in ago.items():
            at = int((NOON - timedelta(days=days)).timestamp())
            cycles.observe(store, [Observation(ids[name], cycle.id, 0, at, "ok")])
        assert found(store, checked_since=NOON - timedelta(days=99)) == []
        cycles.finish(store, cycle.id, stamp(NOON), {})
    assert found(store, checked_since=NOON - timedelta(days=30)) == ["yew-fm"]
    assert found(store, not_checked_since=NOON - timedelta(days=30), state="MA") == [
        "elm-im",
        "elm-surg",
    ]
    assert found(store, "checked") == ["yew-fm", "elm-im", "elm-surg", "oak-cards"]
    assert found(store, "unchecked") == ["elm-surg", "oak-cards", "elm-im", "yew-fm"]


def test_what_can_be_chosen_is_what_is_watched(store: Store) -> None:
    with store.writing():
        programs.remove(store, "oak-cards", stamp(NOON))
    chosen = search.choices(store)
    assert chosen.states == ("MA", "NY")
    assert chosen.specialties == ("Family Medicine", "Internal Medicine", "Surgery")
    assert chosen.levels == ("residency",)
    assert search.matrix(store) == {
        "Family Medicine": {"unstated": 1},
        "Internal Medicine": {"j1_only": 1},
        "Surgery": {"j1_h1b_case_by_case": 1},
    }


def test_a_database_from_before_is_searched_as_well(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = Database(sqlite3.connect(path))
    migrations.apply(old, stop_before="m013_search")
    old.conn.execute("INSERT INTO institutions VALUES (1, 'Élm Hospital', NULL)")
    old.conn.execute(
        "INSERT INTO programs (id, institution_id, specialty, level, state)"
        " VALUES ('elm', 1, 'Surgery', 'residency', 'MA')"
    )
    for category in ("unstated", "j1_only"):
        policy = (
            f'{{"category": "{category}", "stances": {{"J-1": "sponsored"}}, "conditions":'
            ' [{"visa": "J-1", "kind": "paused"}], "needs_review": false}'
        )
        old.conn.execute(
            "INSERT INTO policies (program_id, since, origin, policy, reading)"
            " VALUES ('elm', ?, 'read', ?, '{}')",
            (stamp(NOON), policy),
        )
    old.conn.commit()
    old.conn.close()
    with Store(path) as store:
        assert found(store, text="elm massachusetts", category="j1_only") == ["elm"]
        assert found(store, visa="J-1", condition="paused", without_doubt=True) == ["elm"]


def test_a_database_from_before_knows_its_lists(tmp_path: Path) -> None:
    """What m019 keeps beside the data is made of what is there."""
    path = tmp_path / "old.db"
    old = Database(sqlite3.connect(path))
    migrations.apply(old, stop_before="m019_lists")
    run = old.conn.execute
    run("INSERT INTO institutions VALUES (1, 'Elm Hospital', NULL)")
    for name in ("seen", "unseen"):
        run(
            "INSERT INTO programs (id, institution_id, specialty, level, name)"
            " VALUES (?, 1, 'Surgery', 'residency', ?)",
            (name, name),
        )
    for confidence in (0.9, 0.4):
        run(
            "INSERT INTO policies (program_id, since, origin, policy, reading)"
            " VALUES ('seen', ?, 'read', ?, '{}')",
            (stamp(NOON), f'{{"category": "j1_only", "stances": {{}}, "conditions": [],'
             f' "needs_review": true, "confidence": {confidence}}}'),
        )  # fmt: skip
    run("UPDATE standings SET checked_at = 1795600000")
    run("INSERT INTO pages (id, url) VALUES (1, 'https://x.example/1'), (2, 'https://x.example/2')")
    run("INSERT INTO watches (page_id, program_id, found) VALUES (1, 'seen', 'named'),"
        " (2, 'unseen', 'named')")  # fmt: skip
    run("INSERT INTO cycles (id, started_at) VALUES (1, ?), (2, ?)", (stamp(NOON), stamp(NOON)))
    for cycle, health in ((1, "ok"), (2, "gone")):
        run("INSERT INTO observations VALUES (1, ?, 0, 0, ?, NULL, NULL)", (cycle, health))
    old.conn.commit()
    old.conn.close()
    with Store(path) as store:
        assert search.matrix(store) == {"Surgery": {"j1_only": 1, "unseen": 1}}
        assert found(store, "changed") == found(store, "checked") == ["seen", "unseen"]
        assert found(store, checked_since=datetime.fromtimestamp(1795600000, UTC)) == ["seen"]
        assert search.in_doubt(store) == ["seen"]
        assert store.rows("SELECT confidence FROM standings ORDER BY 1 DESC")[0][0] == 0.4
        assert cycles.healths(store) == {"gone": 1, "never_seen": 1}
        with store.writing():
            cycles.observe(store, [Observation(2, 2, 1, 0, "ok"), Observation(2, 2, 0, 0, "gone")])
        assert cycles.healths(store) == {"gone": 1, "ok": 1}  # of the later attempt
        assert cycles.with_health(store, ["gone", "blocked"]) == ["https://x.example/1"]
