"""What a worker does for one run: fetches, reads and delivers, as long as its lease holds.

One thread takes what the crawl's process brings, reads it and delivers it; another keeps the
leases, takes new work, and tells the process how long its leases hold.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from crawler import CrawlError, Errands, Fetch, Health, Limits
from crawler.wire import Came, Finished, Left, Lent, Paced, Stop, Until, Wanted, Work
from monitor.engine import board, wire
from monitor.engine.errors import EngineError, RunOver
from monitor.engine.hosts import Hosts, Lapsed
from monitor.engine.link import Link
from monitor.engine.units import left_of
from monitor.reads import read

if TYPE_CHECKING:
    from monitor.engine.worker import Worker

MOST_HOSTS = 256  # that one worker has at a time
MOST_TRIES = 8  # workers that may die over a host before it is given up
SAFE = 0.7  # of a lease: after it the crawl's process asks nothing any more
_LOOK_SECONDS = 0.1  # between two looks for work, and for the end
_FULL_SECONDS = 0.02  # until a writer that is behind is asked again
# What a search may follow from: a worker that takes over has to see it for itself.
_SEEN_AGAIN = frozenset({Health.GONE, Health.SOFT_404})

log = logging.getLogger(__name__)


class Turn:
    """What a worker does for one run, under one token."""

    def __init__(
        self, worker: Worker, link: Link, run: str, token: str, crawl: Errands, limits: Limits
    ) -> None:
        self._worker, self._link, self._run, self._token = worker, link, run, token
        self._crawl = crawl
        self._lease = worker.engine.lease_seconds
        self._hosts = Hosts(link, token, limits.delay_seconds)
        self._units: dict[str, bytes] = {}  # by host, the unit's entry in the stream
        self._done: set[bytes] = set()  # entries that the writer has not stored yet
        self._cursor: bytes | str = "0-0"  # of the look for units of the dead
        self._lock = threading.Lock()  # of hosts and units
        self._deliver_script = link.script(board.DELIVER)
        self._over = threading.Event()
        self._ends: str | None = None  # why the crawl's process was ended, if it was
        self._fault: BaseException | None = None  # of the thread that keeps the leases
        self._stopped = False

    def run(self) -> None:
        """Work until the run is over, this worker is drained, or its lease has run out."""
        self._link.do(lambda redis: redis.sadd(board.at_work(self._run), self._token))
        beat = threading.Thread(target=self._beat, daemon=True)
        beat.start()
        try:
            while (message := self._crawl.receive()) is not None:
                self._take(message)
        except (CrawlError, Lapsed) as error:
            if self._ends is None:
                log.warning("begins anew: %s", str(error) or "its lease ran out")
        finally:
            self._over.set()
            beat.join()
            self._crawl.kill()
        if self._fault is not None:
            raise self._fault
        self._leave()

    # What the crawl's process says.

    def _take(self, message: object) -> None:
        match message:
            case Came(host, fetch):
                self._deliver_page(host, fetch)
            case Finished(host):
                self._deliver(b"finished", host, b"", b"", "")
                with self._lock:
                    self._done.add(self._units.pop(host))
            case Wanted(host):
                with self._lock:
                    wait = self._hosts.want(host)
                if wait is not None:
                    self._crawl.tell(Lent(host, wait))
            case Left(host, wait):
                with self._lock:
                    self._hosts.leave(host, wait)
            case Paced(host, delay, wait):
                self._hosts.pace(host, delay, wait)

    def _deliver_page(self, host: str, fetch: Fetch) -> None:
        head, body = wire.dump_page(read(fetch))
        seen = not fetch.discovered and fetch.health not in _SEEN_AGAIN
        self._deliver(b"page", host, head, body, fetch.url if seen else "")

    def _deliver(self, kind: bytes, host: str, head: bytes, body: bytes, seen: str) -> None:
        """Hand something to the writer; wait as long as it is behind."""
        while not self._delivered(kind, host, head, body, seen):
            if self._over.wait(_FULL_SECONDS) or self._ends is not None:
                return

    def _delivered(self, kind: bytes, host: str, head: bytes, body: bytes, seen: str) -> bool:
        """Hand something to the writer, unless it is behind."""
        run = self._run
        keys = [board.RUN, board.results(run), board.size(run), board.seen(run, host)]
        bounds = (board.MOST_RESULTS, board.MOST_BYTES, board.SEEN_KEPT_SECONDS)
        args = [run, kind, host, head, body, seen, *bounds]
        return bool(self._link.do(lambda _: self._deliver_script(keys=keys, args=args)))

    # Leases, work, and the end.

    def _beat(self) -> None:
        try:
            renewed = 0.0
            while not self._over.wait(_LOOK_SECONDS):
                if time.monotonic() - renewed > self._lease / 5:
                    renewed = time.monotonic()
                    self._renew(renewed)
                if why := self._is_over():
                    self._end(why)
                    return
                if not self._stopped:
                    with suppress(RunOver):
                        self._look_for_work()
                with self._lock:
                    for host, wait in self._hosts.again():
                        self._crawl.tell(Lent(host, wait))
        except Lapsed:
            self._end("its lease ran out")
        except BaseException as error:  # noqa: BLE001  # the main thread raises it
            self._fault = error
            self._end(str(error))

    def _renew(self, now: float) -> None:
        """Keep the leases: this worker's, by which it has its hosts, and those of its units."""
        key = board.WORKER + self._token
        name, lease = self._worker.name, ms(self._lease)
        if not self._link.do(lambda redis: redis.set(key, name, px=lease, xx=True)):
            raise Lapsed
        self._crawl.tell(Until(now + SAFE * self._lease))
        self._worker.show(self._link)
        with self._lock:
            done, ids = set(self._done), [*self._units.values(), *self._done]
        if ids:
            with suppress(RunOver):
                kept = self._link.do(lambda redis: self._claim(redis, ids))
                self._done -= done - set(kept)  # the writer has them

    def _claim(self, redis: Any, ids: list[bytes]) -> list[bytes]:
        """Keep units from being taken for a dead worker's; gives those that are left."""
        work = board.work(self._run)
        kept: list[bytes] = redis.xclaim(work, board.GROUP, self._token, 0, ids, justid=True)
        return kept

    def _is_over(self) -> str:
        """Why nothing more is wanted, if so; asks the crawl to stop when that is wanted."""
        run = self._link.do(lambda redis: redis.hgetall(board.RUN))
        if not under_way(run) or run[b"id"].decode() != self._run:
            return "the run is over"
        stop = run[b"stop"] == b"1" or self._worker.draining
        if stop and not self._stopped:
            self._stopped = True
            self._crawl.tell(Stop())
        return ""

    def _look_for_work(self) -> None:
        room = self._share() - len(self._units)
        if room <= 0:
            return
        for entry, fields, tries in self._link.do(lambda redis: self._units_for(redis, room)):
            unit = wire.unit(fields[b"unit"])
            if tries > MOST_TRIES:
                # When the writer is behind, it is given up by whoever takes it next.
                self._delivered(b"given up", unit.host, str(tries - 1).encode(), b"", "")
                continue
            seen = self._link.do(partial(self._seen, unit.host))
            left = left_of(unit, seen)
            with self._lock:
                self._units[unit.host] = entry
            self._crawl.tell(Work(unit.host, left.targets))

    def _seen(self, host: str, redis: Any) -> set[str]:
        """The pages of a unit that its worker had delivered before it died."""
        return {url.decode() for url in redis.smembers(board.seen(self._run, host))}

    def _share(self) -> int:
        """How many units this worker may have: as many as each that lives."""
        units, workers = self._link.do(self._counted)
        return min(MOST_HOSTS, -(-units // max(1, workers)))

    def _counted(self, redis: Any) -> tuple[int, int]:
        pipe = redis.pipeline()
        pipe.xlen(board.work(self._run))
        pipe.zcount(board.WORKERS, time.time(), "+inf")
        units, workers = pipe.execute()
        return units, workers

    def _units_for(self, redis: Any, most: int) -> list[tuple[bytes, dict[bytes, bytes], int]]:
        """Units that nobody has, or whose worker has died; and how many have taken each."""
        work = board.work(self._run)
        idle = ms(self._lease)
        self._cursor, claimed, *_ = redis.xautoclaim(
            work, board.GROUP, self._token, idle, self._cursor, count=most
        )
        found = []
        for entry, fields in claimed:
            pending = redis.xpending_range(work, board.GROUP, entry, entry, 1)
            if fields and pending:
                found.append((entry, fields, pending[0]["times_delivered"]))
        if len(found) < most:
            new = redis.xreadgroup(board.GROUP, self._token, {work: ">"}, most - len(found))
            found += [(entry, fields, 1) for _, stream in new or () for entry, fields in stream]
        return found

    def _end(self, why: str) -> None:
        """End the crawl's process at once: nothing that it has is wanted, or its own any more."""
        self._ends = why
        log.info("ends its crawl: %s", why)
        self._crawl.kill()

    def _leave(self) -> None:
        """Give back what it has, for others to take at once."""

        work, ids = board.work(self._run), list(self._units.values())
        long_ago = 10 * ms(self._lease)  # as if they had waited for a lease already

        def leave(redis: Any) -> None:
            pipe = redis.pipeline()
            pipe.srem(board.at_work(self._run), self._token)
            pipe.delete(board.WORKER + self._token)
            pipe.execute()
            if ids:
                redis.xclaim(work, board.GROUP, self._token, 0, ids, idle=long_ago, justid=True)

        try:
            self._hosts.leave_all()
            self._link.do(leave)
        except RunOver:
            pass  # nobody wants it any more
        except EngineError as error:
            log.warning("what it had is free when its lease runs out: %s", error)


def under_way(run: dict[bytes, bytes]) -> bool:
    """Whether what stands under `board.RUN` is a run that is not over."""
    return run.get(b"open") == b"1"


def ms(seconds: float) -> int:
    """Seconds as Redis takes them."""
    return round(1000 * seconds)
