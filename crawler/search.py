"""One search for the pages of a target: best named first, within a budget and a depth."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import count

from crawler.discover import Link, score_link
from crawler.sitemap import MAX_SITEMAPS
from crawler.urls import canonical, site_of
from crawler.values import Limits

_MAX_CANDIDATES = 5_000
_MAX_GIVEN_BACK = 60  # pages; each may still have cost a request for the robots.txt of a new host
_DEPTH_COST = 0.5  # a link nearer to the start page is the better one of two alike


@dataclass(frozen=True, slots=True)
class Candidate:
    """A page to fetch next: how it was reached, and how well it is named."""

    url: str
    depth: int
    score: float


class Search:
    """Decides which page to fetch next for a target; knows nothing of how.

    Searches stay on the institution's own site: the hosts of the start pages and whatever
    shares their registrable domain. A link without any telling name is followed only when
    nothing with one was found. Sitemaps come right after the start pages.
    """

    def __init__(self, keys: Iterable[str], starts: Iterable[str], limits: Limits) -> None:
        self.keys = tuple(keys)
        self._starts = deque(canonical(start) for start in starts)
        self.starts = frozenset(self._starts)
        self._sites = {site_of(start) for start in self.starts}
        self._budget = limits.page_budget
        self._given_back = 0
        self._depth = limits.depth
        self._heap: list[tuple[float, int, Candidate]] = []
        self._unnamed: deque[Candidate] = deque()
        self._found_named = False
        self._seen = set(self.starts)
        self._sitemaps: deque[str] = deque()
        self._sitemaps_seen: set[str] = set()
        self._order = count()
        self.delivered: set[str] = set()  # canonical final addresses of pages handed on

    def next_page(self) -> Candidate | None:
        """Return the page to fetch now, or None: the budget is spent or nothing is left."""
        if self._budget <= 0:
            return None
        candidate: Candidate | None = None
        if self._starts:
            candidate = Candidate(self._starts.popleft(), 0, 0.0)
        elif self._heap:
            candidate = heapq.heappop(self._heap)[2]
        elif self._unnamed and not self._found_named:
            candidate = self._unnamed.popleft()
        if candidate is not None:
            self._budget -= 1
        return candidate

    def next_sitemap(self) -> str | None:
        """Return the sitemap to read now, if the start pages are done and there is one."""
        if self._starts or self._budget <= 0 or not self._sitemaps:
            return None
        return self._sitemaps.popleft()

    def give_back(self) -> None:
        """Undo the cost of the last page: it was refused without a request.

        A site can make such pages without end, so this ends.
        """
        if self._given_back < _MAX_GIVEN_BACK:
            self._given_back += 1
            self._budget += 1

    def learn(self, links: Iterable[Link], depth: int) -> None:
        """Take up the links of a page that is `depth` links away from a start page."""
        if depth >= self._depth:
            return
        for link in links:
            if link.url in self._seen or len(self._seen) >= _MAX_CANDIDATES:
                continue
            if not self.is_own(link.url):
                continue
            self._seen.add(link.url)
            value = score_link(link)
            candidate = Candidate(link.url, depth + 1, value)
            if value > 0:
                self._found_named = True
                rank = _DEPTH_COST * candidate.depth - value
                heapq.heappush(self._heap, (rank, next(self._order), candidate))
            elif value == 0:
                self._unnamed.append(candidate)

    def learn_sitemaps(self, addresses: Iterable[str]) -> None:
        """Take up addresses of sitemaps, as many as one search reads."""
        for address in addresses:
            if len(self._sitemaps_seen) >= MAX_SITEMAPS:
                return
            if address not in self._sitemaps_seen and self.is_own(address):
                self._sitemaps_seen.add(address)
                self._sitemaps.append(address)

    def add_start(self, url: str) -> None:
        """Begin at a further page too, because a start page was not there."""
        start = canonical(url)
        if start not in self.starts:
            self.starts |= {start}
            self._starts.append(start)
            self._seen.add(start)

    def adopt(self, url: str) -> None:
        """Count a site as the institution's own: its start page redirects there."""
        self._sites.add(site_of(url))

    def is_own(self, url: str) -> bool:
        """Whether a page is on the institution's site."""
        return site_of(url) in self._sites
