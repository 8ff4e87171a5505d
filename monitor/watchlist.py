"""From the watched programs to the crawl's plan: which pages, for whom, looked for where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from crawler import KnownPage, Target
from crawler.urls import site_root
from extractors import RULES_VERSION
from store import cycles, pages, programs, snapshots
from store.database import Store
from store.records import Page, Program

LOOK_AGAIN_AFTER = 7  # cycles, when a search for a program's pages has found none

_PROGRAM, _INSTITUTION = "program:", "institution:"  # what a crawl's target stands for


@dataclass(frozen=True, slots=True)
class Watchlist:
    """The programs of a cycle, and the pages of each: its own, and its institution's."""

    programs: dict[str, Program]
    own: dict[str, list[Page]] = field(default_factory=lambda: defaultdict(list))
    offices: dict[str, list[Page]] = field(default_factory=lambda: defaultdict(list))

    def own_pages(self, program: Program) -> list[Page]:
        """The pages of the program itself."""
        return self.own.get(program.program_id, [])

    def office_pages(self, program: Program) -> list[Page]:
        """The pages of its institution's GME office."""
        return self.offices.get(program.institution, [])

    def pages_of(self, program_id: str) -> list[Page]:
        """Every page that speaks for a program, its own first."""
        program = self.programs[program_id]
        return [*self.own_pages(program), *self.office_pages(program)]

    def targets(self) -> Iterator[str]:
        """What the programs and institutions that have pages are called in a crawl."""
        yield from map(program_key, self.own)
        yield from map(institution_key, self.offices)

    def pages_for(self, key: str) -> list[Page]:
        """The pages of one program alone, or of one institution."""
        program_id, name = program_of(key), institution_of(key)
        return self.own.get(program_id or "", []) or self.offices.get(name or "", [])

    def pages(self) -> Iterator[Page]:
        """All pages; one that several programs share comes several times."""
        for group in (self.own, self.offices):
            for found in group.values():
                yield from found


def load(store: Store, only: Collection[str] = ()) -> Watchlist:
    """The watchlist as it is in the store; `only` names programs, all of them when empty.

    Raises NotFound for an id that is not watched.
    """
    chosen = programs.listed(store, only or None)
    found = Watchlist({p.program_id: p for p in chosen})
    for program_id in only:
        if program_id not in found.programs:
            programs.get(store, program_id)  # which says what is wrong
    institutions = {p.institution for p in chosen}
    for watch in pages.watches_of(store, only) if only else pages.watches(store):
        if watch.program_id in found.programs:
            found.own[watch.program_id].append(watch.page)
        elif watch.institution in institutions:
            found.offices[watch.institution].append(watch.page)
    return found


def of_one(store: Store, program: Program) -> list[Page]:
    """Every page that speaks for a program, its own first, though it be watched no more."""
    found = pages.watches_of(store, [program.program_id])
    own = [watch.page for watch in found if watch.program_id == program.program_id]
    return own + [watch.page for watch in found if watch.institution == program.institution]


def name_pages(store: Store, watched: Watchlist) -> bool:
    """Watches the pages that the list of programs names; says whether any was not yet there.

    One that has moved is watched where it is now.
    """
    own = {(program_id, page.url) for program_id, found in watched.own.items() for page in found}
    offices = {(name, page.url) for name, found in watched.offices.items() for page in found}
    missing: list[tuple[str, str | None, str | None]] = []
    for program in watched.programs.values():
        url, office = program.eligibility_url, program.gme_url
        if url and (program.program_id, url) not in own:
            missing.append((url, program.program_id, None))
        if office and (program.institution, office) not in offices:
            missing.append((office, None, program.institution))
    if missing:
        with store.writing():
            for url, program_id, institution in missing:
                page = pages.add(store, url)
                pages.watch(
                    store, page.id, program_id=program_id, institution=institution, found="named"
                )
    return bool(missing)


