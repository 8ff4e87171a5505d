"""What a cycle has still to fetch, as its crawl is told: from the store, as it is wanted.

Of each page its number is held until then: a whole country's pages, with all that is known of
them, take more memory than the crawl.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator

from crawler import KnownPage, Limits, Target
from crawler.urls import canonical, host_of, site_root
from extractors import RULES_VERSION
from monitor import watchlist
from monitor.watchlist import Watchlist, institution_key, program_key
from store import cycles, pages, programs, snapshots
from store.database import Store
from store.records import Page, Program

LOOK_AGAIN_AFTER = 7  # cycles, when a search for a program's pages has found none


class Agenda:
    """The pages that a cycle has not observed yet, and the searches that it makes.

    Of the programs `only`, all of them when it is empty. Sites are searched for the pages of those
    in `missing`, from whose pages a statement has vanished: it may have gone to another page.
    """

    def __init__(
        self,
        store: Store,
        cycle_id: int,
        limits: Limits,
        *,
        only: Collection[str] = (),
        missing: Collection[str] = (),
    ) -> None:
        self.limits = limits
        self.total = 0  # pages
        self.has_unread = False  # whether there is a page that today's rules have not read
        self._store, self._cycle_id = store, cycle_id
        self._only, self._missing = only, missing
        self._gone = cycles.gone(store, cycles=2)
        self._waiting: dict[str, array[int]] = defaultdict(lambda: array("q"))  # ids, by host
        self._twins: dict[int, list[int]] = defaultdict(list)  # other spellings of an address
        self._list_pages()

    def _list_pages(self) -> None:
        first: dict[int, int] = {}  # by the hash of an address, the page that came first with it
        for page_id, url, is_read in pages.unobserved(
            self._store, self._cycle_id, RULES_VERSION, self._only
        ):
            self.total += 1
            self.has_unread |= not is_read
            address = canonical(url)
            twin = first.setdefault(hash(address), page_id)
            if twin == page_id:
                self._waiting[host_of(address)].append(page_id)
            else:
                self._twins[twin].append(page_id)

    def __bool__(self) -> bool:
        """Whether there is anything to be done."""
        return self.total > 0 or any(True for _ in self.searches())

    def hosts(self) -> list[str]:
        """See `crawler.Agenda`."""
        return sorted(self._waiting, key=lambda host: -len(self._waiting[host]))

    def take(self, host: str, most: int) -> tuple[Target, ...]:
        """See `crawler.Agenda`."""
        waiting = self._waiting[host]
        found: tuple[Target, ...] = ()
        while waiting and not found:  # some may be watched no more
            ids = waiting[:most].tolist()
            del waiting[:most]
            ids += [twin for page_id in ids for twin in self._twins.pop(page_id, ())]
            found = tuple(self._targets(watchlist.of_pages(self._store, ids, self._only)))
        return found

    def searches(self) -> Iterator[Target]:
        """See `crawler.Agenda`."""
        # A program whose page is named is looked for only when that page is gone.
        unnamed = programs.without_page(self._store, self._only)
        for portion in watchlist.portions(self._store, sorted({*unnamed, *self._missing})):
            searched = cycles.last_discovery(self._store, map(program_key, portion.programs))
            for program in portion.programs.values():
                key, sites = program_key(program.program_id), _sites(program)
                own, last = portion.own_pages(program), searched.get(key)
                look = not program.eligibility_url and (
                    last is None or (self._is_overdue(last) and not own)
                )
                if program.program_id in self._missing and (last is None or last < self._cycle_id):
                    sites, look = sites or _roots(own), True
                if look and sites:
                    yield Target(key, sites, discover=True)

    def _is_overdue(self, last: int) -> bool:
        return self._cycle_id - last >= LOOK_AGAIN_AFTER

    def _targets(self, watched: Watchlist) -> Iterator[Target]:
        hashes = hashes_of(self._store, watched)
        gone = {page.id for page in watched.pages()} & self._gone
        searched = cycles.last_discovery(self._store, watched.targets()) if gone else {}

        def known(key: str, page: Page) -> KnownPage:
            # A page that stays gone is not searched for each night, only in the first two: in
            # the first for one that says the same, in the second for any (see successors.py).
            last = searched.get(key)
            return KnownPage(
                page.url,
                page.etag,
                page.last_modified,
                page.id not in gone or last is None or self._is_overdue(last),
                page.rendered,
                hashes.get(page.snapshot_id or 0, ""),
            )

        for program in watched.programs.values():
            key = program_key(program.program_id)
            own = tuple(known(key, page) for page in watched.own_pages(program))
            yield Target(key, _sites(program), own)
        for name, found in watched.offices.items():
            key = institution_key(name)
            yield Target(key, (), tuple(known(key, page) for page in found))


def fresh_targets(
    store: Store, watched: Watchlist, *, missing: Collection[str] = ()
) -> tuple[Target, ...]:
    """What confirms a suspicion: all pages of these programs, in full.

    Those in `missing` are searched for once more: a page that failed at the first look may lead to
    where its statement has gone.
    """
    hashes = hashes_of(store, watched)
    return tuple(
        Target(
            program_key(program_id),
            _sites(program) or _roots(watched.pages_of(program_id)),
            tuple(
                KnownPage(
                    page.url,
                    search_when_gone=False,
                    rendered=page.rendered,
                    sha256=hashes.get(page.snapshot_id or 0, ""),
                )
                for page in watched.pages_of(program_id)
            ),
            discover=program_id in missing,
        )
        for program_id, program in watched.programs.items()
    )


def hashes_of(store: Store, watched: Watchlist) -> dict[int, str]:
    """By id, the hashes of the snapshots that today's rules have read: they need not come again."""
    ids = {page.snapshot_id for page in watched.pages() if page.snapshot_id is not None}
    return snapshots.hashes(store, ids, RULES_VERSION)


def _sites(program: Program) -> tuple[str, ...]:
    """Where a program's pages are looked for: on its own site, then on its institution's."""
    return tuple(dict.fromkeys(u for u in (program.website_url, program.gme_url) if u))


def _roots(found: Collection[Page]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(site_root(page.url) for page in found))
