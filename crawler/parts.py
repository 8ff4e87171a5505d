"""What pages in a browser ask for, fetched by the crawl: each once, and as politely as a page.

The guard, robots.txt, the pace of the host and the limits on sizes and times hold for these
requests because they are requests like all others. They carry no cookie and no referrer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from crawler.browser import Part
from crawler.failures import explain
from crawler.refusal import Refused
from crawler.values import Health

_PRIORITY = 400  # before other pages of the host: somebody waits for it
_KEPT_BYTES = 32_000_000  # the scripts of a site are the same for all its pages


class Parts:
    """The parts of all pages of one crawl."""

    def __init__(self, crawler: Crawler, headers: Mapping[str, str], timeout: float) -> None:
        self._crawler = crawler
        self._headers = dict(headers)
        self._timeout = timeout
        self._kept: OrderedDict[str, asyncio.Future[Part]] = OrderedDict()
        self._size = 0

    async def get(self, url: str, accept: str, site: str) -> Part:
        """Return what is at `url`, for a page of `site`, which is not left; raise `Refused`."""
        asked = self._kept.get(url)
        if asked is None or asked.cancelled():
            asked = self._kept[url] = asyncio.get_running_loop().create_future()
            asked.add_done_callback(lambda done: self._weigh(url, done))
            self._crawler.engine.crawl(self._request(url, accept, site, asked))
        self._kept.move_to_end(url)
        return await asyncio.shield(asked)

    def _request(self, url: str, accept: str, site: str, asked: asyncio.Future[Part]) -> Request:
        def arrived(response: Response) -> None:
            kind = (response.headers.get("Content-Type") or b"").decode("latin-1")
            asked.set_result(Part(response.url, response.status, kind, response.body))

        def failed(failure: Any) -> None:
            asked.set_exception(explain(failure.value, failure.request))

        try:
            return Request(
                url,
                headers={**self._headers, "Accept": accept},
                callback=arrived,
                errback=failed,
                priority=_PRIORITY,
                meta={"site": site, "download_timeout": self._timeout},
            )
        except ValueError as error:
            asked.cancel()
            detail = f"the address is not a valid URL: {error}"
            raise Refused(Health.FORBIDDEN_ADDRESS, detail) from None

    def _weigh(self, url: str, asked: asyncio.Future[Part]) -> None:
        """Keep an answer for the next who asks, within bounds; a failure for none."""
        if asked.cancelled() or asked.exception() is not None or asked.result().status != 200:
            self._kept.pop(url, None)
            return
        self._size += len(asked.result().body)
        for old in [key for key, other in self._kept.items() if other.done()]:
            if self._size <= _KEPT_BYTES:
                break
            self._size -= len(self._kept.pop(old).result().body)
