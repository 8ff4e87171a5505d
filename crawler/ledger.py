"""The pages of one crawl: who wants each, and what came of it, so that none is fetched twice."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace

import zstandard

from crawler.search import Candidate, Search
from crawler.urls import canonical
from crawler.values import Fetch, Health, Plan

_SHELF_BYTES = 64_000_000


@dataclass(slots=True, eq=False)
class Page:
    """One page, by its canonical address.

    `known` maps the address as a plan spelled it to the targets that asked for it, `hashes` to
    the hash of the bytes that they have of it; `waiting` are the searches that came upon it.
    `outcome` is its last `Fetch`, without the body.
    """

    url: str
    known: dict[str, list[str]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: str | None = None
    rendered: bool = False
    waiting: list[tuple[Search, Candidate]] = field(default_factory=list)
    in_work: bool = False
    outcome: Fetch | None = None

    @property
    def known_targets(self) -> set[str]:
        """The targets whose plan names this page."""
        return {key for keys in self.known.values() for key in keys}


class Shelf:
    """The bodies of discovered pages for searches that come later; the latest of a whole crawl."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[Page, bytes] = OrderedDict()
        self._size = 0
        self._pack = zstandard.ZstdCompressor(level=1)
        self._unpack = zstandard.ZstdDecompressor()

    def put(self, page: Page, body: bytes) -> None:
        """Keep a page's body, and let go of those that were not asked for in a long time."""
        packed = self._pack.compress(body)
        self._size += len(packed) - len(self._bodies.pop(page, b""))
        self._bodies[page] = packed
        while self._size > _SHELF_BYTES:
            self._size -= len(self._bodies.popitem(last=False)[1])

    def get(self, page: Page) -> bytes | None:
        """The body of a page, if it is still there."""
        packed = self._bodies.get(page)
        if packed is None:
            return None
        self._bodies.move_to_end(page)
        return self._unpack.decompress(packed)


class Ledger:
    """All pages of an errand; `shelf` keeps the bodies of discovered ones."""

    def __init__(self, shelf: Shelf) -> None:
        self._pages: dict[str, Page] = {}
        self._shelf = shelf

    @classmethod
    def of(cls, plan: Plan, shelf: Shelf) -> Ledger:
        """Return a ledger with the known pages of a plan."""
        ledger = cls(shelf)
        for target in plan.targets:
            for known in target.pages:
                page = ledger.page(known.url)
                keys = page.known.setdefault(known.url, [])
                if target.key not in keys:
                    keys.append(target.key)
                page.rendered |= known.rendered
                page.hashes[known.url] = known.sha256
                if len(page.known) == len(keys) == 1:
                    page.etag, page.last_modified = known.etag, known.last_modified
                elif (page.etag, page.last_modified) != (known.etag, known.last_modified):
                    # They saw different versions: only a whole answer serves both.
                    page.etag = page.last_modified = None
        return ledger

    def page(self, url: str) -> Page:
        """Return the page of a URL, new or not."""
        key = canonical(url)
        page = self._pages.get(key)
        if page is None:
            page = self._pages[key] = Page(url=url if key.startswith("http") else key)
        return page

    def known_pages(self) -> list[Page]:
        """Return the pages that the plan names."""
        return [page for page in self._pages.values() if page.known]

    def shelve(self, page: Page, outcome: Fetch, *, keep_body: bool) -> None:
        """Remember what came of a page, and its body if another search may want it."""
        body = outcome.body
        page.outcome = replace(outcome, body=None)
        if body is not None and keep_body:
            self._shelf.put(page, body)

    def outcome_of(self, page: Page) -> Fetch | None:
        """Return what came of a page, with its body, or None if it must be fetched (again)."""
        outcome = page.outcome
        if outcome is None or outcome.health is Health.NOT_MODIFIED:
            return None
        if outcome.health is not Health.OK:
            return outcome
        body = self._shelf.get(page)
        return None if body is None else replace(outcome, body=body)
