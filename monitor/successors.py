"""Which discovered pages may take the place of one that is gone, or of a statement that vanished.

A search for a program's lost page walks the site of its institution, and meets the pages of its
neighbours. Taking one of these for the lost page would be a false alarm with another program's
sentence as its proof. So

- a page that the list names speaks for whom it names, and for nobody else, and a page in a part
  of the site that is another program's is that program's;
- a page that has only just gone is succeeded by one that says the same. One that says something
  else has to wait, as most pages that are missing for a night are back in the next; unless the page
  could not be seen the time before either, and this one is in the program's own part of the site;
- a page that says nothing of visas is succeeded by one of the same name in much the same words,
  whatever that says;
- a page that could not be read may be the one that is looked for: until it can be, nothing is said
  to be gone, for a week of nights (see monitor.intake);
- a statement that has vanished from a program's page may stand on another one now, in its own
  words or others, but it must be that statement, and the page must link to it; in the program's
  own part of the site it may have become another one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from crawler import Fetch, Health, discover
from crawler.urls import canonical, site_root
from extractors import READER_VERSION, Asker, Policy, Visa, policy_for, read_page
from monitor import watchlist
from monitor.compare import ChangeKind, difference
from monitor.flag import moved_along, silenced, unsaid
from monitor.likeness import Likeness, likeness
from monitor.reading import asker_of, read, statements_of
from monitor.watchlist import Watchlist
from store import cycles, policies, snapshots
from store.database import Store
from store.opinions import Opinions
from store.records import Page

_GONE = (Health.GONE, Health.SOFT_404)


@dataclass(frozen=True, slots=True)
class Missing:
    """Statements that have vanished from a program's pages, and where these link to now."""

    stated: Policy
    links: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Sites:
    """Whose the (canonical) addresses of a watchlist are, and the pages by their own."""

    owners: dict[str, set[str]]  # by the list
    finders: dict[str, set[str]]
    parts: dict[str, set[str]]  # by folder, the programs in it
    pages: dict[str, Page]
    watched: Watchlist

    @classmethod
    def of(cls, store: Store, watched: Watchlist) -> _Sites:
        """What the list names, and what was found."""
        owners: dict[str, set[str]] = {}
        finders: dict[str, set[str]] = {}
        parts: dict[str, set[str]] = {}
        for url, keys in watchlist.owners(store).items():
            owners.setdefault(canonical(url), set()).update(keys)
        for owner in watched.targets():
            for page in watched.pages_for(owner):
                finders.setdefault(canonical(page.url), set()).add(owner)
        for url, keys in [*owners.items(), *finders.items()]:
            programs = {key for key in keys if watchlist.program_of(key)}
            if programs and url != site_root(url):
                parts.setdefault(_folder(url), set()).update(programs)
        return cls(owners, finders, parts, {page.url: page for page in watched.pages()}, watched)


