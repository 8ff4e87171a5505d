"""The process that crawls: `python -m crawler.child LINK PAGES PARENT`.

Started by crawler.process only: LINK is the socket of orders, PAGES the pipe for pages.
"""

from __future__ import annotations

import asyncio
import gc
import io
import logging
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import AsyncIterator
from importlib import import_module
from typing import TYPE_CHECKING, BinaryIO

from crawler import heap, wire
from crawler.journal import log_as
from crawler.lean import load_scrapy
from crawler.lending import lapsed

if TYPE_CHECKING:
    from crawler.spiders.pages import PagesSpider

_PARENT_CHECK_SECONDS = 0.5
_HIGH_WATER = 500_000  # bytes waiting for the parent before pages wait too
# Messages that follow each other closely go together: a write for each, which wakes the parent, is
# a sixth of an unchanged night.
_TOGETHER_BYTES = 1 << 16
_TOGETHER_SECONDS = 0.02


class Line:
    """Both ways to the parent: its orders, one after the other, and what they bring."""

    def __init__(self, order: wire.Order, parent: int) -> None:
        self.orders: asyncio.Queue[Outbox] = asyncio.Queue()
        self._parent = parent
        self._tasks: set[asyncio.Task[None]] = set()
        self._take(order)

    def _take(self, order: wire.Order) -> None:
        # What is said from now on is said of this one, also while the last one is still closing.
        self._latest = Outbox(order, self)
        self.orders.put_nowait(self._latest)

    async def open(self, link: socket.socket, pages: BinaryIO) -> None:
        """Connect to the running loop."""
        self._reader, self._kept = await asyncio.open_unix_connection(sock=link)
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.connect_write_pipe(
            lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), pages
        )
        # Going on while half of it waits keeps the parent from running dry.
        transport.set_write_buffer_limits(high=_HIGH_WATER, low=_HIGH_WATER // 2)
        self.writer = asyncio.StreamWriter(transport, protocol, None, loop)
        for watch in (self._watch_link(), self._watch_parent()):
            self._tasks.add(asyncio.create_task(watch))

    async def _watch_link(self) -> None:
        async for message in wire.received(self._reader):
            if isinstance(message, wire.Order):
                self._take(message)
            else:
                self._latest.hear(message)
        os._exit(1)  # the parent closed its end: nobody wants the rest

    async def _watch_parent(self) -> None:
        # The socket tells of the parent's death, unless something that the parent forked
        # still holds the other end.
        from twisted.internet import reactor

        while os.getppid() == self._parent:
            if self._latest.lapsed:
                os._exit(1)  # another crawl may be asking the same hosts by now
            # Each answer leaves two timers that were called off. Twisted lets go of such when the
            # next timer is due, which would be one of half a minute, or of four.
            reactor.callLater(0, _nothing)  # type: ignore[arg-type]  # an interface without self
            await asyncio.sleep(_PARENT_CHECK_SECONDS)
        os._exit(1)


class Outbox:
    """Takes pages to the parent without ever blocking the event loop, and brings its order.

    It is also who lends hosts, for a crawl that borrows them.
    """

    def __init__(self, order: wire.Order, line: Line) -> None:
        self.limits = order.limits
        self._line = line
        self._borrows = order.until is not None
        self.until = order.until or 0.0
        self._turn = asyncio.Lock()
        self._ready = bytearray()  # messages that are to be written
        self._pause: asyncio.TimerHandle | None = None  # since the last write
        self._spider: PagesSpider | None = None
        self._stopped = False
        self._work: asyncio.Queue[wire.Work | None] = asyncio.Queue()
        for work in order.work:
            self._work.put_nowait(work)
        if not order.more:
            self.end_work()

    async def open(self, spider: PagesSpider) -> None:
        """Let the spider know what the parent says."""
        self._spider = spider
        if self._borrows and spider.frontier is not None:
            spider.frontier.borrow_from(self)
        if self._stopped:
            spider.stop()

    @property
    def lapsed(self) -> bool:
        """Whether others may have been lent what it has borrowed."""
        return self._borrows and lapsed(self)

    async def work(self) -> AsyncIterator[wire.Work]:
        """The errands, as they come."""
        while (work := await self._work.get()) is not None:
            yield work

    def end_work(self) -> None:
        """No other errand is wanted."""
        self._work.put_nowait(None)

    async def send(self, message: wire.Came | wire.Finished | None) -> None:
        """Send a page, the end of an errand, or the end of all (None)."""
        # One after the other, so that no more than one is put into a buffer that is full. Scrapy
        # counts the page as in work meanwhile, and begins no others above
        # SCRAPER_SLOT_MAX_ACTIVE_SIZE: this is the whole back-pressure.
        async with self._turn:
            self._put(message)
            await self._line.writer.drain()

    async def close(self) -> None:
        """Write what is left."""
        self._write()
        if self._pause is not None:
            self._pause.cancel()

    def want(self, host: str) -> None:
        """See `Lender`."""
        self._put(wire.Wanted(host))

    def give_back(self, host: str, wait: float) -> None:
        """See `Lender`."""
        self._put(wire.Left(host, wait))

    def pace(self, host: str, delay: float, wait: float) -> None:
        """See `Lender`."""
        self._put(wire.Paced(host, delay, wait))

    def _put(self, message: object) -> None:
        """Write a message after those before it: at once, or after a pause since the last."""
        self._ready += wire.frame(message)
        if self._pause is None or len(self._ready) >= _TOGETHER_BYTES:
            self._write()

    def _write(self) -> None:
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
        if self._ready:
            ready, self._ready = self._ready, bytearray()
            self._line.writer.write(ready)
            loop = asyncio.get_running_loop()
            self._pause = loop.call_later(_TOGETHER_SECONDS, self._write)

    def hear(self, message: object) -> None:
        """What the parent says of this order."""
        frontier = self._spider.frontier if self._spider is not None else None
        match message:
            case wire.Work():
                self._work.put_nowait(message)
            case wire.NoMore():
                self.end_work()
            case wire.Until(moment):
                self.until = moment
            case wire.Lent(host, wait) if frontier is not None:
                frontier.lend(host, wait)
            case wire.Stop():
                self._stopped = True
                if self._spider is not None:
                    self._spider.stop()


def _nothing() -> None:
    """For a timer that is only to be due."""


def main(link_fd: int, pages_fd: int, parent: int) -> int:
    """Read orders from the socket, crawl, send pages and ends; return the exit status."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the parent decides, through the socket
    heap.keep_small()
    _allow_many_sockets()
    link, pages = socket.socket(fileno=link_fd), io.FileIO(pages_fd, "wb")
    _load()
    # Unbuffered: what follows the order is read by the event loop.
    with link.makefile("rb", buffering=0) as stream:
        try:
            order: wire.Order = wire.receive(stream)
        except (EOFError, ConnectionError):
            return 1
    try:
        _crawls(order, parent, link, pages)
        return 0
    except Exception:  # the parent is told what it was, and raises
        logging.getLogger(__name__).exception("the crawl broke off")
        os.set_blocking(pages_fd, True)
        pages.write(wire.frame(traceback.format_exc(limit=0).strip()))
        return 1


def _load() -> None:
    """Load all that a crawl needs, which takes longest, before it is known what to crawl."""
    gc.disable()  # nothing of it is garbage, and to look for some takes a tenth of the time
    load_scrapy()
    for name in ("crawler.frontier", "crawler.spiders.pages"):
        import_module(name)
    gc.freeze()  # what is loaded stays: else pages wait in cycles until that is a quarter more
    gc.enable()


def _crawls(order: wire.Order, parent: int, link: socket.socket, pages: BinaryIO) -> None:
    """Crawl what is ordered, and what is ordered after it with the same limits.

    Ends with the process, or raises what kept a crawl from starting.
    """
    from scrapy.crawler import AsyncCrawlerProcess
    from scrapy.resolver import dnscache
    from scrapy.settings import Settings

    from crawler.settings import for_limits
    from crawler.spiders.pages import PagesSpider

    log_as(order.journal)
    # Warns of each page that is too large or breaks off: its `Fetch` says so already.
    logging.getLogger("scrapy.core.downloader.handlers").setLevel(logging.ERROR)
    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    settings.setdict(for_limits(order.limits), priority="cmdline")
    process = AsyncCrawlerProcess(settings)
    from twisted.internet import reactor  # which the line above has chosen

    line = Line(order, parent)

    async def one_after_the_other() -> None:
        await line.open(link, pages)
        while True:
            outbox = await line.orders.get()
            await process.crawl(PagesSpider, limits=outbox.limits, outbox=outbox)
            dnscache.clear()  # another look asks anew where its hosts are

    crawls = asyncio.get_event_loop().create_task(one_after_the_other())
    crawls.add_done_callback(lambda _: reactor.stop())  # type: ignore[misc]  # as above
    process.start(stop_after_crawl=False, install_signal_handlers=False)
    crawls.result()


def _allow_many_sockets() -> None:
    # Kept-alive connections to thousands of hosts go beyond the usual soft limit of 1024.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 16_384 if hard == resource.RLIM_INFINITY else min(hard, 16_384)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:4])))
