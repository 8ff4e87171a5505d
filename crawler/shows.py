"""Pages that a browser has to show: each is shown beside the crawl, then handed on."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from scrapy import Request
from scrapy.crawler import Crawler

from crawler.browser import Renderer, Shell
from crawler.frontier import Frontier
from crawler.health import Answer, Verdict, judge
from crawler.ledger import Page
from crawler.markup import Markup
from crawler.parts import Parts
from crawler.refusal import Refused
from crawler.values import Fetch, Health, Limits

_TYPE = "text/html; charset=utf-8"
_MUCH = 100_000  # words of a page that are compared

logger = logging.getLogger(__name__)

Settle = Callable[[Fetch], Awaitable[list[Request]]]


def renderer(limits: Limits) -> Renderer:
    """The browsers of a crawl."""
    return Renderer(limits.render, limits.max_bytes, _is_full)


class Shows:
    """Shows the pages of one errand."""

    def __init__(
        self, crawler: Crawler, renderer: Renderer, limits: Limits, headers: Mapping[str, str]
    ) -> None:
        self._crawler = crawler
        self._renderer = renderer
        self._pages = limits.render.pages
        self._parts = Parts(crawler, headers, limits.timeout_seconds)
        self._begun = 0
        self._slow: Counter[str] = Counter()  # pages that took too long, by site
        self._tasks: set[asyncio.Task[None]] = set()

    @staticmethod
    def needs(page: Page, verdict: Verdict, body: bytes) -> bool:
        """Whether a page that has come must be shown in a browser to be read.

        That it once had to be is reason enough: else, on the day on which its shell holds some
        words, everything it says would seem withdrawn.
        """
        if verdict.health is Health.NEEDS_JAVASCRIPT:
            return True
        return page.rendered and verdict.health is Health.OK and b"%PDF-" not in body[:1_024]

    def begin(self, plain: Fetch, body: bytes, settle: Settle) -> None:
        """Show a page that came as `plain`, with this body; `settle` gets what came of it.

        And gives the requests that follow from that.
        """
        self._begun += 1
        task = asyncio.create_task(self._show(plain, body, settle, self._begun))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Show no more: what is under way is given up, and handed to nobody."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _show(self, plain: Fetch, body: bytes, settle: Settle, number: int) -> None:
        frontier = self._crawler.engine.scheduler
        assert isinstance(frontier, Frontier)  # noqa: S101  # set in crawler.settings
        with frontier.kept_open():
            try:
                fetch = await self._shown(plain, body, number)
            except Exception as error:  # one page must never stop the crawl
                logger.exception("Could not show %s", plain.final_url)
                fetch = _unseen(plain, Health.NEEDS_JAVASCRIPT, f"it could not be shown: {error!r}")
            for request in await settle(fetch):
                self._crawler.engine.crawl(request)

    async def _shown(self, plain: Fetch, body: bytes, number: int) -> Fetch:
        if number > self._pages > 0:
            why = f"more than {self._pages} pages of this crawl need a browser ([render] pages)"
            return _unseen(plain, Health.NEEDS_JAVASCRIPT, why)
        shell = Shell(plain.final_url, body, plain.content_type)
        try:
            shown = await self._renderer.render(shell, self._parts.get, self._slow)
        except Refused as refused:
            return _unseen(plain, refused.health, refused.detail)
        verdict = judge(Answer(200, shown.body, plain.url, shown.url, lambda name: _header(name)))
        if verdict.health is not Health.OK:
            told = verdict.detail
            if verdict.health in (Health.NEEDS_JAVASCRIPT, Health.EMPTY):
                why = "; ".join(shown.refused) or "its scripts asked for nothing else"
                return _unseen(plain, Health.NEEDS_JAVASCRIPT, f"a browser shows no more: {why}")
            return _unseen(plain, verdict.health, f"shown in a browser, {told}")
        if plain.health is Health.OK and _text(shown.body) == _text(body, plain.content_type):
            return plain  # it can be read without a browser now
        return replace(
            plain,
            final_url=shown.url,
            health=Health.OK,
            detail="",
            body=shown.body,
            content_type=_TYPE,
            etag=None,  # of the shell, which may stay the same while the page does not
            last_modified=None,
            title=verdict.title,
            rendered=True,
        )


def _unseen(plain: Fetch, health: Health, why: str) -> Fetch:
    detail = f"{plain.detail or 'the page needs a browser, as before'}; {why}"
    return replace(plain, health=health, detail=detail, body=None)


def _header(name: str) -> str:
    return _TYPE if name == "content-type" else ""


def _is_full(body: bytes) -> bool:
    """Whether a page in a browser shows something by now."""
    verdict = judge(Answer(200, body, "", "", _header))
    return verdict.health not in (Health.NEEDS_JAVASCRIPT, Health.EMPTY)


def _text(body: bytes, content_type: str = _TYPE) -> str:
    charset = content_type.lower().partition("charset=")[2].strip("\"' ;")
    return Markup(body, charset).text(_MUCH)[0]
