"""The watched programs and their pages: all of them, or as many as are looked at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from store import pages, programs
from store.database import Store
from store.pages import Watch
from store.records import Page, Program

PORTION = 500  # programs that are held at a time

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

    def add(self, watch: Watch) -> None:
        """Adds the page of a program or an institution."""
        if watch.program_id is not None:
            self.own[watch.program_id].append(watch.page)
        elif watch.institution is not None:
            self.offices[watch.institution].append(watch.page)

    def pages(self) -> Iterator[Page]:
        """All pages; one that several programs share comes several times."""
        for group in (self.own, self.offices):
            for found in group.values():
                yield from found


def load(store: Store, only: Collection[str] = ()) -> Watchlist:
    """The watchlist as it is in the store; `only` names programs, all of them when empty.

    Raises NotFound for an id that is not watched.
    """
    if not only:
        return _with_pages(programs.listed(store), pages.watches(store))
    found = some(store, only)
    for program_id in only:
        if program_id not in found.programs:
            programs.get(store, program_id)  # which says what is wrong
    return found


def some(store: Store, program_ids: Collection[str]) -> Watchlist:
    """Those of these programs that are watched, with all their pages."""
    return _with_pages(programs.listed(store, program_ids), pages.watches_of(store, program_ids))


def portions(store: Store, program_ids: Sequence[str]) -> Iterator[Watchlist]:
    """The same bit by bit, so that it need not be held as a whole.

    The pages of an office come with each bit that has programs of its institution.
    """
    for start in range(0, len(program_ids), PORTION):
        yield some(store, program_ids[start : start + PORTION])


def of_pages(store: Store, page_ids: Collection[int], only: Collection[str] = ()) -> Watchlist:
    """Some pages, and the programs and institutions that watch them.

    The programs are those with pages of their own among these; `only` names the ones that count.
    """
    found = pages.watches_on(store, page_ids, only)
    ids = {watch.program_id for watch in found if watch.program_id is not None}
    watched = Watchlist({p.program_id: p for p in programs.listed(store, ids)} if ids else {})
    for watch in found:
        watched.add(watch)
    return watched


def around(store: Store, keys: Iterable[str]) -> Watchlist:
    """The programs that are among these targets of a crawl, and all of institutions that are."""
    ids: list[str] = []
    for key in keys:
        name = institution_of(key)
        ids += [program_of(key) or ""] if name is None else programs.ids_of(store, name)
    return some(store, ids)


def _with_pages(chosen: list[Program], found: list[Watch]) -> Watchlist:
    watched = Watchlist({p.program_id: p for p in chosen})
    institutions = {p.institution for p in chosen}
    for watch in found:
        if watch.program_id in watched.programs or watch.institution in institutions:
            watched.add(watch)
    return watched


def of_one(store: Store, program: Program) -> list[Page]:
    """Every page that speaks for a program, its own first, though it be watched no more."""
    found = pages.watches_of(store, [program.program_id])
    own = [watch.page for watch in found if watch.program_id == program.program_id]
    return own + [watch.page for watch in found if watch.institution == program.institution]


def name_pages(store: Store, only: Collection[str] = ()) -> None:
    """Watches the pages that the list of programs names; of the programs `only`, if there are any.

    One that has moved is watched where it is now.
    """
    after = ""
    while found := programs.next_ids(store, after, PORTION, only):
        _name_pages(store, some(store, found))
        after = found[-1]


def _name_pages(store: Store, watched: Watchlist) -> None:
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
