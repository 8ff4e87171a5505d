"""Leases: one process at a time, free at once when it is killed, whatever the clock says."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from subprocess import Popen

import pytest
from processes import let_go, running, start

from store import leases
from store.database import Store

NOW = datetime(2026, 11, 25, 2, tzinfo=UTC)
TAKE = """
    import sys
    from datetime import UTC, datetime
    from store import leases
    from store.database import Store
    with Store(sys.argv[1]) as store:
        assert leases.take(store, "cycle", datetime(2026, 11, 25, 2, tzinfo=UTC)) is None
    print("taken", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(store: Store) -> Iterator[Popen[str]]:
    """A living process that has taken the lease of the cycle."""
    with running(TAKE, str(store.path)) as process:
        yield process


def test_a_living_holder_is_named(store: Store, holder: Popen[str]) -> None:
    refusal = leases.take(store, "cycle", NOW)
    assert refusal == f"process {holder.pid} on {socket.gethostname()} is already running it"
    assert leases.take(store, "mail", NOW) is None  # another lease


@pytest.mark.parametrize("jump", [timedelta(days=-3650), timedelta(hours=1), timedelta(days=3650)])
def test_a_clock_that_jumps_changes_nothing(
    store: Store, holder: Popen[str], jump: timedelta
) -> None:
    assert leases.take(store, "cycle", NOW + jump) is not None


def test_a_killed_holder_frees_it_at_once(store: Store, holder: Popen[str]) -> None:
    holder.kill()
    holder.wait()
    assert leases.take(store, "cycle", NOW) is None


def test_a_holder_that_is_dead_and_not_yet_waited_for_frees_it(
    store: Store, holder: Popen[str]
) -> None:
    holder.kill()
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie from now on
    assert leases.take(store, "cycle", NOW) is None


def test_a_holder_that_ended_without_giving_back_frees_it(store: Store) -> None:
    assert let_go(start(TAKE, str(store.path))) == 0
    assert leases.take(store, "cycle", NOW) is None


def test_another_process_with_the_number_of_the_holder_does_not_hold_it(
    store: Store, holder: Popen[str]
) -> None:
    with store.writing():
        store.write("UPDATE leases SET process_start = '1'")
    assert leases.take(store, "cycle", NOW) is None


def test_only_the_holder_gives_back(store: Store, holder: Popen[str]) -> None:
    leases.give_back(store, "cycle")
    assert leases.take(store, "cycle", NOW) is not None


def test_taking_again_renews(store: Store) -> None:
    assert leases.take(store, "cycle", NOW) is None
    assert leases.take(store, "cycle", NOW + timedelta(minutes=5)) is None
    assert [row["renewed_at"] for row in store.rows("SELECT * FROM leases")] == [
        "2026-11-25T02:05:00Z"
    ]
    leases.give_back(store, "cycle")
    assert store.rows("SELECT * FROM leases") == []


def test_a_holder_on_another_machine_counts_until_it_stops_renewing(store: Store) -> None:
    assert leases.take(store, "cycle", NOW) is None
    with store.writing():
        store.write("UPDATE leases SET host = 'another.example'")
    soon, late = NOW + timedelta(minutes=14), NOW + timedelta(minutes=16)
    assert leases.take(store, "cycle", soon) is not None
    assert leases.take(store, "cycle", late) is None
