"""The process that crawls: `python -m crawler.child LINK PAGES PARENT`.

Started by crawler.process only: LINK is the socket of orders, PAGES the pipe for pages.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import resource
import signal
import socket
import sys
import traceback
from importlib import import_module
from typing import Any, BinaryIO

from crawler import wire
from crawler.journal import log_as
from crawler.values import Fetch

_PARENT_CHECK_SECONDS = 1.0
_HIGH_WATER = 8_000_000  # bytes waiting for the parent before pages wait too


class Outbox:
    """Takes pages to the parent without ever blocking the event loop."""

    def __init__(self, link: socket.socket, pages: BinaryIO, parent: int) -> None:
        self._link = link
        self._pages = pages
        self._parent = parent
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self, on_stop: Any) -> None:
        """Connect to the running loop; call `on_stop` when the parent asks for the end."""
        self._reader, self._kept = await asyncio.open_unix_connection(sock=self._link)
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), self._pages
        )
        # Going on while half of it waits keeps the parent from running dry.
        transport.set_write_buffer_limits(high=_HIGH_WATER, low=_HIGH_WATER // 2)
        self._writer = asyncio.StreamWriter(transport, protocol, None, loop)
        for watch in (self._watch_link(on_stop), self._watch_parent()):
            self._tasks.add(asyncio.create_task(watch))

    async def send(self, message: Fetch | str | None) -> None:
        """Send a page, the end (None), or why there is no end (a str)."""
        self._writer.write(wire.frame(message))
        # Scrapy counts the page as in work meanwhile, and begins no others above
        # SCRAPER_SLOT_MAX_ACTIVE_SIZE: this is the whole back-pressure.
        await self._writer.drain()

    async def close(self) -> None:
        """Wait until the parent has taken everything."""
        for task in self._tasks:
            task.cancel()
        self._writer.close()
        await self._writer.wait_closed()

    async def _watch_link(self, on_stop: Any) -> None:
        while await self._reader.read(1) == wire.STOP:
            on_stop()
        os._exit(1)  # the parent closed its end: nobody wants the rest

    async def _watch_parent(self) -> None:
        # The socket tells of the parent's death, unless something that the parent forked
        # still holds the other end.
        while os.getppid() == self._parent:
            await asyncio.sleep(_PARENT_CHECK_SECONDS)
        os._exit(1)


def main(link_fd: int, pages_fd: int, parent: int) -> int:
    """Read the order from the socket, crawl, send pages and the end; return the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the parent decides, through the socket
    _allow_many_sockets()
    link, pages = socket.socket(fileno=link_fd), io.FileIO(pages_fd, "wb")
    _load()
    with link.makefile("rb") as stream:
        try:
            order: wire.Order = wire.receive(stream)
        except EOFError:
            return 1
    try:
        return _crawl(order, Outbox(link, pages, parent))
    except Exception:  # the parent is told what it was, and raises
        logging.getLogger(__name__).exception("the crawl broke off")
        os.set_blocking(pages_fd, True)
        pages.write(wire.frame(traceback.format_exc(limit=0).strip()))
        return 1


def _load() -> None:
    """Load all that a crawl needs, which takes longest, before it is known what to crawl."""
    for name in ("scrapy.crawler", "crawler.frontier", "crawler.spiders.pages"):
        import_module(name)


def _crawl(order: wire.Order, outbox: Outbox) -> int:
    from scrapy.crawler import AsyncCrawlerProcess
    from scrapy.settings import Settings

    from crawler.settings import for_limits
    from crawler.spiders.pages import PagesSpider

    log_as(order.journal)
    # Warns of each page that is too large or breaks off: its `Fetch` says so already.
    logging.getLogger("scrapy.core.downloader.handlers").setLevel(logging.ERROR)
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    settings.setdict(for_limits(order.plan.limits), priority="cmdline")
    process = AsyncCrawlerProcess(settings)
    crawl = process.crawl(PagesSpider, plan=order.plan, outbox=outbox)
    process.start(install_signal_handlers=False)
    crawl.result()  # raises what kept the spider from starting
    return 0


def _allow_many_sockets() -> None:
    # Kept-alive connections to thousands of hosts go beyond the usual soft limit of 1024.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 16_384 if hard == resource.RLIM_INFINITY else min(hard, 16_384)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:4])))
