"""Waves: a rule from above, after which many institutions give up the H-1B within days."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.simweb.values import Event, Night, PageState, World, data, dice
from benchmarks.simweb.words import meaning

FEWEST = 8  # institutions; what reaches fewer may be told as a wave, and need not


@dataclass(frozen=True, slots=True)
class Wave:
    """A wave as it was planned: the pages that it reached, and when."""

    number: int
    reached: dict[str, int]  # page key: night


def befall(seed: int, number: int, night: Night, log: list[Event]) -> None:
    """The pages that a wave reaches in this night, if one is under way."""
    rules = data("world")["wave"]
    wave = max(0, number - rules["first"][0]) // rules["every"]
    chance = dice(seed, "wave", wave)
    begin = chance.randint(*rules["first"]) + wave * rules["every"]
    busy = {event.key for event in log if event.night >= number - 1}
    for key, page in list(night.pages.items()):
        joins = dice(seed, "wave", wave, page.site)  # all of an institution in one night
        due = begin + joins.randrange(rules["days"])
        if number != due or joins.randrange(100) >= rules["share"]:
            continue
        if key not in busy and _can_join(night, key, page):
            night.pages[key] = replace(page, policy="j1_only", conditions=())
            log.append(Event(number, key, f"wave: {wave}"))


def planned(world: World) -> Iterator[Wave]:
    """The waves of a simulation, in their order."""
    reached: dict[int, dict[str, int]] = {}
    for event in world.events:
        what, _, number = event.what.partition(": ")
        if what == "wave":
            reached.setdefault(int(number), {})[event.key] = event.night
    for number, nights in sorted(reached.items()):
        yield Wave(number, nights)


def _can_join(night: Night, key: str, page: PageState) -> bool:
    """Whether a page is the only one, offers the J-1, and does not refuse the H-1B yet."""
    whole = not page.part and key not in night.flips
    alone = not key.endswith("/faq") and f"{key}/faq" not in night.pages
    says = meaning(page)
    offers = says.stance("J-1") in ("sponsored", "conditional")
    return whole and alone and offers and says.stance("H-1B") != "not_sponsored"
