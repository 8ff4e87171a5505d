"""The queue of requests: hosts side by side, each at its own pace, robots.txt first.

Scrapy's scheduler knows no hosts: with one request a second per host, its queue fills the
downloader with requests that wait for the same host while others idle. This one hands out a
request only when its host may be asked now, so that every request in the downloader is at
work, and 2,000 hosts with a delay of 1 s advance together. Where other machines ask the same
hosts, a host is borrowed first (crawler.lending).

A host's delay runs from the moment at which its server begins to answer, as only then is it
sure that the request has come: counted from when it was sent, one that takes long to connect, or
that waits until the server has time for it, is noted there when the next one nearly is.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Any

from scrapy import Request, signals
from scrapy.core.downloader import Downloader
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.defer import Deferred

from crawler.lending import LINGER_SECONDS, Lender, lapsed
from crawler.refusal import Refused
from crawler.robots import Robots
from crawler.values import Health

_NOTHING = Request("data:,")  # never asked for
_FEWEST = 16  # requests under way, however slowly pages are taken
_ONE_MORE_SECONDS = 0.01  # until there may be one more, when none waits to be taken
_LOOK_AGAIN_SECONDS = 0.1  # until the engine is told that there may be more
_SHORTEST_TIMER = 0.001  # seconds: the resolution of uvloop's timers


@dataclass(slots=True)
class _Host:
    """What is waiting for one host, and when it may be asked next."""

    name: str
    waiting: list[tuple[int, int, Request]] = field(default_factory=list)
    in_hand: int = 0
    free_at: float = 0.0
    granted: float = 0.0  # what the last grant set `free_at` to
    asked_at: float = 0.0  # when the last request was handed out
    heard_at: float = 0.0  # when the last answer began
    delay: float = 0.0
    listed: bool = False  # in the frontier's `_ready`
    awaits_robots: bool = False  # nothing else may be asked before its robots.txt was read
    timer: asyncio.TimerHandle | None = None
    refused: Refused | None = None  # why nothing is asked of it until `refused_until`
    refused_until: float = 0.0
    wanted: bool = False  # its lender was asked for it
    lent: bool = False
    done_at: float = 0.0  # when the last request came back
    leaving: asyncio.TimerHandle | None = None


class Frontier(BaseScheduler):
    """A Scrapy scheduler that keeps each host's pace and fetches its robots.txt first.

    Higher `Request.priority` goes first within a host. Requests are not filtered for
    duplicates: the spider knows which pages it has asked for.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._delay = settings.getfloat("DOWNLOAD_DELAY")
        self._per_host = settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        self._hosts: dict[str, _Host] = {}
        self._ready: deque[_Host] = deque()
        self._waiting = 0  # requests in all hosts' heaps
        self._order = count()
        self._stopped = False
        self._lender: Lender | None = None
        self._longest_wait = settings.getfloat("RETRY_AFTER_SECONDS")
        self._beside = 0  # things under way that may lead to requests
        self.robots = Robots(
            settings["ROBOTSTXT_USER_AGENT"],
            settings["USER_AGENT"],
            settings.getfloat("DOWNLOAD_TIMEOUT"),
            on_known=self._robots_known,
        )
        crawler.signals.connect(self._heard, signals.headers_received)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Frontier:
        """Build it from the settings of politeness."""
        return cls(crawler)

    def borrow_from(self, lender: Lender) -> None:
        """From now on, ask only hosts that were lent."""
        self._lender = lender

    def lend(self, name: str, wait: float) -> None:
        """A host was lent: it may be asked after `wait` seconds."""
        host = self._hosts[name]
        host.lent, host.wanted = True, False
        if wait <= self._longest_wait:
            host.free_at = max(host.free_at, monotonic() + wait)
        elif host.refused is None:
            detail = f"{name} asked another worker to be left alone for {wait:.0f} seconds more"
            self._leave_alone(host, Refused(Health.RATE_LIMITED, detail), wait)
        self._go_on(host)
        self._leave_when_idle(host)

    def has_pending_requests(self) -> bool:
        """Whether requests wait for their host, or may come from what is kept open."""
        return self._waiting > 0 or self._beside > 0

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """While inside, the crawl does not end although nothing is asked for."""
        self._beside += 1
        try:
            yield
        finally:
            self._beside -= 1
            self.wake()

    def wake(self) -> None:
        """Have the engine look whether there is something to be asked for."""
        if not self._stopped:
            # Handing a request in, though it be refused, is the public way to wake the engine.
            self._crawler.engine.crawl(_NOTHING)

    def enqueue_request(self, request: Request) -> bool:
        """Take a request; refuse it (False) once the crawl is being stopped."""
        if self._stopped or request is _NOTHING:
            return False
        host = self._host(request)
        self._push(host, request)
        self._schedule(host)
        return True

    def next_request(self) -> Request | None:
        """Return a request whose host may be asked now, or None."""
        while self._ready and not (self._lender and lapsed(self._lender)):
            host = self._ready.popleft()
            host.listed = False
            now = monotonic()
            if not self._may_be_asked(host) or host.free_at > now:
                self._schedule(host)
                continue
            request = self.robots.first(host.waiting[0][2])
            if request is not None:
                host.awaits_robots = True
            else:
                request = heapq.heappop(host.waiting)[2]
                self._waiting -= 1
            host.in_hand += 1
            host.asked_at = now
            host.free_at = host.granted = now + self._pause(host)
            self._schedule(host)
            return request
        return None

    def done(self, request: Request) -> None:
        """A request left the downloader, whatever became of it: its host may be asked again."""
        host = self._host(request)
        host.in_hand -= 1
        host.done_at = monotonic()
        if "download_slot" in request.meta:
            if host.heard_at < host.asked_at:  # it failed: nobody knows when it came, if it did
                self._rest_from(host, host.done_at)
        # A request that a middleware refused never reached the host: it costs no delay.
        elif host.free_at == host.granted:
            host.free_at = 0.0
        self._schedule(host)
        self._leave_when_idle(host)

    def hold(self, request: Request, seconds: float) -> None:
        """Ask nothing of the request's host for `seconds`."""
        host = self._host(request)
        host.free_at = max(host.free_at, monotonic() + seconds)
        self._tell_pace(host)

    def leave_alone(self, request: Request, refused: Refused, seconds: float) -> None:
        """Ask nothing more of the request's host; others may, after `seconds`."""
        host = self._host(request)
        self._leave_alone(host, refused, seconds)
        self._tell_pace(host)

    def refusal(self, request: Request) -> Refused | None:
        """Why the request's host is left alone, or None if it is not."""
        return self._host(request).refused

    def stop(self) -> None:
        """Forget what waits; requests in hand end as usual."""
        self._stopped = True
        self._ready.clear()
        for host in self._hosts.values():
            host.waiting.clear()
            host.listed = False
            self._cancel_timer(host)
        self._waiting = 0

    def close(self, reason: str) -> Deferred[None] | None:
        """See `BaseScheduler`."""
        for host in self._hosts.values():
            self._cancel_timer(host)
            self._leave(host)
        return None

    def _heard(self, request: Request) -> None:
        """A server has begun to answer."""
        host = self._host(request)
        host.heard_at = monotonic()
        self._rest_from(host, host.heard_at)

    def _rest_from(self, host: _Host, moment: float) -> None:
        """Ask nothing of a host for its delay, from a moment on."""
        host.free_at = max(host.free_at, moment + self._pause(host))

    def _pause(self, host: _Host) -> float:
        """The seconds between two requests to a host."""
        return max(self._delay, host.delay)

    def _host(self, request: Request) -> _Host:
        name = urlparse_cached(request).hostname or ""
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host(name)
        return host

    def _push(self, host: _Host, request: Request) -> None:
        heapq.heappush(host.waiting, (-request.priority, next(self._order), request))
        self._waiting += 1

    def _may_be_asked(self, host: _Host) -> bool:
        """Whether a request waits that the host may get, apart from the time."""
        if not host.waiting or host.in_hand >= self._per_host:
            return False
        return not host.awaits_robots or Robots.is_one(host.waiting[0][2])

    def _schedule(self, host: _Host) -> None:
        """List a host as ready, or set a timer for when it will be."""
        if host.listed or not self._may_be_asked(host) or not self._is_lent(host):
            return
        wait = host.free_at - monotonic()
        if wait <= 0:
            host.listed = True
            self._ready.append(host)
        elif host.timer is None:
            loop = asyncio.get_running_loop()
            host.timer = loop.call_later(max(wait, _SHORTEST_TIMER), self._due, host)

    def _due(self, host: _Host) -> None:
        host.timer = None
        self._go_on(host)

    def _go_on(self, host: _Host) -> None:
        """Have the engine ask for a request: it looks by itself each five seconds only."""
        if host.waiting:
            # Handing a request in anew is the public way to wake the engine.
            self._waiting -= 1
            self._crawler.engine.crawl(heapq.heappop(host.waiting)[2])

    def _robots_known(self, name: str, crawl_delay: float) -> None:
        """Go on with a host; called when its robots.txt was read."""
        host = self._hosts[name]
        host.awaits_robots = False
        host.delay = max(host.delay, crawl_delay)
        if crawl_delay:
            self._rest_from(host, host.heard_at)
            self._tell_pace(host)
        self._schedule(host)

    # Hosts that are borrowed.

    def _is_lent(self, host: _Host) -> bool:
        """Whether a host may be asked as far as others are concerned; if not, want it."""
        if self._lender is None or host.lent:
            return True
        if not host.wanted:
            host.wanted = True
            self._lender.want(host.name)
        return False

    def _leave_when_idle(self, host: _Host) -> None:
        if host.lent and host.leaving is None and self._is_idle(host):
            loop = asyncio.get_running_loop()
            host.leaving = loop.call_later(LINGER_SECONDS, self._leave, host)

    def _is_idle(self, host: _Host) -> bool:
        return not host.in_hand and not self._may_be_asked(host)

    def _leave(self, host: _Host) -> None:
        """Give a host back, unless something is to be asked of it by now."""
        if host.leaving is not None:
            host.leaving.cancel()
            host.leaving = None
        if self._lender is not None and host.lent and self._is_idle(host):
            host.lent = False
            self._lender.give_back(host.name, self._rest(host))

    def _tell_pace(self, host: _Host) -> None:
        if self._lender is not None and host.lent:
            self._lender.pace(host.name, self._pause(host), self._rest(host))

    def _rest(self, host: _Host) -> float:
        """The seconds for which nobody may ask a host.

        A whole delay from the last answer on: whoever is next does not know when the request
        before it reached the server.
        """
        rested_at = host.done_at + self._pause(host)
        return max(0.0, max(host.free_at, host.refused_until, rested_at) - monotonic())

    @staticmethod
    def _leave_alone(host: _Host, refused: Refused, seconds: float) -> None:
        host.refused, host.refused_until = refused, monotonic() + seconds

    @staticmethod
    def _cancel_timer(host: _Host) -> None:
        if host.timer is not None:
            host.timer.cancel()
            host.timer = None


