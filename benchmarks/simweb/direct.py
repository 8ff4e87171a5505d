"""Hands the simulated web to the crawl without a server: each request is answered in this process.

The errand, robots.txt and redirects are the crawl's own; left out are connections, the pace of
hosts, and browsers, which no page of the simulated web needs. A night takes a third of its time,
and the same seed is always the same run.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import cast

from scrapy import Request
from scrapy.exceptions import DownloadTimeoutError, ResponseDataLossError
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached
from twisted.internet.error import ConnectionLost
from twisted.python.failure import Failure

from benchmarks.simweb.answers import Answers, address
from crawler import Agenda, Fetch, Plan, whole
from crawler.errand import Errand, Manner
from crawler.guard import Guard
from crawler.ledger import Page, Shelf
from crawler.middlewares.redirect import RedirectMiddleware
from crawler.middlewares.retry import RETRIED, retry_after
from crawler.refusal import Refused
from crawler.robots import Robots
from crawler.settings import ROBOTSTXT_USER_AGENT, USER_AGENT
from crawler.shows import Shows
from crawler.values import Health
from monitor.cycle import Pages

PORT = 8080
_BROKEN: dict[str, Callable[[], Exception]] = {
    "hang": DownloadTimeoutError,
    "reset": ConnectionLost,
    "short": ResponseDataLossError,
}
_FAILURES = (DownloadTimeoutError, ConnectionLost, ResponseDataLossError, Refused)


@dataclass(slots=True)
class Direct:
    """The simulated web, as `server.Served` shows it, and the crawl that asks it."""

    web: Answers
    _sites: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.web.port = PORT
        self._sites = {address(site): site for site in range(self.web.sites)}

    def go(self, night: int, look: int = 1) -> None:
        """Goes on to a night, and to the first or the fresh look of it."""
        self.web.go(night, look)

    def url(self, site: int, path: str) -> str:
        """The address of a path at a site."""
        return f"http://{address(site)}:{PORT}{path}"

    def crawling(self, plan: Plan | Agenda) -> AbstractContextManager[Pages]:
        """What takes the place of `crawler.crawling` in a cycle."""
        fetched = asyncio.run(_Crawl(whole(plan), self._send).run())
        return nullcontext(_Fetched(fetched))

    def _send(self, request: Request) -> Response:
        """The answer to a request. Raises what the downloader raises of one that fails."""
        parts = urlparse_cached(request)
        if parts.scheme == "https":
            raise Refused(Health.TLS_ERROR, f"no secure connection to {parts.netloc}")
        headers = {
            name.decode().lower(): values[0].decode() for name, values in request.headers.items()
        }
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        answer = self.web.answer(self._sites[parts.hostname or ""], path, headers)
        if broken := _BROKEN.get(answer.how):
            raise broken()
        return Response(
            request.url,
            answer.status,
            headers=dict(answer.headers),
            body=answer.body,
            request=request,
        )


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The pages of a crawl that is over."""

    fetched: list[Fetch]

    def __iter__(self) -> Iterator[Fetch | None]:
        return iter(self.fetched)

    def stop(self) -> None:
        """Nobody stops it."""

    def stored(self) -> None:
        """Nothing is kept for another reader."""


class _NoBrowser:
    """Shows no page."""

    @staticmethod
    def needs(page: Page, verdict: object, body: bytes) -> bool:
        return False


class _Crawl:
    """One crawl: a request at a time, the most urgent first, robots.txt before all others."""

    def __init__(self, plan: Plan, send: Callable[[Request], Response]) -> None:
        guard = Guard(plan.limits.allow_hosts)
        self._limits = plan.limits
        self._send = send
        self._redirects = RedirectMiddleware(guard)
        self._robots = Robots(
            ROBOTSTXT_USER_AGENT, USER_AGENT, plan.limits.timeout_seconds, lambda host, delay: None
        )
        self._alone: dict[str, Refused] = {}  # hosts that asked to be left alone
        self._fetched: list[Fetch] = []
        self._order = count()
        self._waiting: list[tuple[int, int, Request]] = []
        manner = Manner(
            guard,
            {"User-Agent": USER_AGENT},
            plan.limits.timeout_seconds,
            Shelf(),
            lambda: cast(Shows, _NoBrowser()),
        )
        self._targets = plan.targets
        self._errand = Errand(plan.limits, manner, self._came, self._robots.sitemaps, self._ended)

    async def run(self) -> list[Fetch]:
        """All pages, in the order in which they came."""
        async for request in self._errand.add(self._targets, last=True):
            self._queue(request)
        while self._waiting:
            request = heapq.heappop(self._waiting)[-1]
            for following in await self._settle(request):
                self._queue(following)
        return self._fetched

    def _queue(self, request: Request) -> None:
        heapq.heappush(self._waiting, (-request.priority, next(self._order), request))

    async def _came(self, fetch: Fetch) -> None:
        self._fetched.append(fetch)

    async def _ended(self) -> None:
        pass

    async def _settle(self, request: Request) -> list[Request]:
        """Asks, follows redirects, and gives the requests that follow from the answer."""
        assert request.callback is not None
        assert request.errback is not None
        following: list[Request]
        try:
            while True:
                if (first := self._robots.first(request)) is not None:
                    self._read_robots(first)
                response = self._patiently(request)
                gone_on = self._redirects.process_response(request, response)
                if not isinstance(gone_on, Request):
                    break
                request = gone_on
        except _FAILURES as error:
            following = await request.errback(_failure(error, request))
        else:
            following = await request.callback(response)
        return following

    def _read_robots(self, request: Request) -> None:
        assert request.callback is not None
        assert request.errback is not None
        try:
            response = self._patiently(request)
        except _FAILURES as error:
            request.errback(_failure(error, request))
        else:
            request.callback(response)

    def _patiently(self, request: Request) -> Response:
        """The answer to a request, asked for as often as `crawler.middlewares.retry` does."""
        host = urlparse_cached(request).netloc
        if not Robots.is_one(request) and (refused := self._robots.refusal(request)):
            raise refused
        for attempt in range(self._limits.retries + 1):
            last = attempt == self._limits.retries
            if host in self._alone:
                raise self._alone[host]
            try:
                response = self._send(request)
            except (ConnectionLost, ResponseDataLossError):
                if last:
                    raise
                continue
            wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
            if response.status in (429, 503) and wait > self._limits.retry_after_seconds:
                detail = f"{host} asked to be left alone for {wait:.0f} seconds"
                self._alone[host] = Refused(Health.RATE_LIMITED, detail, response.status)
            elif last or response.status not in RETRIED:
                return response
        raise self._alone[host]


def _failure(error: Exception, request: Request) -> Failure:
    failure = Failure(error)
    failure.request = request  # type: ignore[attr-defined]  # as Scrapy does
    return failure
