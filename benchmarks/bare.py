"""The baseline of the cycle: a Scrapy spider that only downloads pages and hashes them.

    python -m benchmarks.bare URLS

with a URL a line. It has the crawl's politeness, limits, event loop and statistics, and of
Scrapy's own middlewares those that do what the crawl's do: robots.txt, retries, redirects and
decompression. Conditional requests it has none of.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.http import Response

from crawler import settings

SAME = (
    "USER_AGENT",
    "CONCURRENT_REQUESTS",
    "DOWNLOAD_TIMEOUT",
    "DOWNLOAD_MAXSIZE",
    "DOWNLOAD_VERIFY_CERTIFICATES",
    "RETRY_TIMES",
    "COOKIES_ENABLED",
    "REFERER_ENABLED",
    "DNSCACHE_ENABLED",
    "REACTOR_THREADPOOL_MAXSIZE",
    "TWISTED_REACTOR",
    "ASYNCIO_EVENT_LOOP",
    "EXTENSIONS_BASE",
    "TELNETCONSOLE_ENABLED",
    "STATS_CLASS",
)
MIDDLEWARES = {
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": 100,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": 550,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": 600,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 590,
}


class Bare(Spider):
    """Downloads, hashes, forgets."""

    name = "bare"

    def __init__(self, urls: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.urls = urls
        self.pages = 0

    async def start(self) -> AsyncIterator[Any]:
        for url in self.urls:
            yield Request(url, dont_filter=True)

    def parse(self, response: Response) -> None:
        hashlib.sha256(response.body).digest()
        self.pages += 1
        if self.pages == len(self.urls):
            print(self.pages, flush=True)


def main(path: Path) -> None:
    chosen: dict[str, Any] = {name: getattr(settings, name) for name in SAME}
    chosen |= {
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "DOWNLOAD_DELAY": 0,
        "ROBOTSTXT_OBEY": True,
        "LOG_LEVEL": "ERROR",
        "DOWNLOADER_MIDDLEWARES_BASE": MIDDLEWARES,
        "SPIDER_MIDDLEWARES_BASE": {},
    }
    process = AsyncCrawlerProcess(chosen)
    process.crawl(Bare, urls=path.read_text().split())
    process.start()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
