"""What a crawl discovers: which of the pages that it met are worth watching from now on."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from crawler import Fetch, Health
from extractors import read_page, states_something

KEEP = 5  # pages of one target that stay watched because they state something


@dataclass(slots=True)
class Finds:
    """The pages met for each target (`program:ID`, `institution:NAME`), sifted as they come."""

    met: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _stating: dict[str, list[Fetch]] = field(default_factory=lambda: defaultdict(list))
    _likeliest: dict[str, Fetch] = field(default_factory=dict)

    def consider(self, fetch: Fetch) -> None:
        """Keeps a page that says something of visas; else the likeliest one of its target.

        The likeliest page says nothing today. It is watched for the day on which it does.
        """
        for key in fetch.targets:
            self.met[key] += 1
        if fetch.health is not Health.OK or fetch.body is None:
            return
        states = states_something(read_page(fetch.body, fetch.content_type))
        for key in fetch.targets:
            if states and len(self._stating[key]) < KEEP:
                self._stating[key].append(fetch)
            elif not states and fetch.score > 0:
                best = self._likeliest.get(key)
                if best is None or fetch.score > best.score:
                    self._likeliest[key] = fetch

    def stating(self, key: str) -> list[Fetch]:
        """The pages of a target that state something, the likeliest first."""
        return sorted(self._stating.get(key, ()), key=lambda fetch: -fetch.score)

    def kept(self, key: str) -> list[Fetch]:
        """The pages of a target to watch from now on."""
        likeliest = self._likeliest.get(key)
        return self.stating(key) or ([likeliest] if likeliest else [])