class HostDownloader(Downloader):
    """Scrapy's downloader, which tells the frontier when a request has left it.

    Where answers come faster than they are taken, as on a first night, it has fewer requests under
    way: with all that it may have, as many answers would come at once, and wait in memory.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._most = float(_FEWEST)  # requests under way
        self._looked_at = monotonic()
        self._crowded = False
        self._again: asyncio.TimerHandle | None = None  # until it may have more

    def needs_backout(self) -> bool:
        """See `Downloader`."""
        slot = self.crawler.engine.scraper.slot
        crowded = slot is not None and slot.needs_backout()
        now = monotonic()
        if crowded and not self._crowded:
            self._most = max(_FEWEST, self._most / 2)
        elif not crowded:
            # By time, not by answers: those that wait for slow hosts must not hold up all others.
            more = (now - self._looked_at) / _ONE_MORE_SECONDS
            self._most = min(self.total_concurrency, self._most + more)
        self._looked_at, self._crowded = now, crowded
        full = len(self.active) >= self._most
        if full and not crowded and self._again is None and self._most < self.total_concurrency:
            loop = asyncio.get_running_loop()
            self._again = loop.call_later(_LOOK_AGAIN_SECONDS, self._look_again)
        return full

    def _look_again(self) -> None:
        """Have the engine ask for more: it may be that nothing else has happened since."""
        self._again = None
        scheduler = self.crawler.engine.scheduler
        if isinstance(scheduler, Frontier):
            scheduler.wake()

    def close(self) -> None:
        """See `Downloader`."""
        if self._again is not None:
            self._again.cancel()
        super().close()

    def fetch(self, request: Request, spider: Any = None) -> Deferred[Response | Request]:
        """Download a request; see `Downloader.fetch`."""
        download: Deferred[Response | Request] = super().fetch(request)
        scheduler = self.crawler.engine.scheduler
        if isinstance(scheduler, Frontier):
            download.addBoth(_and_then, scheduler.done, request)
        return download


def _and_then(result: Any, done: Callable[[Request], None], request: Request) -> Any:
    done(request)
    return result
