"""The writer's side: lays a plan out for workers, and yields the pages that they send back.

`crawling` has the shape of `crawler.crawling`. Whatever is killed meanwhile, each known page
comes once; what a search discovers comes once for each target.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from crawler import Agenda, Fetch, Plan, whole
from monitor.engine import board, wire
from monitor.engine.awaited import Awaited, Out
from monitor.engine.errors import EngineError
from monitor.engine.link import Link, connect
from monitor.engine.units import left_of, units
from monitor.engine.wire import Unit, Versions

_BLOCK_MS = 300  # the longest that a look for pages takes
_AT_ONCE = 64  # pages read in one look
_LAID_AT_ONCE = 64  # units
_TOLD_EVERY_SECONDS = 60.0
_STOP_SECONDS = 60.0  # for workers to finish what they have in hand

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Engine:
    """Where the engine is, and how long a lease in it holds."""

    url: str
    versions: Versions
    lease_seconds: float = 15.0


@contextmanager
def crawling(engine: Engine, name: str, plan: Plan | Agenda) -> Iterator[EngineCrawl]:
    """Have workers crawl `plan`; yield the pages as they come. `name` is the database's.

    Raises EngineError.
    """
    link = connect(engine.url)
    try:
        crawl = EngineCrawl(link, engine, f"{socket.gethostname()}:{name}", whole(plan))
        link.gives_up = lambda: crawl.stopping
        with crawl.laid_out():
            yield crawl
    finally:
        link.close()


@dataclass(slots=True)
class _Reading:
    """How far results were read, and which of them are not stored yet."""

    last: bytes = b"0"
    waiting: deque[tuple[bytes, dict[bytes, bytes]]] = field(default_factory=deque)
    taken: list[bytes | int] = field(default_factory=list)  # ids and sizes, in turn
    finished: list[Out] = field(default_factory=list)


class EngineCrawl:
    """The pages of a crawl by workers, in the order in which they arrive."""

    def __init__(self, link: Link, engine: Engine, name: str, plan: Plan) -> None:
        self._link, self._engine, self._name, self._plan = link, engine, name, plan
        self._run, self._token = "", ""
        self._awaited = Awaited(plan)
        self._reading = _Reading()
        self._stored = link.script(board.STORED)
        self._stopping_since: float | None = None
        self._stop_told = False
        self._lost = threading.Event()
        self._over = threading.Event()
        self._heard = self._told = time.monotonic()

    @property
    def stopping(self) -> bool:
        """Whether the crawl was asked to end."""
        return self._stopping_since is not None

    def stop(self) -> None:
        """Ask the crawl to end: what workers have in hand is finished and yielded.

        May be called from a signal handler, and more than once.
        """
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()

    @contextmanager
    def laid_out(self) -> Iterator[None]:
        """While inside, the work is there for workers, and this writer's lease is kept."""
        self._begin()
        beat = threading.Thread(target=self._beat, daemon=True)
        beat.start()
        try:
            yield
        finally:
            self._over.set()
            beat.join()
            self._end()

    def __iter__(self) -> Iterator[Fetch | None]:
        """Yield each page; None when none has come for a moment, a good one to store others.

        Raises EngineError when the engine is of no use any more, or is another writer's.
        """
        while self._awaited.out and not self._has_stopped():
            if self._lost.is_set():
                raise EngineError(
                    f"{self._link.shown}: another writer has taken the engine over; "
                    "what was stored is kept, and the next run goes on from here"
                )
            if not self._reading.waiting and not self._read():
                self._look_after()
                yield None
                continue
            entry, fields = self._reading.waiting.popleft()
            fetches, ended = self._awaited.taken(fields)
            if ended is not None:
                self._finished(ended)
            self._reading.taken += [entry, int(fields[b"size"])]
            yield from fetches

    def stored(self) -> None:
        """What was yielded so far is in the database: the engine need not keep it."""
        reading = self._reading
        if taken := reading.taken:
            keys = [board.results(self._run), board.size(self._run)]
            self._link.do(lambda redis: self._stored(keys=keys, args=taken))
            reading.taken = []
        if finished := reading.finished:
            self._link.do(lambda redis: self._acknowledge(redis, finished))
            reading.finished = []

    def _acknowledge(self, redis: Any, finished: list[Out]) -> None:
        work, ids = board.work(self._run), [out.entry for out in finished]
        pipe = redis.pipeline()
        pipe.xack(work, board.GROUP, *ids)
        pipe.xdel(work, *ids)
        pipe.delete(*(board.seen(self._run, out.unit.host) for out in finished))
        pipe.execute()

    # The pages that come.

    def _read(self) -> bool:
        """Look for pages, for a moment; whether there are any."""
        stream, reading = board.results(self._run), self._reading
        found = self._link.do(
            lambda redis: redis.xread({stream: reading.last}, count=_AT_ONCE, block=_BLOCK_MS)
        )
        for _, entries in found or ():
            reading.waiting.extend(entries)
            reading.last = entries[-1][0]
            self._heard = time.monotonic()
        return bool(reading.waiting)

    def _finished(self, out: Out) -> None:
        if not out.awaited:
            self._reading.finished.append(self._awaited.out.pop(out.unit.host))
            return
        log.warning("%d pages of %s have not come: once more", len(out.awaited), out.unit.host)
        self._link.do(lambda redis: self._acknowledge(redis, [out]))
        self._lay([left_of(out.unit, out.unit.urls - out.awaited)])

    # The run.

    def _begin(self) -> None:
        self._token = str(self._link.do(lambda redis: redis.incr(board.TOKENS)))
        self._take_lease()
        self._run = str(self._link.do(lambda redis: redis.incr(board.RUNS)))
        old = self._link.do(lambda redis: redis.hget(board.RUN, "id"))
        self._link.do(lambda redis: self._make_group(redis))
        self._lay(units(self._plan))
        versions = self._engine.versions
        run = {
            "id": self._run,
            "open": "1",
            "stop": "0",
            "writer": self._name,
            "versions": str(versions),
            "limits": wire.dump(self._plan.limits),
        }
        self._link.do(lambda redis: redis.hset(board.RUN, mapping=run))
        if old is not None:
            self._link.do(lambda redis: redis.delete(*board.streams(old.decode())))

    def _make_group(self, redis: Any) -> None:
        work = board.work(self._run)
        if not redis.exists(work):
            redis.xgroup_create(work, board.GROUP, id="0", mkstream=True)

    def _lay(self, laid: list[Unit]) -> None:
        """Put units into the stream, many at a time: each time Redis waits for its disk."""
        for start in range(0, len(laid), _LAID_AT_ONCE):
            some = laid[start : start + _LAID_AT_ONCE]
            for unit, entry in zip(some, self._link.do(partial(self._add, some)), strict=True):
                self._awaited.lay(unit, entry)

    def _add(self, laid: list[Unit], redis: Any) -> list[bytes]:
        pipe = redis.pipeline()
        for unit in laid:
            pipe.xadd(board.work(self._run), {"host": unit.host, "unit": wire.dump(unit)})
        entries: list[bytes] = pipe.execute()
        return entries

    def _take_lease(self) -> None:
        """Take the writer's lease; one of a writer on another machine may have to run out."""
        write = self._link.script(board.WRITE)
        lease = self._engine.lease_seconds
        args = [self._token, self._name, round(1000 * lease)]
        until = time.monotonic() + lease + 1
        while (holder := self._link.do(lambda redis: write(keys=[board.WRITER], args=args))) != 1:
            if time.monotonic() > until or self.stopping:
                raise EngineError(
                    f"{self._link.shown} is used by another writer, {holder.decode()}: wait until "
                    "its cycle is done, or give each database a Redis database of its own"
                )
            time.sleep(0.2)

    def _beat(self) -> None:
        """Keep the writer's lease, and see whether another writer has begun."""
        still = self._link.script(board.STILL_WRITE)
        lease = self._engine.lease_seconds
        args = [self._token, self._run, round(1000 * lease), self._name]
        keys = [board.WRITER, board.RUN]
        while not self._over.wait(lease / 4):
            try:
                if not self._link.do(lambda redis: still(keys=keys, args=args)):
                    self._lost.set()
                    return
            except EngineError as error:
                log.warning("%s", error)  # the main thread meets the same, and says it
                return

    def _end(self) -> None:
        """Leave nothing behind but the pace of hosts. Workers see that the run is over."""
        if self._lost.is_set():
            return
        keys = [*board.streams(self._run), board.WRITER]
        keys += [board.seen(self._run, host) for host in self._awaited.out]

        def end(redis: Any) -> None:
            redis.hset(board.RUN, "open", "0")
            redis.delete(*keys)

        try:
            self._link.do(end)
        except EngineError as error:
            log.warning("the run stays open in the engine, until the next one: %s", error)

    def _has_stopped(self) -> bool:
        """Whether all is done that was in hand when the crawl was asked to end."""
        if self._stopping_since is None:
            return False
        if not self._stop_told:
            self._stop_told = True
            self._link.do(lambda redis: redis.hset(board.RUN, "stop", "1"))
        if self._reading.waiting:
            return False
        if time.monotonic() - self._stopping_since > _STOP_SECONDS:
            return True
        return not self._link.do(self._at_work) and not self._read()

    def _at_work(self, redis: Any) -> int:
        """How many workers have begun, and live."""
        tokens = redis.smembers(board.at_work(self._run))
        return redis.exists(*(board.WORKER + token.decode() for token in tokens)) if tokens else 0

    def _look_after(self) -> None:
        """Nothing has come for a moment: see that nothing is lost, and that somebody works."""
        now = time.monotonic()
        quiet = now - max(self._heard, self._told)
        if quiet < max(5.0, 2 * self._engine.lease_seconds):
            return
        self._told = now
        there = self._link.do(lambda redis: redis.xrange(board.work(self._run)))
        entries = {entry for entry, _ in there}
        if lost := [out for out in self._awaited.out.values() if out.entry not in entries]:
            log.warning("%d units of work are not in the engine any more: once more", len(lost))
            seen = [board.seen(self._run, out.unit.host) for out in lost]
            self._link.do(lambda redis: redis.delete(*seen))
            self._link.do(self._make_group)
            self._lay([left_of(out.unit, out.unit.urls - out.awaited) for out in lost])
        if not self._link.do(lambda redis: redis.zcount(board.WORKERS, time.time(), "+inf")):
            log.warning(
                "no worker is there for %d hosts: `visawatch worker --engine` starts one",
                len(self._awaited.out),
            )
