"""What a crawl discovers: which of the pages that it met are worth watching from now on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from crawler import Fetch, Health
from crawler.urls import canonical
from extractors import Known, states_something
from monitor.reads import Unread, statements

_ANSWERED = (Health.OK, Health.NOT_MODIFIED, Health.GONE, Health.SOFT_404)
KEEP = 5  # pages of one target that stay watched because they state something


@dataclass(frozen=True, slots=True)
class Claim:
    """A target some pages of which are gone, and which looks for their new place."""

    gone: frozenset[int]  # these pages
    first_night: bool  # they were there in the cycle before


@dataclass(slots=True)
class Finds:
    """The pages met for each target (`program:ID`, `institution:NAME`), sifted as they come.

    `known` is what the second reader has read before.
    """

    known: Known
    met: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _stating: dict[str, list[Fetch]] = field(default_factory=lambda: defaultdict(list))
    _likeliest: dict[str, Fetch] = field(default_factory=dict)
    _unread: dict[str, Fetch] = field(default_factory=dict)

    def consider(self, fetch: Fetch, heir_of: Collection[str] = ()) -> None:
        """Keeps a page that says something of visas; else the likeliest one of its target.

        The likeliest page says nothing today. It is watched for the day on which it does. Those
        in `heir_of` are targets whose silent page has moved here: to them it is as good as any.
        """
        for key in fetch.targets:
            self.met[key] += 1
            if fetch.health not in _ANSWERED and fetch.score > 0:
                self._unread.setdefault(key, replace(fetch, final_url=fetch.url))
        if fetch.health is not Health.OK or fetch.body is None:
            return
        try:
            states = states_something(statements(fetch, self.known))
        except Unread:
            return
        for key in fetch.targets:
            if states or key in heir_of:
                if len(self._stating[key]) < KEEP:
                    self._stating[key].append(fetch)
            elif fetch.score > 0:
                best = self._likeliest.get(key)
                if best is None or fetch.score > best.score:
                    self._likeliest[key] = fetch

    def drop(self, key: str, places: Collection[str]) -> None:
        """Lets go of finds that are at one of these (canonical) addresses."""
        if key in self._stating:
            left = [f for f in self._stating[key] if canonical(f.final_url) not in places]
            self._stating[key] = left

    def settle(self, claims: dict[str, Claim]) -> None:
        """Lets go of pages that targets with different lost pages have found.

        It has come in the place of one of them, and the others are down for a night: the next
        night tells. When it is nobody's first night, it has come in the place of all of them.
        """
        finders: dict[str, list[str]] = defaultdict(list)
        for key in claims:
            for fetch in self._stating.get(key, ()):
                finders[canonical(fetch.final_url)].append(key)
        for url, keys in finders.items():
            found = [claims[key] for key in keys]
            if len({claim.gone for claim in found}) > 1 and any(c.first_night for c in found):
                for key in keys:
                    self.drop(key, {url})

    def unread(self, key: str) -> Fetch | None:
        """A page that looked like one of a target's, and could not be read tonight."""
        return self._unread.get(key)

    def stating(self, key: str) -> list[Fetch]:
        """The pages of a target that state something, the likeliest first."""
        return sorted(self._stating.get(key, ()), key=lambda fetch: -fetch.score)

    def kept(self, key: str, *, has_pages: bool = False) -> list[Fetch]:
        """The pages of a target to watch from now on; with those that it has, only stating ones."""
        likeliest = None if has_pages else self._likeliest.get(key)
        return self.stating(key) or ([likeliest] if likeliest else [])