def targets(
    store: Store, watchlist: Watchlist, cycle_id: int, *, missing: Collection[str] = ()
) -> tuple[Target, ...]:
    """What this cycle still has to fetch: nothing that it has observed already.

    Sites are searched for the pages of programs in `missing`, from whose pages a statement has
    vanished: it may have gone to another page.
    """
    done = cycles.observed(store, cycle_id)
    searched = cycles.last_discovery(store)
    gone = cycles.gone(store, cycles=2)
    hashes = _hashes(store, watchlist.pages())

    def target(
        key: str, watched: list[Page], sites: tuple[str, ...] = (), *, look: bool = False
    ) -> Target | None:
        last = searched.get(key)
        overdue = last is None or cycle_id - last >= LOOK_AGAIN_AFTER

        def search_when_gone(page: Page) -> bool:
            # A page that stays gone is not searched for each night, only in the first two: in
            # the first for one that says the same, in the second for any (see successors.py).
            return last is None or overdue or page.id not in gone

        known = tuple(
            KnownPage(
                page.url,
                page.etag,
                page.last_modified,
                search_when_gone(page),
                page.rendered,
                hashes.get(page.snapshot_id or 0, ""),
            )
            for page in watched
            if page.id not in done
        )
        discover = look and bool(sites) and (last is None or (overdue and not watched))
        if program_of(key) in missing and (last is None or last < cycle_id):
            sites = sites or _roots(watched)
            discover = bool(sites)
        if not known and not discover:
            return None
        return Target(key, sites, known, discover)

    wanted = [
        target(
            program_key(program.program_id),
            watchlist.own_pages(program),
            _sites(program),
            # A program whose page is named is looked for only when that page is gone.
            look=not program.eligibility_url,
        )
        for program in watchlist.programs.values()
    ]
    wanted += [target(institution_key(name), found) for name, found in watchlist.offices.items()]
    return tuple(t for t in wanted if t is not None)


def fresh_targets(
    store: Store,
    watchlist: Watchlist,
    program_ids: Collection[str],
    *,
    missing: Collection[str] = (),
) -> tuple[Target, ...]:
    """What confirms a suspicion: all pages of these programs, in full.

    Those in `missing` are searched for once more: a page that failed at the first look may lead to
    where its statement has gone.
    """
    suspected = (page for program_id in program_ids for page in watchlist.pages_of(program_id))
    hashes = _hashes(store, suspected)
    return tuple(
        Target(
            program_key(program_id),
            _sites(watchlist.programs[program_id]) or _roots(watchlist.pages_of(program_id)),
            tuple(
                KnownPage(
                    page.url,
                    search_when_gone=False,
                    rendered=page.rendered,
                    sha256=hashes.get(page.snapshot_id or 0, ""),
                )
                for page in watchlist.pages_of(program_id)
            ),
            discover=program_id in missing,
        )
        for program_id in program_ids
    )


def _hashes(store: Store, found: Iterable[Page]) -> dict[int, str]:
    """By id, the hashes of the snapshots that today's rules have read: they need not come again."""
    ids = {page.snapshot_id for page in found if page.snapshot_id is not None}
    return snapshots.hashes(store, ids, RULES_VERSION)


def _sites(program: Program) -> tuple[str, ...]:
    """Where a program's pages are looked for: on its own site, then on its institution's."""
    return tuple(dict.fromkeys(u for u in (program.website_url, program.gme_url) if u))


def _roots(pages: Collection[Page]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(site_root(page.url) for page in pages))


def owners(store: Store) -> dict[str, set[str]]:
    """By address, the targets for which the list of programs names a page."""
    found: dict[str, set[str]] = defaultdict(set)
    for watch in pages.watches(store):
        if watch.found == "named":
            found[watch.page.url].add(
                program_key(watch.program_id)
                if watch.program_id
                else institution_key(watch.institution or "")
            )
    return found


def program_key(program_id: str) -> str:
    """What a program is called among a crawl's targets."""
    return _PROGRAM + program_id


def institution_key(name: str) -> str:
    """What an institution is called among a crawl's targets."""
    return _INSTITUTION + name


def program_of(key: str) -> str | None:
    """The program that a target stands for, if it is one."""
    return key.removeprefix(_PROGRAM) if key.startswith(_PROGRAM) else None


def institution_of(key: str) -> str | None:
    """The institution that a target stands for, if it is one."""
    return key.removeprefix(_INSTITUTION) if key.startswith(_INSTITUTION) else None
