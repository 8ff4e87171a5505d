"""`visawatch doctor` finds what is wrong with an engine, and says what to do."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redisserver import RedisServer, answering, serving
from shell import Shell

from crawler import KnownPage, Plan, Target
from monitor.engine import board
from monitor.engine.errors import EngineError
from monitor.engine.wire import Versions
from monitor.engine.worker import Worker
from monitor.engine.writer import Engine, crawling
from visawatch import __version__

PLAN = Plan((Target("program:a", pages=(KnownPage("http://127.0.0.1:1/"),)),))
OURS = Versions(__version__)
THEIRS = Versions("9.9.9")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with serving(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with server.client() as client:
        yield client


def said(shell: Shell, url: str, *, status: str) -> list[tuple[str, str]]:
    """What the doctor says of the engine with this status: what it found, and what to do."""
    lines = shell("doctor", "--json", "--engine", url, status=1).json  # there is no database
    of_it = [line for line in lines if line["check"] == "engine"]
    assert of_it
    return [(line["found"], line["do"]) for line in of_it if line["status"] == status]


def wrong(shell: Shell, url: str) -> tuple[str, str]:
    """The one thing that is wrong."""
    ((found, do),) = said(shell, url, status="wrong")
    assert do
    return found, do


def test_without_an_engine_nothing_is_said_of_one(shell: Shell) -> None:
    lines = shell("doctor", "--json", status=1).json
    assert "engine" not in {line["check"] for line in lines}


def test_an_engine_that_rests_and_one_that_works(shell: Shell, server: RedisServer) -> None:
    shell.settings = {"engine": {"url": server.url}}
    assert said(shell, "", status="wrong") == []
    ((found, do),) = said(shell, server.url, status="note")
    assert found == "no crawl is under way, and no worker waits for one"
    assert "visawatch-worker@1" in do
    worker(server, OURS)
    assert said(shell, server.url, status="note") == []
    with crawling(Engine(server.url, OURS), "v.db", PLAN):
        assert said(shell, server.url, status="wrong") == []
        (_, (found, _)) = said(shell, server.url, status="ok")
        assert "1 hosts to do, 0 of them taken by 0 workers" in found


def test_no_server_and_a_wrong_password(shell: Shell, tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"redis://u:secret@127.0.0.1:{unused.getsockname()[1]}"
        found, do = wrong(shell, url)
    assert "no Redis server answers" in found
    assert "secret" not in found
    assert "no page is fetched" in do
    with serving(tmp_path / "redis", "--requirepass", "opensesame") as server:
        assert "wants another user or password" in wrong(shell, server.url)[0]


def test_a_server_that_is_too_old(shell: Shell) -> None:
    info = b"redis_version:5.0.7\r\naof_enabled:1\r\n"
    with answering(b"$%d\r\n%b\r\n" % (len(info), info)) as url:
        found, do = wrong(shell, url)
    assert "is Redis 5.0.7, which is too old" in found
    assert do == "6.2 is needed."


def test_a_server_that_forgets(shell: Shell, client: redis.Redis, server: RedisServer) -> None:
    client.config_set("appendfsync", "everysec")
    found, do = wrong(shell, server.url)
    assert "(appendfsync everysec)" in found
    assert "`appendfsync always`" in do
    client.config_set("appendonly", "no")
    found, do = wrong(shell, server.url)
    assert "keeps nothing over a restart" in found
    assert "`appendonly yes`" in do
    client.config_set("appendonly", "yes")
    client.config_set("appendfsync", "always")
    client.config_set("maxmemory", "1gb")
    client.config_set("maxmemory-policy", "allkeys-lru")
    found, do = wrong(shell, server.url)
    assert "(maxmemory-policy allkeys-lru)" in found
    assert "`maxmemory-policy noeviction`" in do


def test_a_server_that_is_nearly_full(
    shell: Shell, client: redis.Redis, server: RedisServer
) -> None:
    for number in range(500):
        client.set(f"other:{number}", b"x" * 100_000)
    client.config_set("maxmemory", round(1.05 * client.info()["used_memory"]))
    found, do = wrong(shell, server.url)
    assert "has used 9" in found
    assert "raise `maxmemory`" in do.lower()


def test_workers_of_another_version(shell: Shell, server: RedisServer) -> None:
    worker(server, THEIRS)
    found, do = wrong(shell, server.url)
    assert f"is {THEIRS}, and this is {OURS}: it takes no work" in found
    assert "the same version" in do


def test_a_worker_that_was_refused_is_remembered(shell: Shell, server: RedisServer) -> None:
    engine = Engine(server.url, OURS)
    with crawling(engine, "v.db", PLAN):
        worker(server, OURS)
        with pytest.raises(EngineError, match="install the same version"):
            Worker(Engine(server.url, THEIRS)).serve()
        found, _ = wrong(shell, server.url)
    assert f"is {THEIRS}, and this is {OURS}: it takes no work" in found


def test_a_writer_of_another_version(shell: Shell, server: RedisServer) -> None:
    worker(server, OURS)
    with crawling(Engine(server.url, THEIRS), "v.db", PLAN):
        found, _ = wrong(shell, server.url)
    assert f"v.db is {THEIRS}, and this is {OURS}" in found


def test_a_crawl_without_a_worker(shell: Shell, server: RedisServer) -> None:
    with crawling(Engine(server.url, OURS), "v.db", PLAN):
        found, do = wrong(shell, server.url)
    assert "has 1 hosts to fetch, and no worker" in found
    assert "visawatch-worker@1" in do


def test_a_crawl_whose_writer_has_died(
    shell: Shell, client: redis.Redis, server: RedisServer
) -> None:
    run = {"id": "7", "open": "1", "stop": "0", "writer": "here:v.db", "versions": str(OURS)}
    client.hset(board.RUN, mapping=run)
    client.xadd(board.results("7"), {"kind": "page"})
    found, do = wrong(shell, server.url)
    assert found == "the crawl 7 of here:v.db has lost its writer: 1 pages wait to be stored"
    assert "`visawatch crawl --engine` goes on" in do


def test_hosts_of_a_dead_worker(shell: Shell, client: redis.Redis, server: RedisServer) -> None:
    worker(server, OURS)
    with crawling(Engine(server.url, OURS), "v.db", PLAN):
        work = board.work(str(client.hget(board.RUN, "id")))
        ((_, ((entry, _),)),) = client.xreadgroup(board.GROUP, "7", {work: ">"})
        assert said(shell, server.url, status="wrong") == []
        ((found, _),) = said(shell, server.url, status="note")
        assert found.startswith("worker 7 has died with 1 hosts: others take them")
        client.xclaim(work, board.GROUP, "7", 0, [entry], idle=600_000)
        found, do = wrong(shell, server.url)
        assert "which nobody has taken over for 6" in found
        assert "Restart the workers" in do


def test_a_writer_that_is_behind(shell: Shell, client: redis.Redis, server: RedisServer) -> None:
    worker(server, OURS)
    with crawling(Engine(server.url, OURS), "v.db", PLAN):
        run = str(client.hget(board.RUN, "id"))
        pipe = client.pipeline()
        for _ in range(board.MOST_RESULTS):
            pipe.xadd(board.results(run), {"kind": "page"})
        pipe.execute()
        ((found, do),) = said(shell, server.url, status="note")
    assert "the writer is behind: 1000 pages" in found
    assert "Nothing is lost." in do


def worker(server: RedisServer, versions: Versions) -> None:
    """A worker that lives, as far as one can see from outside."""
    with server.client() as client:
        member = board.member("elsewhere:1", str(versions))
        client.zadd(board.WORKERS, {member: time.time() + 60})
