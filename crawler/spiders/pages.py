"""The spider: runs the errands that it is given, and hands on the pages that they bring."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any, Protocol

from scrapy import Request, Spider, signals
from scrapy.crawler import Crawler

from crawler.browser import Renderer
from crawler.decompress import ACCEPTED
from crawler.errand import Errand, Manner
from crawler.frontier import Frontier
from crawler.guard import Guard
from crawler.ledger import Shelf
from crawler.shows import Shows, renderer
from crawler.values import Fetch, KnownPage, Limits, Target
from crawler.wire import Came, Finished, Work

logger = logging.getLogger(__name__)


class Outlet(Protocol):
    """Where work comes from, and pages go to."""

    async def open(self, spider: PagesSpider) -> None:
        """Begin; `spider.stop` is called when the crawl has to end."""

    def work(self) -> AsyncIterator[Work]:
        """The errands, as they come."""

    def end_work(self) -> None:
        """No other errand is wanted."""

    async def send(self, message: Came | Finished | None) -> None:
        """Take a page, the end of an errand, or the end of all (None)."""

    async def close(self) -> None:
        """End."""


class LogOutlet:
    """One page, and a line that says what became of it: for `scrapy crawl pages -a url=...`."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def open(self, spider: PagesSpider) -> None:
        """Nothing to open."""

    async def work(self) -> AsyncIterator[Work]:
        """The one page."""
        if self._url:
            yield Work("page", (Target("page", pages=(KnownPage(self._url),)),))

    def end_work(self) -> None:
        """There is no other."""

    async def send(self, message: Came | Finished | None) -> None:
        """Log what became of a page."""
        if isinstance(message, Came):
            fetch = message.fetch
            size = len(fetch.body or b"")
            logger.info(
                "%s: %s, %d bytes, %r. %s",
                fetch.final_url, fetch.health, size, fetch.title, fetch.detail,
            )  # fmt: skip

    async def close(self) -> None:
        """Nothing to close."""


class PagesSpider(Spider):
    """Turns errands into `Fetch`es. Arguments: `limits` and `outbox`, or `url` for one page."""

    name = "pages"

    def __init__(
        self,
        limits: Limits | None = None,
        outbox: Outlet | None = None,
        url: str = "",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._limits = limits or Limits()
        self._outbox: Outlet = outbox or LogOutlet(url)
        self._errands: dict[str, Errand] = {}
        self._begun = False
        self._stopped = False

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> PagesSpider:
        """Build the spider with its headers, from the settings."""
        spider = cls(*args, **kwargs)
        spider._set_crawler(crawler)
        headers = {
            "User-Agent": crawler.settings["USER_AGENT"],
            "Accept": "text/html,application/xhtml+xml,application/pdf;q=0.9,*/*;q=0.5",
            "Accept-Language": "en-US,en;q=0.8",
            "Accept-Encoding": ACCEPTED,
        }
        spider._renderer = renderer(spider._limits)
        spider._manner = Manner(
            guard=Guard(crawler.settings.getlist("ALLOW_HOSTS")),
            headers=headers,
            timeout=crawler.settings.getfloat("DOWNLOAD_TIMEOUT"),
            shelf=Shelf(),
            shows=lambda: Shows(crawler, spider._renderer, spider._limits, headers),
        )
        crawler.signals.connect(spider._opened, signals.spider_opened)
        crawler.signals.connect(spider._closed, signals.spider_closed)
        return spider

    _manner: Manner
    _renderer: Renderer

    async def start(self) -> AsyncIterator[Request]:
        """Yield the first requests for what is to be done, as it comes."""
        self._begun = True
        if self._stopped:
            self._end()  # Scrapy ends nothing that has not begun
        async for work in self._outbox.work():
            errand = self._errands.get(work.errand)
            if errand is None:
                errand = self._errands[work.errand] = self._errand(work.errand)
            async for request in errand.add(work.targets, last=work.last):
                yield request

    def stop(self) -> None:
        """Finish the requests in hand, then end."""
        if self._stopped:
            return
        self._stopped = True
        self._outbox.end_work()
        if self.frontier is not None:
            self.frontier.stop()
        if self._begun:
            self._end()

    def _end(self) -> None:
        self._stopping = asyncio.ensure_future(self.crawler.stop_async())

    @property
    def frontier(self) -> Frontier | None:
        """The queue of requests, while the crawl runs."""
        scheduler = self.crawler.engine.scheduler
        return scheduler if isinstance(scheduler, Frontier) else None

    async def _opened(self) -> None:
        await self._outbox.open(self)

    async def _closed(self) -> None:
        for errand in self._errands.values():
            await errand.stop()
        await self._renderer.close()
        if not self._stopped:
            for errand in self._errands.values():
                await errand.break_off()
        await self._outbox.send(None)
        await self._outbox.close()

    def _errand(self, name: str) -> Errand:
        async def hand_on(fetch: Fetch) -> None:
            await self._outbox.send(Came(name, fetch))

        async def ended() -> None:
            del self._errands[name]
            await self._outbox.send(Finished(name))

        return Errand(self._limits, self._manner, hand_on, self._sitemaps, ended)

    def _sitemaps(self, origin: str) -> tuple[str, ...]:
        return self.frontier.robots.sitemaps(origin) if self.frontier is not None else ()
