"""Snapshots: stored once, small, and given back as they came."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import snapshots
from store.database import Store

PAGE = b"<p>We sponsor J-1 visas.</p>" * 500
STATEMENTS: list[dict[str, object]] = [{"visa": "J-1", "stance": "sponsored"}]


def keep(store: Store, body: bytes, content_type: str = "text/html") -> int:
    with store.writing():
        return snapshots.keep(store, snapshots.pack(body), content_type)


def test_the_same_bytes_are_stored_once(store: Store) -> None:
    first, second = keep(store, PAGE), keep(store, PAGE, "text/plain")
    assert first == second != keep(store, PAGE + b" ")
    assert store.rows("SELECT count(*) FROM snapshots")[0][0] == 2


def test_bytes_are_stored_compressed(store: Store) -> None:
    keep(store, PAGE)
    row = store.rows("SELECT size, length(body) AS stored FROM snapshots")[0]
    assert row["size"] == len(PAGE)
    assert row["stored"] < len(PAGE) / 20


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=2000))
def test_bytes_come_back_as_they_went_in(store: Store, body: bytes) -> None:
    assert snapshots.get(store, keep(store, body)).body == body


def test_a_snapshot_has_the_hash_and_type_of_its_bytes(store: Store) -> None:
    snapshot = snapshots.get(store, keep(store, b"J-1", "text/plain"))
    assert snapshot.sha256 == sha256(b"J-1").hexdigest()
    assert snapshot.content_type == "text/plain"
    assert snapshots.hashes(store, [snapshot.id]) == {snapshot.id: snapshot.sha256}
    assert snapshots.with_hashes(store, [snapshot.sha256, "00" * 32]) == [snapshot.id]


def test_a_reading_is_replaced_by_that_of_newer_rules(store: Store) -> None:
    page, silent = keep(store, PAGE), keep(store, b"<p>Parking</p>")
    with store.writing():
        snapshots.save_reading(store, page, "rules-1", STATEMENTS)
        snapshots.save_reading(store, silent, "rules-1", [])
    assert snapshots.readings(store, [page, silent]) == {page: STATEMENTS, silent: []}
    assert snapshots.unread(store, "rules-1") == []
    assert snapshots.unread(store, "rules-2") == [page, silent]
    with store.writing():
        snapshots.save_reading(store, page, "rules-2", [])
    assert snapshots.readings(store, [page, silent]) == {page: [], silent: []}
    assert snapshots.unread(store, "rules-2") == [silent]
    assert snapshots.is_read(store, page, "rules-2")
    assert not snapshots.is_read(store, silent, "rules-2")


def test_a_snapshot_that_nothing_has_read_is_unread(store: Store) -> None:
    assert snapshots.unread(store, "rules-1") == []
    page = keep(store, PAGE)
    assert snapshots.unread(store, "rules-1") == [page]


def test_a_step_that_fails_keeps_no_snapshot(store: Store) -> None:
    def fail_late() -> None:
        with store.writing():
            snapshots.keep(store, snapshots.pack(PAGE), "text/html")
            raise KeyError

    with pytest.raises(KeyError):
        fail_late()
    assert store.rows("SELECT * FROM snapshots") == []
