"""Programs, policies, cycles and observations, subscriptions and mail: what goes in comes out."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from store import changes, cycles, outbox, pages, policies, programs, subscriptions
from store.database import Store
from store.errors import NotFound
from store.records import (
    Change,
    Cycle,
    Mail,
    Observation,
    Program,
    Standing,
    Subscription,
    stamp,
)

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
NOW = stamp(NOON)
FULL = Program(
    "larkspur", "Larkspur Hospital", "Neurology", "fellowship", "Salem", "MA",
    "https://l.example/", "https://l.example/visas", "1800", "gme@l.example", "https://gme.example/"
)  # fmt: skip
BARE = Program("sorrel", "Sorrel Clinic", "Surgery", website_url="https://s.example/")


@pytest.fixture
def store(store: Store) -> Store:
    """A database with two programs."""
    with store.writing():
        programs.save(store, [BARE, FULL])
    return store


def cycle(store: Store) -> int:
    with store.writing():
        begun, _ = cycles.open_one(store, NOW)
        cycles.finish(store, begun.id, NOW, {"cycle": begun.id})
    return begun.id


def observe(store: Store, page_id: int, cycle_id: int, health: str, attempt: int = 0) -> None:
    with store.writing():
        cycles.observe(store, [Observation(page_id, cycle_id, attempt, 1_800_000_000, health)])


def test_programs_come_back_by_id(store: Store) -> None:
    assert programs.listed(store) == [FULL, BARE]
    assert programs.get(store, "larkspur") == FULL


def test_a_program_is_replaced_and_its_office_page_is_kept(store: Store) -> None:
    with store.writing():
        programs.save(store, [replace(FULL, specialty="Pediatrics", gme_url="")])
    assert programs.get(store, "larkspur") == replace(FULL, specialty="Pediatrics")


def test_a_removed_program_keeps_its_history_and_can_come_back(store: Store) -> None:
    standing = Standing("larkspur", NOW, "read", {"category": "unstated"}, {})
    with store.writing():
        policies.record(store, standing)
        programs.remove(store, "larkspur", NOW)
    assert programs.listed(store) == [BARE]
    assert policies.standing(store) == {}
    for missing in ("larkspur", "nobody"):
        with pytest.raises(NotFound, match=missing), store.writing():
            programs.remove(store, missing, NOW)
    with store.writing():
        programs.save(store, [FULL])
    assert policies.standing(store) == {"larkspur": standing}


def test_the_last_policy_stands_and_all_are_history(store: Store) -> None:
    first = Standing("larkspur", NOW, "read", {"category": "j1_only"}, {"quote": "J‑1"})
    then = replace(first, origin="corrected", inherited_from="Larkspur Hospital")
    with store.writing():
        policies.record(store, first)
        policies.record(store, then)
    assert policies.standing(store) == {"larkspur": then}
    assert policies.history(store, "larkspur") == [first, then]
    with pytest.raises(sqlite3.IntegrityError), store.writing():
        policies.record(store, replace(first, origin="guessed"))


def test_a_cycle_that_was_begun_is_gone_on_with(store: Store) -> None:
    with store.writing():
        begun, again = cycles.open_one(store, NOW, "2026-11-25T02:00Z")
        assert (begun, again) == (Cycle(1, NOW, night="2026-11-25T02:00Z"), False)
        assert cycles.open_one(store, "2026-11-26T00:00:00Z") == (begun, True)
        cycles.finish(store, begun.id, NOW, {"changes": 0})
        following, again = cycles.open_one(store, NOW)
    assert (following.id, again) == (2, False)
    done = Cycle(1, NOW, NOW, "2026-11-25T02:00Z", {"changes": 0})
    assert cycles.of_night(store, "2026-11-25T02:00Z") == done
    assert cycles.of_night(store, "2026-11-26T02:00Z") is None
    assert cycles.listed(store) == [done, following]


def test_the_latest_attempt_of_a_cycle_counts(store: Store) -> None:
    with store.writing():
        page = pages.add(store, "https://l.example/visas")
    first, second = cycle(store), cycle(store)
    observe(store, page.id, first, "ok")
    observe(store, page.id, second, "ok")
    observe(store, page.id, second, "timeout", attempt=1)
    assert cycles.observed(store, first)[page.id].health == "ok"
    assert cycles.observed(store, second)[page.id].health == "timeout"
    assert cycles.latest(store)[page.id].attempt == 1
    assert cycles.latest_good(store)[page.id].cycle_id == second


def test_cycles_without_a_page_are_counted_since_it_was_seen(store: Store) -> None:
    with store.writing():
        page = pages.add(store, "https://l.example/visas")
    assert cycles.unhealthy_cycles(store, page.id) == 0
    counts = []
    for health in ("timeout", "ok", "server_error", "gone", "not_modified", "empty"):
        observe(store, page.id, cycle(store), health)
        counts.append(cycles.unhealthy_cycles(store, page.id))
    assert counts == [1, 0, 1, 2, 0, 1]
    observe(store, page.id, cycles.listed(store)[-1].id, "empty", attempt=1)
    assert cycles.unhealthy_cycles(store, page.id) == 1


def test_an_observation_of_no_page_is_refused(store: Store) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        observe(store, 99, cycle(store), "ok")


def test_the_last_search_for_a_page_is_known(store: Store) -> None:
    first, second = cycle(store), cycle(store)
    with store.writing():
        cycles.discovered(store, "program:larkspur", first, fetched=5, kept=0)
        cycles.discovered(store, "program:larkspur", second, fetched=5, kept=1)
        cycles.discovered(store, "program:sorrel", first, fetched=2, kept=0)
    both = {"program:larkspur": second, "program:sorrel": first}
    assert cycles.last_discovery(store, [*both, "program:heron"]) == both


def test_a_wish_is_filed_once_and_ended_by_its_token(store: Store) -> None:
    wish = Subscription(0, "ada@inbox.example", visa="H-1B")
    with store.writing():
        made = subscriptions.add(store, wish, NOON)
        assert subscriptions.add(store, replace(wish, address="ADA@inbox.example"), NOON) == made
        other = subscriptions.add(store, replace(wish, visa="J-1"), NOON)
    assert subscriptions.listed(store) == [made, other]
    with store.writing():
        assert subscriptions.end_by_token(store, made.token, NOON) == [made]
        assert subscriptions.end_by_token(store, made.token, NOON) == []
    assert subscriptions.listed(store) == [other]
    with pytest.raises(NotFound, match="nobody@inbox"), store.writing():
        subscriptions.end(store, "nobody@inbox.example", NOON)


def test_a_token_is_the_whole_of_it_and_no_address(store: Store) -> None:
    with store.writing():
        made = [
            subscriptions.add(store, Subscription(0, "ada@inbox.example", visa=visa), NOON)
            for visa in ("J-1", "H-1B")
        ]
    tokens = [subscription.token for subscription in made]
    wrong = tokens[0][:-1] + ("0" if tokens[0][-1] != "0" else "1")
    for guess in (
        "",
        ".",
        "ada@inbox.example",
        tokens[0][:8],
        tokens[0] + "0",
        wrong,
        "%",
        "é" * 32,
    ):
        assert subscriptions.find(store, guess) == []
        with pytest.raises(NotFound), store.writing():
            subscriptions.end_by_token(store, guess, NOON)
    with store.writing():
        assert subscriptions.end_by_token(store, ".".join([*tokens, wrong]), NOON) == made


def test_urls_that_differ_in_case_are_two_addresses(store: Store) -> None:
    with store.writing():
        for url in ("slack://Aa", "slack://aA", "slack://Aa"):
            subscriptions.add(store, Subscription(0, url), NOON)
        assert len(subscriptions.end(store, "slack://Aa", NOON)) == 1
    assert [s.address for s in subscriptions.listed(store)] == ["slack://aA"]
    with pytest.raises(NotFound, match="this URL") as told, store.writing():
        subscriptions.end(store, "slack://secret", NOON)
    assert "secret" not in str(told.value)


def test_mail_is_filed_once_and_leaves_the_queue_when_sent_or_refused(store: Store) -> None:
    cycle(store)
    with store.writing():
        changes.flag(
            store, Change(0, "larkspur", 1, "conflict", "major", "open", {}, {}, NOW, None)
        )
        for number in (1, 1, 2, 3):
            mail = Mail(0, f"<{number}@x>", "Ada@inbox.example", "News", b"J-1" * 99, NOW)
            outbox.enqueue(store, mail, {1: 0})
    assert [m.id for m in outbox.due(store, NOON)] == [1, 2, 3]
    assert [m.id for m in outbox.due(store, NOON, after_id=1, limit=1)] == [2]
    assert outbox.mailed(store, "ada@INBOX.example", [1, 2]) == {1: 0}
    with store.writing():
        outbox.attempt(store, 3)
        outbox.mark_sent(store, 1, NOON)
        outbox.mark_refused(store, 2, "550 no such user")
        outbox.postpone(store, 3, NOON + timedelta(hours=1), "451 later")
    assert outbox.due(store, NOON) == []
    assert [m.id for m in outbox.due(store, NOON + timedelta(hours=1))] == [3]
    sent, refused, waiting = outbox.listed(store)
    assert (sent.state, sent.sent_at, sent.message) == ("sent", NOW, b"J-1" * 99)
    assert (refused.state, refused.error) == ("refused", "550 no such user")
    assert (waiting.state, waiting.attempts, outbox.get(store, 3)) == ("queued", 1, waiting)
    with pytest.raises(NotFound, match="no mail 4"):
        outbox.get(store, 4)
