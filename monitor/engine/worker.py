"""A worker: takes hosts from the engine, fetches and reads their pages, and sends them back.

What a worker that was killed had taken is another's as soon as its lease has run out; what it had
delivered is kept.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from dataclasses import dataclass, field, replace
from typing import Any

from crawler import Limits, RenderLimits, Standby, errands, standing_by
from extractors.rulebook import rulebook
from monitor.engine import board, wire
from monitor.engine.errors import EngineError
from monitor.engine.link import Link, connect
from monitor.engine.turn import SAFE, Turn, ms, under_way
from monitor.engine.writer import Engine

_IDLE_SECONDS = 0.2  # between two looks for a run

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Worker:
    """A worker of one engine.

    `allow_hosts` are the private hosts that it may fetch from; `render` says with which browser
    it shows pages, and in how much memory.
    """

    engine: Engine
    allow_hosts: tuple[str, ...] = ()
    render: RenderLimits = field(default_factory=RenderLimits)
    # Not an Event, which a signal may not set while this thread begins to wait for it.
    draining: bool = False

    def drain(self) -> None:
        """Finish what is in hand, give the rest back, and end. May be called by a signal."""
        self.draining = True

    def serve(self) -> None:
        """Work for one run after the other, until drained. Raises EngineError."""
        rulebook()
        link = connect(self.engine.url, gives_up=lambda: self.draining)
        try:
            log.info("waits for work at %s", link.shown)
            while not self.draining:
                # A process has loaded all that it needs before there is something to crawl.
                with standing_by() as standby:
                    if run := self._next_run(link):
                        self._check_versions(link, run)
                        self._work(link, run, standby)
            link.do(lambda redis: redis.zrem(board.WORKERS, self._member))
        finally:
            link.close()

    def _next_run(self, link: Link) -> dict[bytes, bytes] | None:
        """Wait for a run; None when drained."""
        while not self.draining:
            time.sleep(_IDLE_SECONDS)
            self.show(link)
            run: dict[bytes, bytes] = link.do(lambda redis: redis.hgetall(board.RUN))
            if under_way(run):
                return run
        return None

    def _work(self, link: Link, run: dict[bytes, bytes], standby: Standby) -> None:
        limits = self._own(wire.limits(run[b"limits"]))
        lease = self.engine.lease_seconds
        token = str(link.do(lambda redis: redis.incr(board.TOKENS)))
        began = time.monotonic()
        link.do(lambda redis: redis.set(board.WORKER + token, self.name, px=ms(lease)))
        with errands(limits, began + SAFE * lease, standby=standby) as crawl:
            turn = Turn(self, link, run[b"id"].decode(), token, crawl, limits)
            turn.run()

    def _check_versions(self, link: Link, run: dict[bytes, bytes]) -> None:
        ours, theirs = str(self.engine.versions), run[b"versions"].decode()
        if ours != theirs:
            link.do(self._refused)
            raise EngineError(
                f"the writer {run[b'writer'].decode()} is {theirs}, and this worker is {ours}: "
                "install the same version on both; this worker has taken no work"
            )

    def _own(self, limits: Limits) -> Limits:
        """The writer's limits, but for what each machine says itself.

        That is what may be asked from it, and what may be run on it: who can write to Redis must
        not choose that.
        """
        own = self.render
        render = replace(
            limits.render, browser=own.browser, sandbox=own.sandbox, megabytes=own.megabytes
        )
        return replace(limits, allow_hosts=self.allow_hosts, render=render)

    def _refused(self, redis: Any) -> None:
        """Be listed as one that cannot work, and not among those that share the work."""
        pipe = redis.pipeline()
        pipe.zrem(board.WORKERS, self._member)
        pipe.zadd(board.REFUSED, {self._member: time.time() + board.REFUSED_KEPT_SECONDS})
        pipe.expire(board.REFUSED, board.REFUSED_KEPT_SECONDS)
        pipe.execute()

    @property
    def name(self) -> str:
        return f"{socket.gethostname()}:{os.getpid()}"

    @property
    def _member(self) -> str:
        return board.member(self.name, str(self.engine.versions))

    def show(self, link: Link) -> None:
        """Be counted among those who live."""
        now = time.time()
        stale = now + 2 * self.engine.lease_seconds

        def show(redis: Any) -> None:
            pipe = redis.pipeline()
            pipe.zadd(board.WORKERS, {self._member: stale})
            pipe.zremrangebyscore(board.WORKERS, "-inf", now)
            pipe.execute()

        link.do(show)