@dataclass(slots=True)
class Successors:
    """Sifts what one crawl discovers. `missing` holds, by program, the statements looked for."""

    store: Store
    missing: Mapping[str, Missing] = field(default_factory=dict)
    _opinions: Opinions = field(init=False)
    _known_sites: _Sites | None = None
    _gone_before: set[int] = field(default_factory=set)
    _unseen_before: set[int] = field(default_factory=set)
    _still_gone: set[str] = field(default_factory=set)  # targets of a page that is gone again
    _beside: set[tuple[str, str]] = field(default_factory=set)  # finds for a statement: for whom
    _long_lost: set[str] = field(default_factory=set)  # those of _lost that were not seen before
    _lost: dict[str, list[Policy]] = field(default_factory=lambda: defaultdict(list))
    _silent: dict[str, list[Likeness]] = field(default_factory=lambda: defaultdict(list))
    _heirs: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by address

    def __post_init__(self) -> None:
        self._opinions = Opinions(self.store, READER_VERSION)
        self._gone_before = cycles.gone_of_late(self.store)
        self._unseen_before = cycles.unseen_of_late(self.store)

    @property
    def _sites(self) -> _Sites:
        """Made when the first page is gone, has moved, or was discovered: in most nights, never.

        No page of this crawl has been stored in a new place before that.
        """
        if self._known_sites is None:
            self._known_sites = _Sites.of(self.store, watchlist.load(self.store))
        return self._known_sites

    def sift(self, fetch: Fetch) -> Iterator[Fetch]:
        """The page as it came, or, if it was discovered, emptied for those it is nothing to."""
        if not fetch.discovered:
            self._learn(fetch)
            yield fetch
            return
        wanting = [key for key in fetch.targets if not self._has(key, fetch.url)]
        taken = tuple(key for key in wanting if self._may_take(key, fetch))
        others = tuple(key for key in wanting if key not in taken)
        if taken:
            yield replace(fetch, targets=taken)
        if others:
            # It counts as looked at, and is of no promise to them.
            yield replace(fetch, targets=others, body=None, score=0.0)

    @property
    def watched(self) -> Watchlist:
        """All programs and their pages."""
        return self._sites.watched

    def _learn(self, fetch: Fetch) -> None:
        """Notes where a known page is now, or that it has just gone and what it said."""
        if fetch.health.is_page and fetch.final_url != fetch.url:
            url, final = canonical(fetch.url), canonical(fetch.final_url)
            owners = self._sites.owners
            if final != url and url in owners:
                owners.setdefault(final, set()).update(owners[url])
        if fetch.health not in _GONE or (page := self._sites.pages.get(fetch.url)) is None:
            return
        ids = [] if page.snapshot_id is None else [page.snapshot_id]
        stated = snapshots.readings(self.store, ids)
        said = [statements_of(self.store, snapshot_id, stated) for snapshot_id in ids]
        for key in fetch.targets:
            policy, _ = policy_for(said, asker=self._asker(key))
            if page.id in self._gone_before:
                self._still_gone.add(key)
            else:
                self._lost[key].append(policy)
                if page.id in self._unseen_before:
                    self._long_lost.add(key)
            if page.snapshot_id is not None and not policy.stances:
                last = snapshots.get(self.store, page.snapshot_id)
                self._silent[key].append(likeness(last.body, last.content_type, page.url))

    def _has(self, key: str, url: str) -> bool:
        """Whether it is a page that a target has already."""
        return key in self._sites.finders.get(canonical(url), ())

    def _all_gone(self, key: str) -> bool:
        """Whether no page of a target has been there of late: any may come in their place."""
        return {page.id for page in self.watched.pages_for(key)} <= self._gone_before

    def _belongs_to_others(self, key: str, url: str) -> bool:
        """Whether others have a page there, by the list or, to those who have lost one, by a find.

        A program that looks for its first page may find one that others have found before.
        """
        named = self._sites.owners.get(url)
        if named is not None and key not in named:
            return True
        if not self.watched.pages_for(key):
            return False
        found = self._sites.finders.get(url) or self._neighbours(url)
        return bool(found) and key not in found

    def _neighbours(self, url: str) -> set[str]:
        """The programs in whose part of the site an address lies: `/surgery/` is surgery's."""
        root = site_root(url)
        while (url := _folder(url.rstrip("/"))) not in ("", root):
            if url in self._sites.parts:
                return self._sites.parts[url]
        return set()

    def _asker(self, key: str) -> Asker:
        """Who asks what a target's page says: a program, or an institution for all of its own."""
        program = self.watched.programs.get(watchlist.program_of(key) or "")
        return Asker() if program is None else asker_of(program)

    def _may_take(self, key: str, fetch: Fetch) -> bool:
        # What cannot be read is also whose the address is at which it was asked for.
        places = {fetch.final_url} if fetch.body is not None else {fetch.url, fetch.final_url}
        if any(self._belongs_to_others(key, canonical(place)) for place in places):
            return False
        lost, missing = self._lost.get(key), self.missing.get(watchlist.program_of(key) or "")
        searches_anew = lost is None and missing is None and key not in self._still_gone
        if searches_anew:
            return True
        if fetch.body is None:
            return self._may_hold(key, fetch)
        stated = read_page(fetch.body, fetch.content_type, self._opinions)
        found, _ = policy_for([stated], asker=self._asker(key))
        if self._is_heir(key, fetch, fetch.body):
            self._heirs[fetch.final_url].add(key)
            return True
        if lost is None and key in self._still_gone and (missing is None or self._all_gone(key)):
            return bool(found.stances)  # to this program, not to its neighbours
        if any(_says_the_same(found, policy) for policy in lost or ()):
            return True
        own_part = self._is_in_own_part(key, canonical(fetch.final_url))
        if key in self._long_lost and own_part:
            return bool(found.stances)
        if missing is None or canonical(fetch.final_url) not in missing.links:
            return False
        self._beside.add((key, fetch.final_url))
        if own_part:
            return _speaks_of(found, missing.stated)
        return _holds(found, missing.stated)

    def _may_hold(self, key: str, fetch: Fetch) -> bool:
        """Whether a page that could not be read may be the one that is looked for.

        For a statement, it is one to which the program's own page links.
        """
        if key in self._lost or key in self._still_gone:
            return True
        missing = self.missing[watchlist.program_of(key) or ""]
        self._beside.add((key, fetch.url))
        return canonical(fetch.url) in missing.links

    def _is_in_own_part(self, key: str, url: str) -> bool:
        """Whether an address is in a folder of a target's pages that is not the whole site."""
        folders = {_folder(canonical(page.url)) for page in self.watched.pages_for(key)}
        return any(url.startswith(f) for f in folders - {site_root(url)})

    def _is_heir(self, key: str, fetch: Fetch, body: bytes) -> bool:
        if key not in self._silent:
            return False
        now = likeness(body, fetch.content_type, fetch.final_url)
        return any(now.is_that_of(silent) for silent in self._silent[key])

    def heir_of(self, fetch: Fetch) -> Collection[str]:
        """The targets that have lost a page that said nothing, and of which this is that page."""
        return self._heirs.get(fetch.final_url, ()) if fetch.body is not None else ()

    def takes_the_place(self, key: str, fetch: Fetch) -> bool:
        """Whether a find may stand for a page that is gone, not beside one for a statement."""
        return (key, fetch.final_url) not in self._beside


