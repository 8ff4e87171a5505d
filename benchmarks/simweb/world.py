"""From a seed to a simulated web: its institutions and programs, and what happens to them."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.simweb import happenings, waves
from benchmarks.simweb.faults import strike
from benchmarks.simweb.values import (
    Event,
    Night,
    PageState,
    SimProgram,
    Site,
    World,
    data,
    dice,
)

STYLES = ("classic", "divs", "old", "blog", "cards")
SHAPES = ("paragraph", "paragraphs", "list", "question", "folded", "bold", "headed", "table")


def build(seed: int, programs: int, nights: int) -> World:
    """Plans a whole simulation."""
    plan = _Plan(seed, programs)
    plan.found()
    for number in range(1, nights + 1):
        plan.go_on(number)
    faults = strike(seed, plan.nights)
    for night, (by_page, by_site) in zip(plan.nights, faults, strict=True):
        night.faults, night.site_faults = by_page, by_site
    return World(
        seed, tuple(plan.sites), tuple(plan.programs), tuple(plan.nights), tuple(plan.events)
    )


def pick(weights: dict[str, int], chance: random.Random) -> str:
    """One of the keys, by weight."""
    return chance.choices(list(weights), list(weights.values()))[0]


@dataclass(slots=True)
class _Plan:
    seed: int
    wanted: int
    sites: list[Site] = field(default_factory=list)
    programs: list[SimProgram] = field(default_factory=list)
    nights: list[Night] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    now: Night = field(default_factory=Night)

    def found(self) -> None:
        """The institutions, their programs and pages, as they are in the first night."""
        rules = data("world")
        while len(self.programs) < self.wanted:
            number = len(self.sites)
            chance = dice(self.seed, "site", number)
            self.sites.append(new_site(number, chance, rules))
            self.now.styles[number] = (chance.choice(STYLES), chance.randrange(100))
            left = self.wanted - len(self.programs)
            if chance.randrange(100) < rules["kinds"]["searched"] * 2:
                self._searched(number, chance, rules)
                continue
            count = min(left, chance.randint(*rules["sites"]["programs"]))
            self._department(number, count, chance, rules)

    def _department(
        self, site: int, count: int, chance: random.Random, rules: dict[str, Any]
    ) -> None:
        kinds = {k: w for k, w in rules["kinds"].items() if k != "searched"}
        chosen = [pick(kinds, chance) for _ in range(count)]
        office = ""
        if set(chosen) - {"own"}:
            office = f"{site}/office"
            state = self._page(office, site, "/gme/visa-policy", "Visa policy", chance)
            if "partly" in chosen:  # the office must speak of the H-1B
                state = replace(state, policy=chance.choice(("j1_only", "j1_and_h1b")))
            self.now.pages[office] = state
        specialties = chance.sample(rules["specialties"], count)
        for specialty, kind in zip(specialties, chosen, strict=True):
            slug = specialty.lower().replace(" ", "-")
            key = f"{site}/{slug}"
            page = self._page(key, site, f"/{slug}/eligibility", "Eligibility and visas", chance)
            if kind == "office":
                page = replace(page, policy="", conditions=())
            if kind == "partly":
                page = replace(page, policy="j1_h1b_unstated", conditions=())
            self.now.pages[key] = page
            self.programs.append(
                SimProgram(
                    f"p{site}-{slug}",
                    site,
                    specialty,
                    kind,
                    (key,),
                    office,
                )
            )

    def _searched(self, site: int, chance: random.Random, rules: dict[str, Any]) -> None:
        specialty = chance.choice(rules["specialties"])
        slug = specialty.lower().replace(" ", "-")
        first, second = f"{site}/{slug}", f"{site}/{slug}/faq"
        page = self._page(first, site, f"/{slug}/eligibility", "Eligibility and visas", chance)
        self.now.pages[first] = page
        self.now.pages[second] = replace(
            page,
            path=f"/{slug}/visa-faq",
            title="Visa questions",
            shape=chance.choice(SHAPES),
            phrase=chance.randrange(1000),
        )
        self.programs.append(
            SimProgram(f"p{site}-{slug}", site, specialty, "searched", (first, second))
        )

    def _page(self, key: str, site: int, path: str, title: str, chance: random.Random) -> PageState:
        policy = pick(data("world")["policies"], chance)
        page = PageState(
            site,
            path,
            title,
            policy,
            shape=chance.choice(SHAPES),
            phrase=chance.randrange(1000),
        )
        if chance.random() < 0.3:
            page = happenings.with_condition(page, chance)
        return page

    def go_on(self, number: int) -> None:
        """Lets a night happen; in the first, nothing does."""
        if number > 1:
            now = self.now
            self.now = Night(*map(dict, (now.pages, now.styles, now.redirects, now.flips)))
            for program in self.programs:
                happenings.befall(self.seed, number, self.now, program, self.events)
            for site in self.sites:
                happenings.befall_site(self.seed, number, self.now, site.number, self.events)
            waves.befall(self.seed, number, self.now, self.events)
        self.nights.append(self.now)


def new_site(number: int, chance: random.Random, rules: dict[str, Any]) -> Site:
    names, shares = rules["names"], rules["sites"]

    def has(trait: str) -> bool:
        return chance.randrange(100) < shares[trait]

    name = " ".join(chance.choice(names[part]) for part in ("first", "second", "last"))
    etag = has("etag")
    return Site(
        number,
        f"{name} {number + 1}",
        etag,
        has("modified") and not etag,
        has("tokens"),
        has("cookies"),
        has("news"),
        has("related"),
        has("counter"),
    )
