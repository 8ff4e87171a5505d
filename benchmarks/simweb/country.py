"""A whole country of programs, whose pages are made from a seed when they are asked for.

Where `world` plans every page in every night, this holds of each page when it last changed, a few
bytes, so that 40,000 of them cost nothing. Institutions are of all sizes, the largest ten times the
mean. A page is the same, byte for byte, until a night changes it, and as large as pages are.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import accumulate

from benchmarks.classify import make_page
from benchmarks.simweb import pages, words
from benchmarks.simweb.happenings import with_condition
from benchmarks.simweb.pages import Links, Scene
from benchmarks.simweb.values import Fault, PageState, Site, data, dice
from benchmarks.simweb.world import SHAPES, STYLES, new_site, pick

CHANGED = {1: 0.0, 2: 0.0, 3: 0.02, 4: 0.0}  # by night, the share of pages that change
DAILY = 0.001  # in every night after these
FAILING = {4: 0.05}  # by night, the share of hosts
KINDS = {"policy": 10, "reworded": 45, "news": 45}  # of 100 changes
INHERITS = 22  # of 100 programs, whose own pages say nothing
CONDITIONS = 30  # of 100 policies
_EVEN = 36  # the larger, the more an institution's size depends on its rank
_PATHS = ("eligibility", "visa-faq", "applicants")
_TITLES = ("Eligibility and visas", "Visa questions", "For applicants")
_CHROMES = 40  # scripts, menus and prose around what a page says
_LARGEST = 60_000  # bytes


@dataclass(frozen=True, slots=True, eq=False)
class Country:
    """Who there is and where: pages are numbered, an institution's office first, then programs'."""

    seed: int
    programs: int
    institutions: int
    pages: int
    sites: tuple[Site, ...]
    first: tuple[int, ...]  # by institution, its first program; then the number of them

    def site_of(self, program: int) -> int:
        """The institution that has a program."""
        return bisect_right(self.first, program) - 1

    def specialty(self, program: int) -> tuple[str, str]:
        """A program's specialty and level; large institutions have several of one, on campuses."""
        rules = data("world")
        names, towns = rules["specialties"], rules["names"]["first"]
        around, which = divmod(program - self.first[self.site_of(program)], len(names))
        level = "fellowship" if around % 2 else "residency"
        if around < 2:
            return names[which], level
        lap, town = divmod(around - 2, len(towns))
        return f"{names[which]} at {towns[town]}{f' {lap + 1}' if lap else ''}", level

    def pages_of(self, program: int) -> range:
        """The numbers of a program's own pages."""
        return range(self._first_page(program), self._first_page(program + 1))

    def program_of(self, page: int) -> int | None:
        """The program that a page is of; None for an office's."""
        own = page - self.institutions
        spread = self.pages - self.institutions
        return None if own < 0 else ((own + 1) * self.programs - 1) // spread

    def place(self, page: int) -> tuple[int, str]:
        """The site and the path of a page."""
        program = self.program_of(page)
        if program is None:
            return page, "/gme/visa-policy"
        site = self.site_of(program)
        which = page - self._first_page(program)
        name = _PATHS[which] if which < len(_PATHS) else f"{_PATHS[-1]}-{which}"
        return site, f"/program-{program - self.first[site]}/{name}"

    def page_at(self, site: int, path: str) -> int | None:
        """The number of the page at a path, if there is one."""
        if path == "/gme/visa-policy":
            return site
        folder, _, name = path.removeprefix("/program-").partition("/")
        if not folder.isdigit() or not name:
            return None
        program = self.first[site] + int(folder)
        if program >= self.first[site + 1]:
            return None
        found = (page for page in self.pages_of(program) if self.place(page)[1] == path)
        return next(found, None)

    def failing(self, night: int) -> dict[int, Fault]:
        """By site, what fails in a night."""
        rules = data("world")
        kinds = {kind: share for kind, (share, _) in rules["site_faults"].items()}
        kinds |= {kind: rules["faults"][kind][0] for kind in ("timeout", "reset")}
        chance = dice(self.seed, "failing", night)
        share = FAILING.get(night, 0)
        count = max(1, round(share * self.institutions)) if share else 0
        return {s: Fault(pick(kinds, chance)) for s in chance.sample(range(len(self.sites)), count)}

    def _first_page(self, program: int) -> int:
        spread = self.pages - self.institutions
        return self.institutions + program * spread // self.programs


def build(seed: int, programs: int, institutions: int, pages: int) -> Country:
    """A country with so many of each; a program has a page at least."""
    if not 0 < institutions <= programs <= pages - institutions:
        raise ValueError("there are at least as many pages as programs and institutions")
    sites = tuple(new_site(n, dice(seed, "site", n), data("world")) for n in range(institutions))
    ranks = list(range(institutions))
    dice(seed, "ranks").shuffle(ranks)
    weights = [1 / (rank + institutions / _EVEN) for rank in ranks]
    # Each has one; the others go by weight.
    share = (programs - institutions) / sum(weights)
    ends = [n + round(sum_ * share) for n, sum_ in enumerate(accumulate(weights), 1)]
    return Country(seed, programs, institutions, pages, sites, (0, *ends))


