"""A host is one worker's at a time, and keeps its pace from one to the next."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redisserver import RedisServer, serving

from monitor.engine import board
from monitor.engine.hosts import Hosts, Lapsed
from monitor.engine.link import Link, connect

HOST = "larkspur.example"
DELAY = 60.0  # seconds: much longer than a test takes


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with serving(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def link(server: RedisServer) -> Iterator[Link]:
    link = connect(server.url)
    yield link
    link.close()


def worker(link: Link, token: str) -> Hosts:
    """The hosts of a worker that lives."""
    link.redis.set(board.WORKER + token, "w", px=60_000)
    return Hosts(link, token, DELAY)


def test_a_host_that_nobody_has_may_be_asked_at_once(link: Link) -> None:
    assert worker(link, "1").want(HOST) == 0


def test_a_host_is_waited_for_until_it_is_given_back_and_rests(link: Link) -> None:
    one, two = worker(link, "1"), worker(link, "2")
    assert one.want(HOST) == 0
    assert two.want(HOST) is None
    assert list(two.again()) == []
    one.leave(HOST, wait=30)
    ((host, wait),) = two.again()
    assert host == HOST
    assert 0 < wait <= 30
    assert list(two.again()) == []
    assert one.want(HOST) is None


def test_a_dead_workers_host_rests_for_a_whole_delay(link: Link) -> None:
    one, two = worker(link, "1"), worker(link, "2")
    one.want(HOST)
    link.redis.delete(board.WORKER + "1")
    wait = two.want(HOST)
    assert wait is not None
    assert DELAY / 2 < wait <= DELAY


def test_a_dead_workers_host_rests_as_long_as_it_has_asked_for(link: Link) -> None:
    one, two = worker(link, "1"), worker(link, "2")
    one.want(HOST)
    one.pace(HOST, delay=600, wait=0)
    link.redis.delete(board.WORKER + "1")
    wait = two.want(HOST)
    assert wait is not None
    assert DELAY < wait <= 600


def test_a_long_rest_is_not_forgotten_with_its_worker(link: Link) -> None:
    one, two = worker(link, "1"), worker(link, "2")
    one.want(HOST)
    one.pace(HOST, delay=1, wait=3600)
    link.redis.delete(board.WORKER + "1")
    wait = two.want(HOST)
    assert wait is not None
    assert 3500 < wait <= 3600


def test_a_worker_that_was_taken_for_dead_changes_nothing(link: Link) -> None:
    one, two = worker(link, "1"), worker(link, "2")
    one.want(HOST)
    link.redis.delete(board.WORKER + "1")
    two.want(HOST)
    one.leave(HOST, wait=0)
    one.pace(HOST, delay=0, wait=0)
    assert link.redis.hget(board.HOST + HOST, "owner") == b"2"
    with pytest.raises(Lapsed):
        one.want("other.example")


def test_who_is_and_was_asking_outlives_redis(link: Link, server: RedisServer) -> None:
    one, two = worker(link, "1"), worker(link, "2")
    one.want(HOST)
    server.kill()
    server.start()
    assert two.want(HOST) is None
    one.leave_all()
    server.kill()
    server.start()
    wait = two.want(HOST)
    assert wait is not None
    assert DELAY / 2 < wait <= DELAY


def test_the_writer_is_waited_for_when_it_is_behind(link: Link) -> None:
    deliver, stored = link.script(board.DELIVER), link.script(board.STORED)
    keys = [board.RUN, board.results("7"), board.size("7"), board.seen("7", HOST)]
    link.redis.hset(board.RUN, "id", "7")

    def give(size: int, *, run: str = "7", most: int = 2) -> int:
        args = [run, "page", HOST, "", b"x" * size, "http://a/", most, 100, 60]
        return int(deliver(keys=keys, args=args))

    assert give(1_000) == 1  # one that is larger than all may be goes alone
    assert give(1) == 0
    ids = [entry for entry, _ in link.redis.xrange(keys[1])]
    for _ in range(2):  # said twice, it counts once
        stored(keys=keys[1:3], args=[ids[0], 1_000])
    assert link.redis.get(keys[2]) == b"0"
    assert [give(40), give(40), give(1)] == [1, 1, 0]
    assert give(1, run="6") == -1
    assert link.redis.smembers(keys[3]) == {b"http://a/"}
