"""What is wrong with an engine is said by name, with the way out."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from redisserver import RedisServer, answering, serving
from shell import ROOT, Shell

from crawler import KnownPage, Plan, Target
from monitor.engine import wire
from monitor.engine.errors import EngineError
from monitor.engine.link import connect
from monitor.engine.wire import Versions
from monitor.engine.writer import Engine, crawling


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with serving(tmp_path / "redis") as server:
        yield server


def refusal(shell: Shell, *command: str, env: dict[str, str] | None = None) -> str:
    return shell(*command, status=1, env=env).err


@pytest.mark.parametrize("command", [["crawl"], ["worker"]])
def test_no_server_is_a_clear_error(shell: Shell, command: list[str]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"redis://u:secret@127.0.0.1:{unused.getsockname()[1]}/3"
        said = refusal(shell, *command, "--engine", url)
    assert f"no Redis server answers at {url.replace('u:secret@', '')}" in said
    assert "Connection refused" in said
    assert "start one, or correct the address" in said


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1", "127.0.0.1:6379", "redis://u:secret@127.0.0.1:port"]
)
def test_a_wrong_address_is_told_from_a_silent_server(shell: Shell, url: str) -> None:
    said = refusal(shell, "worker", "--engine", url)
    assert "is no address of an engine" in said
    assert "write redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]" in said
    assert "secret" not in said


def test_a_worker_without_an_address_says_how_to_give_one(shell: Shell) -> None:
    assert "--engine redis://HOST" in shell("worker", status=2).err


def test_without_the_client_it_is_said_how_to_install_it(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "redis.py").write_text("raise ImportError")
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    said = shell.process(
        *("crawl", "--engine", "redis://127.0.0.1"), status=1, env={"PYTHONPATH": paths}
    ).err
    assert "`pip install 'visawatch[engine]'` installs it" in said


def test_passwords_come_from_the_environment_and_wrong_ones_are_named(
    shell: Shell, tmp_path: Path
) -> None:
    with serving(tmp_path / "redis", "--requirepass", "opensesame") as server:
        said = refusal(shell, "crawl", "--engine", server.url)
        assert "wants another user or password" in said
        assert "VISAWATCH_ENGINE__URL" in said
        url = server.url.replace("://", "://:opensesame@")
        # It gets in: no program is watched, so that no worker is needed.
        said_in = shell("crawl", "--json", env={"VISAWATCH_ENGINE__URL": url})
        assert said_in.json[-1]["programs"] == 0
        connect(url).close()


def test_an_old_server_is_refused_by_its_version() -> None:
    info = b"redis_version:5.0.7\r\n"
    with (
        answering(b"$%d\r\n%b\r\n" % (len(info), info)) as url,
        pytest.raises(EngineError, match=r"is Redis 5\.0\.7, which is too old: 6\.2 is needed"),
    ):
        connect(url)


def test_something_else_than_redis_is_said_so() -> None:
    page = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with answering(page) as url, pytest.raises(EngineError, match="no Redis server answers at"):
        connect(url)


def test_a_server_that_forgets_is_refused(tmp_path: Path) -> None:
    options = ("--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
    with serving(tmp_path / "redis", *options) as server:
        with pytest.raises(EngineError, match="maxmemory-policy noeviction"):
            connect(server.url)
        with server.client() as client:
            client.config_set("maxmemory-policy", "noeviction")
        connect(server.url).close()


def test_a_server_that_keeps_nothing_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tmp_path / "redis", "--appendonly", "no") as server:
        connect(server.url).close()
    assert "keeps nothing over a restart" in caplog.text
    assert "`appendfsync always`" in caplog.text


def test_a_full_server_is_waited_for(server: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    link = connect(server.url)
    with server.client() as client:
        client.config_set("maxmemory", 1)
        threading.Timer(0.5, client.config_set, ("maxmemory", 0)).start()
        assert link.do(lambda redis: redis.incr("visawatch:tokens")) == 1
    assert "waiting for it: its memory is full" in caplog.text
    link.close()


def test_a_server_that_is_killed_is_waited_for(server: RedisServer) -> None:
    link = connect(server.url)
    server.kill()
    starting = threading.Timer(0.3, server.start)
    starting.start()
    assert link.do(lambda redis: redis.incr("visawatch:tokens")) == 1
    starting.join()
    link.patience = 0.2
    server.kill()
    with pytest.raises(EngineError, match=r"does not answer: .*refused"):
        link.do(lambda redis: redis.incr("visawatch:tokens"))
    server.start()
    link.close()


PLAN = Plan((Target("program:a", pages=(KnownPage("http://127.0.0.1:1/"),)),))


def test_two_databases_on_one_engine_are_refused(server: RedisServer) -> None:
    engine = Engine(server.url, Versions("0.1.0"), lease_seconds=0.5)
    with crawling(engine, "/one.db", PLAN):
        with (
            pytest.raises(EngineError, match=r"is used by another writer, .*:/one\.db"),
            crawling(engine, "/two.db", PLAN),
        ):
            pass
        # The same database has a lease of its own: its writer before this one has died.
        with crawling(engine, "/one.db", PLAN):
            pass


def test_a_writer_that_was_taken_for_dead_stops(server: RedisServer) -> None:
    engine = Engine(server.url, Versions("0.1.0"), lease_seconds=2)
    with (
        crawling(engine, "/one.db", PLAN) as first,
        crawling(engine, "/one.db", PLAN),
        pytest.raises(EngineError, match="another writer has taken the engine over"),
    ):
        list(first)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"\xff", b'{"host": 1, "targets": []}', b'{"host": "a"}']
)
def test_what_is_no_unit_is_refused(data: bytes) -> None:
    with pytest.raises(EngineError, match="not a unit of work of this version"):
        wire.unit(data)


def test_a_page_whose_bytes_were_changed_is_refused() -> None:
    from crawler import Fetch, Health
    from monitor.reads import read

    url = "http://larkspur.example/visas"
    page = read(
        Fetch((), url, url, Health.OK, body=b"<p>We sponsor J-1 visas.</p>", title="\ud800")
    )
    head, body = wire.dump_page(page)
    assert wire.page(head, body) == page
    other = wire.dump_page(read(Fetch((), url, url, Health.OK, body=b"<p>None.</p>")))[1]
    for wrong in (other, body[:-3], b""):
        with pytest.raises(EngineError, match="not a page"):
            wire.page(head, wrong)
