"""Shows pages within bounds: how many, how long, in how much memory, how many at once."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from crawler.browser.values import Ask, Shell, Shown
from crawler.refusal import Refused
from crawler.urls import site_of
from crawler.values import Health, RenderLimits

if TYPE_CHECKING:
    from crawler.browser.chromium import Chromium
    from crawler.browser.tab import Tab

AT_ONCE = 2
_SLOW_PAGES = 2  # of one site that run into the time limit; the others would take as long

logger = logging.getLogger(__name__)


class Renderer:
    """Browsers, started when they are needed. `is_full` says whether a page shows something."""

    def __init__(
        self, limits: RenderLimits, max_bytes: int, is_full: Callable[[bytes], bool]
    ) -> None:
        self._limits = limits
        self._max_bytes = max_bytes
        self._is_full = is_full
        self._missing = "" if limits.pages else "showing such pages is off ([render] pages = 0)"
        if not self._missing and find_spec("playwright") is None:
            self._missing = (
                "VisaWatch shows such pages with a browser, after "
                "`pip install 'visawatch[javascript]'` (docs/crawling.md)"
            )
        self._room = asyncio.Semaphore(AT_ONCE)
        self._idle: list[Chromium] = []
        self._used: set[Chromium] = set()

    async def render(self, shell: Shell, ask: Ask, slow: Counter[str]) -> Shown:
        """Return the page as its scripts leave it; raise `Refused`, with the way out.

        `ask` fetches what it asks for; `slow` counts the pages of each site that took too long.
        """
        async with self._room:
            if slow[site_of(shell.url)] >= _SLOW_PAGES:
                raise _refused(f"{_SLOW_PAGES} other pages of its site did not come to rest")
            chromium = await self._take()
            from crawler.browser.tab import Tab  # needs the extra

            tab = Tab(shell, ask, self._is_full, self._max_bytes)
            showing = asyncio.ensure_future(tab.show(chromium.browser))
            failing = asyncio.ensure_future(chromium.fails(self._limits.megabytes))
            try:
                shown = await self._in_bounds(showing, failing, tab, slow)
            except BaseException:
                await self._drop(chromium)  # nobody knows what it still does
                raise
            finally:
                showing.cancel()
                failing.cancel()
                await asyncio.gather(showing, failing, return_exceptions=True)
            self._used.discard(chromium)
            self._idle.append(chromium)
            return shown

    async def close(self) -> None:
        """End all browsers."""
        for chromium in [*self._idle, *self._used]:
            await self._drop(chromium)
        self._idle.clear()

    async def _take(self) -> Chromium:
        while self._idle:
            chromium = self._idle.pop()
            if chromium.take():
                break
            await self._drop(chromium)
        else:
            chromium = await self._start()
            chromium.take()
        self._used.add(chromium)
        return chromium

    async def _start(self) -> Chromium:
        if not self._missing:
            from crawler.browser.chromium import Chromium, NoBrowser  # needs the extra

            try:
                return await Chromium.start(self._limits)
            except NoBrowser as error:
                self._missing = str(error)
                logger.warning("Pages that need JavaScript are not read: %s", error)
        raise _refused(self._missing)

    async def _drop(self, chromium: Chromium) -> None:
        self._used.discard(chromium)
        await chromium.kill()

    async def _in_bounds(
        self,
        showing: asyncio.Future[Shown],
        failing: asyncio.Future[str],
        tab: Tab,
        slow: Counter[str],
    ) -> Shown:
        from playwright.async_api import Error

        seconds = self._limits.seconds
        await asyncio.wait((showing, failing), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if failing.done():
            raise _refused(failing.result())
        if not showing.done():
            slow[tab.site] += 1
            why = f"it did not come to rest within {seconds:g} seconds ([render] seconds)"
            raise _refused("; ".join((why, *tab.notes)))
        try:
            return showing.result()
        except Error as error:
            raise _refused(f"the browser failed: {error.message.splitlines()[0][:200]}") from error


def _refused(why: str) -> Refused:
    return Refused(Health.NEEDS_JAVASCRIPT, why)