@dataclass(slots=True)
class Today:
    """What the country's pages say now."""

    country: Country
    night: int = 1
    changed: array[int] = field(default_factory=lambda: array("H"))  # by page, the last night
    _reworded: array[int] = field(default_factory=lambda: array("H"))
    _policies: array[int] = field(default_factory=lambda: array("B"))  # by program, how many before

    def __post_init__(self) -> None:
        self.changed = array("H", [1]) * self.country.pages
        self._reworded = array("H", [1]) * self.country.pages
        self._policies = array("B", [0]) * self.country.programs

    def go(self, night: int) -> set[int]:
        """Lets all nights up to this one happen; the programs that got another policy."""
        moved: set[int] = set()
        while self.night < night:
            self.night += 1
            moved |= self._happen()
        return moved

    def _happen(self) -> set[int]:
        country, moved = self.country, set()
        chance = dice(country.seed, "night", self.night)
        count = round(CHANGED.get(self.night, DAILY) * country.pages)
        for page in chance.sample(range(country.pages), count):
            kind = pick(KINDS, chance)
            program = country.program_of(page)
            self.changed[page] = self.night
            if kind == "policy" and program is not None and not self._inherits(program):
                if program not in moved:
                    self._policies[program] += 1
                    moved.add(program)
                for own in country.pages_of(program)[:2]:  # both that speak of it
                    self.changed[own] = self.night
            elif kind != "news":
                self._reworded[page] = self.night
        return moved

    def says(self, program: int) -> words.Meaning:
        """What a program's pages say, its office's where they say nothing."""
        own = words.meaning(self.state(self.country.pages_of(program)[0]))
        office = words.meaning(self.state(self.country.site_of(program)))
        spoken = {visa for visa, _ in own.stances}
        return words.Meaning(
            own.stances | {(v, s) for v, s in office.stances if v not in spoken},
            own.conditions | {c for c in office.conditions if c[0] not in spoken},
        )

    def state(self, page: int) -> PageState:
        """What a page says."""
        country = self.country
        site, path = country.place(page)
        program = country.program_of(page)
        chance = dice(country.seed, "page", page)
        plain = PageState(site, path, "Visa policy", shape=chance.choice(SHAPES))
        plain = replace(
            plain, phrase=dice(country.seed, page, self._reworded[page]).randrange(1000)
        )
        if program is None:
            return replace(plain, policy=chance.choice(("j1_only", "j1_and_h1b")))
        which = min(page - country.pages_of(program)[0], 2)
        plain = replace(plain, title=_TITLES[which])
        if which == 2 or self._inherits(program):
            return plain
        chance = dice(country.seed, "policy", program)
        policy = pick(data("world")["policies"], chance)
        for _ in range(self._policies[program]):
            # None leaves out what the one before said: that would be due a night later.
            names = [name for name in data("words")["says"] if name != "j1_h1b_unstated"]
            policy = chance.choice([name for name in names if name != policy])
        stated = replace(plain, policy=policy)
        return with_condition(stated, chance) if chance.randrange(100) < CONDITIONS else stated

    def write(self, page: int) -> bytes:
        """A page as it is served."""
        seed, state = self.country.seed, self.state(page)
        site = self.country.sites[state.site]
        look = dice(seed, "look", site.number)
        style = (look.choice(STYLES), look.randrange(100))
        scene = Scene(seed, self.changed[page], site, style, _nav(self.country, site.number))
        bare = pages.written(scene, state, str(page), [])
        head, prose = _chrome(page % _CHROMES)
        for end, more in (("</head>", head), ("</body>", prose)):
            at = bare.lower().rindex(end)
            bare = bare[:at] + more + bare[at:]
        return bare.encode()

    def _inherits(self, program: int) -> bool:
        return dice(self.country.seed, "inherits", program).randrange(100) < INHERITS


@lru_cache(maxsize=64)
def _nav(country: Country, site: int) -> Links:
    found = range(country.first[site], country.first[site + 1])
    return [
        (country.place(country.pages_of(program)[0])[1], country.specialty(program)[0])
        for program in found
    ]


@cache
def _chrome(which: int) -> tuple[str, str]:
    """What real pages have most of: a style and a script for the head, prose for the end."""
    seeds = (seed for seed in range(which, 100 * _CHROMES, _CHROMES))
    made = (make_page(seed, statement=False).decode() for seed in seeds)
    page = next(page for page in made if len(page) < _LARGEST)
    head = page[page.index("<style>") : page.index("</head>")]
    body = page[page.index("<main>") + 6 : page.index("</main>")]
    return head, f"<div>{body}</div>"
