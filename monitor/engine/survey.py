"""How an engine stands, seen from outside: its server, the run under way, and who works."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from monitor.engine import board
from monitor.engine.errors import EngineError
from monitor.engine.link import Link, reach
from monitor.engine.server import Server, faults
from monitor.engine.turn import under_way

_MOST = 10_000  # units that are looked at


@dataclass(frozen=True, slots=True)
class Holder:
    """A worker that has taken units of the run under way, and has kept silent for so long."""

    token: str
    units: int
    idle_seconds: float
    alive: bool


@dataclass(frozen=True, slots=True)
class Run:
    """The run under way; `units` are hosts that are not done, `results` pages to be stored."""

    number: str
    writer: str
    writer_alive: bool
    versions: str
    units: int
    taken: int
    holders: tuple[Holder, ...]
    results: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Survey:
    """An engine. `workers` that live and `refused` ones, of late, are names with versions."""

    shown: str  # the address, without a password
    server: Server
    run: Run | None
    workers: tuple[tuple[str, str], ...]
    refused: tuple[tuple[str, str], ...]


def survey(url: str) -> Survey:
    """Look at the engine at `url`; nothing is changed in it. Raises EngineError.

    Of a server that nobody can work with, nothing else is asked.
    """
    link, server = reach(url, gives_up=lambda: True)
    try:
        if any(fault.fatal for fault in faults(server)):
            return Survey(link.shown, server, None, (), ())
        run = link.do(lambda redis: redis.hgetall(board.RUN))
        return Survey(
            link.shown,
            replace(server, fsync=_fsync(link)),
            _run(link, run) if under_way(run) else None,
            link.do(_listed(board.WORKERS)),
            link.do(_listed(board.REFUSED)),
        )
    finally:
        link.close()


def _fsync(link: Link) -> str:
    """When the server writes what it was told to its disk; "" if it does not say."""
    try:
        said = link.do(lambda redis: redis.config_get("appendfsync"))
    except EngineError:  # not everybody may ask
        return ""
    return str(said.get("appendfsync", ""))


def _run(link: Link, run: dict[bytes, bytes]) -> Run:
    number = run[b"id"].decode()
    work = board.work(number)

    def counts(redis: Any) -> tuple[int, int, int, bytes | None]:
        pipe = redis.pipeline(transaction=False)
        pipe.exists(board.WRITER)
        pipe.xlen(work)
        pipe.xlen(board.results(number))
        pipe.get(board.size(number))
        alive, units, results, size = pipe.execute()
        return alive, units, results, size

    def taken(redis: Any) -> list[dict[str, Any]]:
        if not redis.exists(work):
            return []
        found: list[dict[str, Any]] = redis.xpending_range(work, board.GROUP, "-", "+", _MOST)
        return found

    alive, units, results, size = link.do(counts)
    found = link.do(taken)
    idle: dict[str, list[float]] = defaultdict(list)
    for one in found:
        idle[one["consumer"].decode()].append(one["time_since_delivered"] / 1000)
    holders = tuple(
        Holder(token, len(times), max(times), _lives(link, token)) for token, times in idle.items()
    )
    return Run(
        number,
        run[b"writer"].decode(),
        bool(alive),
        run[b"versions"].decode(),
        units,
        len(found),
        holders,
        results,
        int(size or 0),
    )


def _lives(link: Link, token: str) -> bool:
    return bool(link.do(lambda redis: redis.exists(board.WORKER + token)))


def _listed(key: str) -> Callable[[Any], tuple[tuple[str, str], ...]]:
    def listed(redis: Any) -> tuple[tuple[str, str], ...]:
        members = redis.zrangebyscore(key, time.time(), "+inf")
        return tuple(board.named(member) for member in members)

    return listed
