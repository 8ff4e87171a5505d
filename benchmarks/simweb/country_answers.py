"""What the hosts of a country answer: pages, or that they have not changed, or a fault."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from benchmarks.simweb.answers import Answer, conditional, failed, text
from benchmarks.simweb.country import Country, Today
from benchmarks.simweb.values import Fault

_WALL = 7  # which of the walls' words


@dataclass(slots=True)
class CountryWeb:
    """The country in one night. Both looks of a night see the same."""

    country: Country
    port: int = 80
    today: Today = field(init=False)
    _failing: dict[int, Fault] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.today = Today(self.country)

    @property
    def sites(self) -> int:
        """How many sites there are, each on a host of its own."""
        return self.country.institutions

    def go(self, night: int, look: int) -> None:
        """Goes on to a night."""
        self.today.go(night)
        self._failing = self.country.failing(night)

    def answer(self, site: int, path: str, headers: dict[str, str]) -> Answer:
        """The answer to a GET of `path` at a site; `headers` have lower-case names."""
        fault = self._failing.get(site)
        if path == "/robots.txt" and fault is not None and fault.kind == "robots":
            return text(b"User-agent: *\nDisallow: /\n")
        if path == "/robots.txt" and (fault is None or site % 2):  # every other host has that left
            return text(b"User-agent: *\nDisallow: /search\n")
        if fault is not None:
            return failed(fault.kind, self.country.sites[site].name, _WALL) or Answer(404)
        page = self.country.page_at(site, path)
        if page is None:
            return Answer(404)
        night = self.today.changed[page]
        tag = f"{page}-{night}"
        known = conditional(self.country.sites[site], tag, night, headers)
        return replace(known, body=self.today.write(page)) if known.status == 200 else known
