"""An errand: some targets under way, from the first request to the last page.

It fetches the known pages of its targets, and searches for those that are not known. A crawl
runs one errand, or many side by side that know nothing of each other but the pace of hosts and
their robots.txt, which are the frontier's.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from scrapy import Request
from scrapy.http import Response

from crawler.discover import Reading, read, score_page
from crawler.failures import explain
from crawler.guard import Guard
from crawler.health import Answer, Verdict, judge
from crawler.ledger import Ledger, Page, Shelf
from crawler.search import Candidate, Search
from crawler.shows import Shows
from crawler.sitemap import Sitemap, read_sitemap
from crawler.urls import canonical, host_of, site_root
from crawler.values import Fetch, Health, Limits, Target

_KNOWN, _SITEMAP, _DISCOVERED = 30, 20, 10  # priorities of requests within a host
# Requests for known pages of a host that are made before any of them is answered. A request takes
# more memory than all else of a page. More than one, as some may lead to hosts that are slow.
_AHEAD = 4
_REFUSED_UNASKED = frozenset({Health.ROBOTS, Health.FORBIDDEN_ADDRESS})

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Manner:
    """What the errands of a crawl have alike.

    How every page is asked for: what may be, with which headers, and for how long; where
    bodies are kept; and how pages are shown in a browser (anew for each errand).
    """

    guard: Guard
    headers: dict[str, str]
    timeout: float
    shelf: Shelf
    shows: Callable[[], Shows]


class Errand:
    """Turns targets, which it is given bit by bit, into `Fetch`es.

    `hand_on` takes each page, `named_sitemaps` gives the sitemaps that the robots.txt of an
    origin names, and `ended` is called when the last page was handed on.
    """

    def __init__(
        self,
        limits: Limits,
        manner: Manner,
        hand_on: Callable[[Fetch], Awaitable[None]],
        named_sitemaps: Callable[[str], tuple[str, ...]],
        ended: Callable[[], Awaitable[None]],
    ) -> None:
        self._limits = limits
        self._ahead = max(_AHEAD, 2 * limits.per_host)
        self._guard, self._headers, self._timeout = manner.guard, manner.headers, manner.timeout
        self._shows = manner.shows()
        self._hand_on = hand_on
        self._named_sitemaps = named_sitemaps
        self._ended = ended
        self._ledger = Ledger(manner.shelf)
        self._to_ask: dict[str, deque[Page]] = defaultdict(deque)  # known pages, by host
        self._asked: Counter[str] = Counter()  # known pages that are asked for, by host
        self._starts: set[str] = set()  # the (canonical) addresses where searches begin
        self._searching: set[str] = set()  # keys of targets that are or were searched for
        self._sitemaps: dict[str, Sitemap] = {}
        self._sitemap_waiting: dict[str, list[Search]] = {}
        self._under_way = 1  # requests without an answer; and targets that are still to come

    async def add(self, targets: tuple[Target, ...], *, last: bool) -> AsyncIterator[Request]:
        """Take up targets; yield the requests for them, those for known pages first.

        `last` says that there are no others. All spellings of an address belong together.
        """
        searches = self._planned_searches(targets)
        self._starts |= {start for search in searches for start in search.starts}
        hosts: dict[str, None] = {}
        for page in self._ledger.add(targets):
            if page.in_work:
                continue  # a search has asked for it
            page.in_work = True  # so that no search asks for it first
            hosts[host_of(page.url)] = None
            self._to_ask[host_of(page.url)].append(page)
        for host in hosts:
            for request in await self._ask_known(host):
                self._under_way += 1
                yield request
        for search in searches:
            for request in await self._advance(search):
                self._under_way += 1
                yield request
        if last:
            await self._answered([])

    async def stop(self) -> None:
        """Give up what is under way beside requests."""
        await self._shows.stop()

    async def break_off(self) -> None:
        """Hand on every known page that has no answer: the crawl ends by a fault of its own."""
        for page in self._ledger.awaited():
            await self._give_up(page)

    async def _give_up(self, page: Page) -> list[Request]:
        logger.error("No answer was recorded for %s", page.url)
        fault = "the crawl ended without an answer, by a fault of its own"
        return await self._settle(page, Fetch((), page.url, page.url, Health.UNREACHABLE, fault))

    async def _answered(self, requests: list[Request]) -> list[Request]:
        """Count one request less, and those that follow from it; end after the last."""
        self._under_way += len(requests) - 1
        if self._under_way == 0:
            await self.break_off()
            await self._ended()
        return requests

    async def _arrived(self, response: Response) -> list[Request]:
        return await self._page_came(response.meta, self._take(response))

    async def _failed(self, failure: Any) -> list[Request]:
        return await self._page_came(failure.request.meta, self._take_failure(failure))

    async def _page_came(
        self, meta: dict[str, Any], taken: Awaitable[list[Request]]
    ) -> list[Request]:
        """Take a page in; go on with the next known one of its host, if it was one."""
        page: Page = meta["page"]
        requests = await self._tried(taken, page)
        if meta["known"]:
            host = host_of(page.url)
            self._asked[host] -= 1
            requests += await self._tried(self._ask_known(host))
        return await self._answered(requests)

    async def _sitemap_arrived(self, response: Response) -> list[Request]:
        return await self._answered(await self._tried(self._take_sitemap(response)))

    async def _sitemap_failed(self, failure: Any) -> list[Request]:
        # A sitemap is a convenience: without it, the search goes by links.
        url: str = failure.request.meta["sitemap"]
        return await self._answered(await self._tried(self._sitemap_settled(url, Sitemap())))

    async def _tried(
        self, step: Awaitable[list[Request]], page: Page | None = None
    ) -> list[Request]:
        """Do a step, which is about a page: it must never hold up an errand."""
        try:
            return await step
        except Exception:
            logger.exception("Could not take in an answer")
            # Whoever waits for it may not go on before it has come.
            return await self._tried(self._give_up(page)) if page and page.known else []

    # One page: ask, judge, hand on.

    async def _ask_known(self, host: str) -> list[Request]:
        """Return requests for the next known pages of a host, and what follows from others."""
        requests: list[Request] = []
        waiting = self._to_ask[host]
        while waiting and self._asked[host] < self._ahead:
            page = waiting.popleft()
            # A search needs the links of its start page, which a 304 does not have.
            conditional = canonical(page.url) not in self._starts
            asked = self._ledger.outcome_of(page) or self._ask(
                page, _KNOWN, conditional=conditional
            )
            if isinstance(asked, Request):
                self._asked[host] += 1
                requests.append(asked)
            else:
                requests += await self._settle(page, asked)
        return requests

    def _ask(self, page: Page, priority: int, *, conditional: bool) -> Request | Fetch:
        """Return the request for a page, or what became of it when there cannot be one."""
        reason = self._guard.refusal(page.url)
        if reason is not None:
            return Fetch((), page.url, page.url, Health.FORBIDDEN_ADDRESS, reason)
        conditional = conditional and bool(page.etag or page.last_modified) and not page.rendered
        headers = dict(self._headers)
        # RFC 9110, 13.1: both may be sent; the ETag decides where a server knows it.
        if conditional and page.etag:
            headers["If-None-Match"] = page.etag
        if conditional and page.last_modified:
            headers["If-Modified-Since"] = page.last_modified
        try:
            request = Request(
                page.url,
                headers=headers,
                callback=self._arrived,
                errback=self._failed,
                priority=priority,
                meta={
                    "page": page,
                    "known": priority == _KNOWN,
                    "conditional": conditional,
                    "download_timeout": self._timeout,
                },
            )
        except ValueError as error:
            detail = f"the address is not a valid URL: {error}"
            return Fetch((), page.url, page.url, Health.FORBIDDEN_ADDRESS, detail)
        page.in_work = True
        return request

    async def _take(self, response: Response) -> list[Request]:
        page: Page = response.meta["page"]
        headers = response.headers

        def header(name: str) -> str:
            return (headers.get(name) or b"").decode("latin-1")

        try:
            verdict = judge(Answer(response.status, response.body, page.url, response.url, header))
        except Exception as error:  # one page must never stop the crawl
            logger.exception("Could not judge %s", response.url)
            detail = f"the page could not be judged: {error!r}"
            return await self._settle(
                page, Fetch((), page.url, response.url, Health.UNREACHABLE, detail, response.status)
            )
        unchanged = verdict.health is Health.NOT_MODIFIED
        if unchanged and not response.meta["conditional"]:
            detail = f"{response.url} answered that it is unchanged, without being asked whether"
            verdict = Verdict(Health.HTTP_ERROR, detail)
        fetch = Fetch(
            targets=(),
            url=page.url,
            final_url=response.url,
            health=verdict.health,
            detail=verdict.detail + _attempts(response.meta, verdict.health),
            status=response.status,
            body=response.body if verdict.health is Health.OK else None,
            content_type=header("content-type"),
            etag=header("etag") or (page.etag if unchanged else None),
            last_modified=header("last-modified") or (page.last_modified if unchanged else None),
            moved_permanently=response.meta.get("permanent", False),
            title=verdict.title,
        )
        if self._shows.needs(page, verdict, response.body):
            self._under_way += 1  # until it has been shown

            async def settle(shown: Fetch) -> list[Request]:
                return await self._answered(await self._tried(self._settle(page, shown), page))

            self._shows.begin(fetch, response.body, settle)
            return []
        return await self._settle(page, fetch)

    async def _take_failure(self, failure: Any) -> list[Request]:
        request: Request = failure.request
        page: Page = request.meta["page"]
        refused = explain(failure.value, request)
        fetch = Fetch(
            targets=(),
            url=page.url,
            final_url=request.url,
            health=refused.health,
            detail=refused.detail + _attempts(request.meta, refused.health),
            status=refused.status,
        )
        return await self._settle(page, fetch)

    async def _settle(self, page: Page, fetch: Fetch) -> list[Request]:
        """Hand a page on to all that want it; return the requests that follow from it."""
        page.in_work = False
        known, page.known = page.known, {}
        waiting, page.waiting = page.waiting, []
        self._ledger.settle(page, fetch, wanted=bool(waiting), searching=bool(self._searching))
        requests: list[Request] = []
        known_as = _hash(fetch) if known and any(page.hashes.values()) else ""
        for url, targets in known.items():
            came = replace(fetch, targets=tuple(target.key for target in targets), url=url)
            if known_as and known_as == page.hashes[url]:
                came = replace(came, body=None, same=True)
            await self._hand_on(came)
        if fetch.health in (Health.GONE, Health.SOFT_404):
            for search in self._searches_instead_of(page, known):
                requests += await self._advance(search)
        if waiting and fetch.health is Health.NOT_MODIFIED:
            page.waiting = waiting
            again = self._ask(page, _DISCOVERED, conditional=False)
            return [*requests, again] if isinstance(again, Request) else requests
        if waiting:
            await self._hand_to_searches(page, fetch, waiting)
            for search, _ in waiting:
                requests += await self._advance(search)
        return requests

    # Searches.

    def _planned_searches(self, targets: Iterable[Target]) -> list[Search]:
        together: dict[tuple[str, ...], list[str]] = {}
        for target in targets:
            if target.discover and target.site_urls:
                together.setdefault(target.site_urls, []).append(target.key)
        return [self._search(keys, starts) for starts, keys in together.items()]

    def _searches_instead_of(self, page: Page, known: dict[str, list[Target]]) -> list[Search]:
        """Return searches for the targets of a page that is gone, where none was made yet."""
        together: dict[tuple[str, ...], list[str]] = {}
        by_key = {target.key: target for targets in known.values() for target in targets}
        for key in sorted(by_key.keys() - self._searching):
            lost = [page for page in by_key[key].pages if page.url in known]
            if not any(page.search_when_gone for page in lost):
                continue
            starts = by_key[key].site_urls or (site_root(page.url),)
            together.setdefault(starts, []).append(key)
        return [self._search(keys, starts) for starts, keys in together.items()]

    def _search(self, keys: list[str], starts: tuple[str, ...]) -> Search:
        self._searching.update(keys)
        return Search(keys, starts, self._limits)

    async def _advance(self, search: Search) -> list[Request]:
        """Take a search to its next request; return that, or nothing if it waits or is done."""
        while True:
            sitemap = search.next_sitemap()
            if sitemap is not None:
                if sitemap in self._sitemaps:
                    self._learn_sitemap(search, self._sitemaps[sitemap])
                    continue
                waiting = self._sitemap_waiting.setdefault(sitemap, [])
                waiting.append(search)
                return [self._sitemap_request(sitemap)] if len(waiting) == 1 else []
            candidate = search.next_page()
            if candidate is None:
                return []
            page = self._ledger.page(candidate.url)
            if page.in_work:
                page.waiting.append((search, candidate))
                return []
            outcome = self._ledger.outcome_of(page)
            if outcome is None:
                asked = self._ask(page, _DISCOVERED, conditional=False)
                if isinstance(asked, Request):
                    page.waiting.append((search, candidate))
                    return [asked]
                outcome = asked
            elif outcome.health is not Health.OK:
                search.give_back()  # nothing is asked for, and there is nothing to read
            await self._hand_to_searches(page, outcome, [(search, candidate)])

    async def _hand_to_searches(
        self, page: Page, fetch: Fetch, waiting: list[tuple[Search, Candidate]]
    ) -> None:
        """Let searches learn from a page, and hand it on for those that had not seen it."""
        reading = _reading_of(fetch)
        final = canonical(fetch.final_url)
        keys: dict[str, None] = {}
        best = 0.0
        for search, candidate in waiting:
            if candidate.depth > 0 and _was_not_asked_for(fetch):
                search.give_back()
                continue
            if not search.is_own(final):
                if candidate.depth > 0:
                    continue  # a link that left the institution's site by a redirect
                search.adopt(final)
            search.learn(reading.links, candidate.depth)
            if candidate.depth == 0 and fetch.health in (Health.GONE, Health.SOFT_404):
                search.add_start(site_root(final))
            if candidate.depth == 0:
                search.learn_sitemaps(self._sitemap_addresses(fetch.final_url))
            if final in search.delivered:
                continue
            search.delivered.add(final)
            best = max(best, score_page(fetch.final_url, reading) + max(candidate.score, 0.0))
            keys.update(dict.fromkeys(search.keys))
        if keys:
            title = fetch.title or reading.title
            found = replace(fetch, targets=tuple(keys), discovered=True, score=best, title=title)
            await self._hand_on(found)

    # Sitemaps.

    def _sitemap_addresses(self, url: str) -> tuple[str, ...]:
        root = site_root(url)
        return self._named_sitemaps(root.rstrip("/")) or (f"{root}sitemap.xml",)

    def _sitemap_request(self, url: str) -> Request:
        return Request(
            url,
            headers=self._headers,
            callback=self._sitemap_arrived,
            errback=self._sitemap_failed,
            priority=_SITEMAP,
            meta={"sitemap": url, "download_timeout": self._timeout},
        )

    async def _take_sitemap(self, response: Response) -> list[Request]:
        sitemap = Sitemap()
        if response.status == 200:
            # In a thread: tens of thousands of addresses take longer than a loop should pause.
            sitemap = await asyncio.to_thread(
                read_sitemap, response.body, response.url, self._limits.max_bytes
            )
        return await self._sitemap_settled(response.meta["sitemap"], sitemap)

    async def _sitemap_settled(self, url: str, sitemap: Sitemap) -> list[Request]:
        self._sitemaps[url] = sitemap
        requests: list[Request] = []
        for search in self._sitemap_waiting.pop(url, []):
            self._learn_sitemap(search, sitemap)
            requests += await self._advance(search)
        return requests

    @staticmethod
    def _learn_sitemap(search: Search, sitemap: Sitemap) -> None:
        search.learn_sitemaps(sitemap.sitemaps)
        search.learn(sitemap.links, 0)


def _hash(fetch: Fetch) -> str:
    return "" if fetch.body is None else hashlib.sha256(fetch.body).hexdigest()


def _was_not_asked_for(fetch: Fetch) -> bool:
    """Whether a page was refused before any request: a redirect to a refused one was asked for."""
    unasked = fetch.status is None and fetch.final_url == fetch.url
    return unasked and fetch.health in _REFUSED_UNASKED


def _reading_of(fetch: Fetch) -> Reading:
    """Return what a search wants to know of a page; of one that cannot be read, its title."""
    if fetch.body is not None and not fetch.body.startswith(b"%PDF-"):
        try:
            return read(fetch.body, fetch.final_url)
        except Exception:  # one page must never stop a search
            logger.exception("Could not read the links of %s", fetch.final_url)
    return Reading(fetch.title, (), ())


def _attempts(meta: dict[str, Any], health: Health) -> str:
    """Say how often a page was asked for in vain."""
    attempts = meta.get("attempt", 0) + 1
    return "" if health.is_page or attempts == 1 else f" ({attempts} attempts)"
