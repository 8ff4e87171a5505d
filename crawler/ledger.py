"""The pages of one crawl: who wants each, and what came of it, so that none is fetched twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import zstandard

from crawler.search import Candidate, Search
from crawler.urls import canonical
from crawler.values import Fetch, Health, Target

_SHELF_BYTES = 64_000_000


@dataclass(slots=True, eq=False)
class Page:
    """One page, by its canonical address.

    `known` maps the address as a plan spelled it to the targets that wait for it, `hashes` to
    the hash of the bytes that they have of it; `waiting` are the searches that came upon it.
    `outcome` is its last `Fetch`, without the body.
    """

    url: str
    known: dict[str, list[Target]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    etag: str | None = None
    last_modified: str | None = None
    rendered: bool = False
    waiting: list[tuple[Search, Candidate]] = field(default_factory=list)
    in_work: bool = False
    outcome: Fetch | None = None


class Shelf:
    """The bodies of discovered pages for searches that come later; the latest of a whole crawl."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[Page, tuple[bytes, Ledger]] = OrderedDict()
        self._size = 0
        self._pack = zstandard.ZstdCompressor(level=1)
        self._unpack = zstandard.ZstdDecompressor()

    def put(self, page: Page, body: bytes, ledger: Ledger) -> None:
        """Keep the body of a ledger's page, and let go of those not asked for in a long time."""
        packed = self._pack.compress(body)
        old, _ = self._bodies.pop(page, (b"", ledger))
        self._size += len(packed) - len(old)
        self._bodies[page] = packed, ledger
        while self._size > _SHELF_BYTES:
            page, (packed, ledger) = self._bodies.popitem(last=False)
            self._size -= len(packed)
            ledger.forget(page)

    def get(self, page: Page) -> bytes | None:
        """The body of a page, if it is still there."""
        found = self._bodies.get(page)
        if found is None:
            return None
        self._bodies.move_to_end(page)
        return self._unpack.decompress(found[0])


class Ledger:
    """The pages of an errand that are to be fetched, and of the others what a search may want.

    `shelf` keeps the bodies of discovered ones. Of a page that has come and is not on it, nothing
    is known any more, unless it failed: a search that comes upon it has to ask for it again.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._pages: dict[str, Page] = {}
        self._shelf = shelf

    def add(self, targets: Iterable[Target]) -> list[Page]:
        """Take up the known pages of some targets; gives each of these pages once."""
        added: dict[str, Page] = {}
        for target in targets:
            for known in target.pages:
                page = self.page(known.url)
                added[canonical(known.url)] = page
                asking = page.known.setdefault(known.url, [])
                if all(other.key != target.key for other in asking):
                    asking.append(target)
                page.rendered |= known.rendered
                page.hashes[known.url] = known.sha256
                if len(page.known) == len(asking) == 1:
                    page.etag, page.last_modified = known.etag, known.last_modified
                elif (page.etag, page.last_modified) != (known.etag, known.last_modified):
                    # They saw different versions: only a whole answer serves both.
                    page.etag = page.last_modified = None
        return list(added.values())

    def page(self, url: str) -> Page:
        """Return the page of a URL, new or not."""
        key = canonical(url)
        page = self._pages.get(key)
        if page is None:
            page = self._pages[key] = Page(url=url if key.startswith("http") else key)
        return page

    def awaited(self) -> list[Page]:
        """Return the pages for which targets wait."""
        return [page for page in self._pages.values() if page.known]

    def settle(self, page: Page, outcome: Fetch, *, wanted: bool, searching: bool) -> None:
        """Remember what came of a page: its body, too, if a search wants it or another may."""
        body = outcome.body
        page.outcome = replace(outcome, body=None)
        if body is not None and (wanted or searching):
            self._shelf.put(page, body, self)
        elif outcome.health.is_page and not wanted:
            self.forget(page)

    def forget(self, page: Page) -> None:
        """Let go of a page of which nothing is known that a search could want."""
        if not page.in_work:
            self._pages.pop(canonical(page.url), None)

    def outcome_of(self, page: Page) -> Fetch | None:
        """Return what came of a page, with its body, or None if it must be fetched (again)."""
        outcome = page.outcome
        if outcome is None or outcome.health is Health.NOT_MODIFIED:
            return None
        if outcome.health is not Health.OK:
            return outcome
        body = self._shelf.get(page)
        return None if body is None else replace(outcome, body=body)