def _folder(url: str) -> str:
    return url[: url.rfind("/") + 1]


def vanished(store: Store, suspected: Collection[str]) -> dict[str, Missing]:
    """By program id, the statements that have vanished from its own pages; of these programs."""
    watched = watchlist.some(store, suspected)
    standing = policies.standing(store, list(watched.programs))
    found: dict[str, Missing] = {}
    for reading in read(store, watched, list(standing)):
        program_id = reading.program.program_id
        if reading.policy is None or reading.gone:
            continue
        before = moved_along(store, Policy.from_json(standing[program_id].reading))
        own = watched.own_pages(reading.program)
        places = {page.url for page in own}
        office = {page.url for page in watched.office_pages(reading.program)}
        visas = silenced(before, reading.policy, places, office)
        if visas := visas or unsaid(before, reading.policy, places):
            links = {link for page in own for link in _links(store, page)}
            found[program_id] = Missing(_only(before, visas), frozenset(links))
    return found


def _links(store: Store, page: Page) -> set[str]:
    if page.snapshot_id is None:
        return set()
    body = snapshots.get(store, page.snapshot_id).body
    return {link.url for link in discover.read(body, page.url).links}


def _only(policy: Policy, visas: tuple[Visa, ...]) -> Policy:
    return Policy(
        stances=tuple((visa, stance) for visa, stance in policy.stances if visa in visas),
        conditions=tuple(c for c in policy.conditions if c.visa in visas),
    )


def _says_the_same(found: Policy, lost: Policy) -> bool:
    if not lost.stances:
        return False
    change = difference(lost, found)
    return change is None or change.kind is ChangeKind.WORDING_CHANGED


def _speaks_of(found: Policy, missing: Policy) -> bool:
    """Whether something is said of each visa of which a statement is missing."""
    return {visa for visa, _ in missing.stances} <= {visa for visa, _ in found.stances}


def _holds(found: Policy, missing: Policy) -> bool:
    """Whether the missing statements are among those found."""
    part = _only(found, tuple(visa for visa, _ in missing.stances))
    return part.stances == missing.stances and set(part.conditions) == set(missing.conditions)
