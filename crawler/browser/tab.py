"""One visit of a page: answers what its scripts ask for, waits until it rests, and reads it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urldefrag, urlsplit

from playwright.async_api import Browser, BrowserContext, CDPSession, Error, Page, Request, Route

from crawler.browser.values import Ask, Part, Shell, Shown
from crawler.refusal import Refused
from crawler.urls import site_of
from crawler.values import Health

MAX_PARTS = 100  # that one page may ask for
_MAX_REQUESTS = 1_000  # of all kinds, most of them refused: each costs the crawl some work
_MAX_LOADS = 5  # of the page itself, one after another
_QUIET_SECONDS = 0.4  # without a request, until it is looked at
_LOOKS = 8  # at a page that never holds still, or that stays empty
_MAX_NOTES = 4  # reasons that people are told

# In a world of its own: a page's script can neither see this nor change what it uses.
_READ = """limit => {
  const copy = document.documentElement?.cloneNode(true);
  for (const e of copy?.querySelectorAll(
    "script,noscript,style,template,link,meta[charset],meta[http-equiv]") ?? []) e.remove();
  const head = "<!doctype html><!-- as its scripts left it, in a browser -->";
  const html = head + (copy?.outerHTML ?? "");
  return html.length > limit ? html.length : html;
}"""


class Tab:
    """Shows one page, once."""

    def __init__(
        self, shell: Shell, ask: Ask, is_full: Callable[[bytes], bool], max_bytes: int
    ) -> None:
        self._shell = shell
        self._ask = ask
        self._is_full = is_full
        self._max_bytes = max_bytes
        self._url = shell.url
        self.site = site_of(shell.url)
        self._notes: dict[str, None] = {}
        self._requests = self._loads = self._asked = self._open = 0
        self._answers: set[asyncio.Task[None]] = set()
        self._stirred = asyncio.Event()
        self._broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def show(self, browser: Browser) -> Shown:
        """Return the page when it has come to rest; raise `Refused` if it cannot be shown."""
        context = await browser.new_context(
            accept_downloads=False,
            locale="en-US",
            service_workers="block",
            timezone_id="UTC",
            viewport={"width": 1280, "height": 4000},  # what is shown on sight is in sight
        )
        try:
            return await self._show(context)
        finally:
            with suppress(Error):
                await context.close()

    async def _show(self, context: BrowserContext) -> Shown:
        await context.route("**/*", self._answer)
        page = await context.new_page()
        self._page = page
        context.on("page", _close)
        page.on("crash", lambda _: self._break("its script crashed the browser"))
        reading = asyncio.ensure_future(self._read_at_rest(context, page))
        try:
            await asyncio.wait((reading, self._broken), return_when=asyncio.FIRST_COMPLETED)
            if self._broken.done():
                raise _refused(self._broken.result())
            return Shown(self._url, await reading, self.notes)
        finally:
            for task in [reading, *self._answers]:
                task.cancel()

    @property
    def notes(self) -> tuple[str, ...]:
        """What it asked for in vain, in sentences for people."""
        return tuple(self._notes)

    def _break(self, why: str) -> None:
        if not self._broken.done():
            self._broken.set_result(why)

    # What it asks for.

    async def _answer(self, route: Route, request: Request) -> None:
        self._requests += 1
        if self._requests > _MAX_REQUESTS:
            self._break(f"its script asks for more than {_MAX_REQUESTS:,} things")
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # we are in one
        self._answers.add(task)
        try:
            await self._answer_kind(route, request, request.resource_type)
        except Error:
            # It no longer wants to know; and Playwright waits for ever for what gives up quietly.
            raise asyncio.CancelledError from None
        finally:
            self._answers.discard(task)

    async def _answer_kind(self, route: Route, request: Request, kind: str) -> None:
        if kind == "document" and request.is_navigation_request() and self._is_own(request):
            await self._load(route, request)
        elif kind in ("script", "xhr", "fetch"):
            await self._give(route, request)
        elif kind == "stylesheet" and self._is_own(request):
            # Refused, some pages would not go on; and how it looks is nothing to us.
            await route.fulfill(status=200, content_type="text/css", body="")
        else:
            await route.abort()

    def _is_own(self, request: Request) -> bool:
        """Whether it is asked for by the page itself, no frame in it and no window beside it."""
        try:
            return request.frame == self._page.main_frame
        except Error:  # of a window that is not there yet
            return False

    async def _load(self, route: Route, request: Request) -> None:
        self._loads += 1
        url = urldefrag(request.url).url
        part: Part | None
        if self._loads > _MAX_LOADS:
            self._break("it loads itself again and again")
            await route.abort()
            return
        if url == urldefrag(self._shell.url).url:
            shell = self._shell
            part = Part(shell.url, 200, shell.content_type or "text/html", shell.body)
        else:
            part = await self._part(request)
        if part is None or "html" not in part.content_type.lower():
            # With "no content" the page stays; refused, an error page would take its place.
            await route.fulfill(status=204)
            return
        self._url = part.url
        await route.fulfill(
            status=part.status, body=part.body, headers={"content-type": part.content_type}
        )

    async def _give(self, route: Route, request: Request) -> None:
        part = await self._part(request)
        if part is not None:
            await route.fulfill(status=part.status, body=part.body, headers=_headers(part, request))
        elif self._asked <= MAX_PARTS:
            await route.abort()
        else:
            # No answer at all: a script that tries again for ever waits for ever.
            await asyncio.get_running_loop().create_future()

    async def _part(self, request: Request) -> Part | None:
        self._asked += 1
        try:
            return await self._fetch(request.method, urldefrag(request.url).url, request.headers)
        except Refused as refused:
            self._note(refused.detail)
            return None

    async def _fetch(self, method: str, url: str, headers: Mapping[str, str]) -> Part:
        if self._asked > MAX_PARTS:
            raise _refused(f"it asks for more than {MAX_PARTS} parts")
        if method != "GET":
            # Only what is safe to ask for may be asked for by a machine (RFC 9110, 9.2.1).
            raise _refused(f"its script sends something ({method}) to {_host(url)}")
        if site_of(url) != self.site:
            raise _refused(f"{_host(url) or url[:60]} is another site")
        self._open += 1
        self._stirred.set()
        try:
            return await self._ask(url, headers.get("accept", "*/*"), self.site)
        finally:
            self._open -= 1
            self._stirred.set()

    def _note(self, why: str) -> None:
        if len(self._notes) < _MAX_NOTES:
            self._notes[why] = None

    # What it shows.

    async def _read_at_rest(self, context: BrowserContext, page: Page) -> bytes:
        session = await context.new_cdp_session(page)
        await page.goto(self._shell.url, wait_until="commit", timeout=0)
        body = b""
        for _ in range(_LOOKS):
            await self._quiet()
            before, body = body, await self._read(session)
            if body == before and self._is_full(body):
                break
        return body

    async def _quiet(self) -> None:
        """Wait until nothing was asked for, and all was answered, for a while."""
        while True:
            self._stirred.clear()
            try:
                await asyncio.wait_for(self._stirred.wait(), None if self._open else _QUIET_SECONDS)
            except TimeoutError:
                return

    async def _read(self, session: CDPSession) -> bytes:
        try:
            tree = await session.send("Page.getFrameTree")
            frame = tree["frameTree"]["frame"]["id"]
            world = await session.send("Page.createIsolatedWorld", {"frameId": frame})
            answer: dict[str, Any] = await session.send(
                "Runtime.evaluate",
                {
                    "expression": f"({_READ})({self._max_bytes})",
                    "contextId": world["executionContextId"],
                    "returnByValue": True,
                },
            )
        except Error:
            return b""  # it goes elsewhere meanwhile: the next look will tell
        found = answer["result"].get("value")
        body = found.encode("utf-8", "replace") if isinstance(found, str) else b""
        if isinstance(found, int | float) or len(body) > self._max_bytes:
            raise Refused(Health.TOO_LARGE, f"shown, it has more than {self._max_bytes:,} bytes")
        return body


def _refused(why: str) -> Refused:
    return Refused(Health.NEEDS_JAVASCRIPT, why)


async def _close(page: Page) -> None:
    with suppress(Error):
        await page.close()


def _headers(part: Part, request: Request) -> dict[str, str]:
    headers = {"content-type": part.content_type}
    origin = request.headers.get("origin")
    if origin:
        # Another host of the site, asked without the Origin it might answer to. Nobody's
        # cookies went with it, so there is nothing to keep from the page.
        headers["access-control-allow-origin"] = origin
        headers["access-control-allow-credentials"] = "true"
    return headers


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""
