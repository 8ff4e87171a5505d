"""What goes wrong in which night. The first night is a good one: everything is seen once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from benchmarks.simweb.values import HARMLESS, LIKE_GONE, Fault, Night, data, dice

_SCALE = 10_000
_ONE_NIGHT = ("soft_404", "not_found")  # two in a row are what a page that is gone looks like
_ALL_LOOKS = ("robots", "bad_certificate", "charset", "flicker")

Struck = tuple[dict[str, Fault], dict[int, Fault]]


def strike(seed: int, nights: Sequence[Night]) -> list[Struck]:
    """The faults of each night, by page and by site."""
    struck: list[Struck] = [({}, {}) for _ in nights]
    rules = data("world")
    for site in nights[0].styles:
        for number, fault in _spells(dice(seed, "faults", site), rules["site_faults"], len(nights)):
            struck[number - 1][1][site] = fault
    for key in nights[0].pages:
        for number, fault in _spells(dice(seed, "faults", key), rules["faults"], len(nights)):
            struck[number - 1][0][key] = fault
    for key, page in nights[0].pages.items():
        _be_seen_between(struck, key, page.site)
    return struck


def _be_seen_between(struck: Sequence[Struck], key: str, site: int) -> None:
    """Lets a page be like gone once only until it can be seen: twice is what gone pages look like.

    The good night after its fault may be one in which its whole site is down.
    """
    missing = False
    for by_page, by_site in struck:
        fault = by_site.get(site) or by_page.get(key)
        if fault is None or fault.kind in HARMLESS or fault.looks == {2}:
            missing = False
        elif fault.kind in LIKE_GONE and missing:
            del by_page[key]
            missing = False
        elif fault.kind in LIKE_GONE:
            missing = True


def _spells(chance: random.Random, rules: dict[str, Any], nights: int) -> list[tuple[int, Fault]]:
    """(night, fault) of one page or site; a good night lies between two spells."""
    found: list[tuple[int, Fault]] = []
    number = 2
    while number <= nights:
        kind, longest = _drawn(chance, rules)
        if not kind:
            number += 1
            continue
        lasts = 1 if kind in _ONE_NIGHT else chance.randint(1, longest)
        looks = _looks(kind, chance)
        found += [(n, Fault(kind, looks)) for n in range(number, min(number + lasts, nights + 1))]
        number += lasts + 1
    return found


def _drawn(chance: random.Random, rules: dict[str, Any]) -> tuple[str, int]:
    roll = chance.randrange(_SCALE)
    for kind, (share, longest) in rules.items():
        roll -= share
        if roll < 0:
            return kind, longest
    return "", 0


def _looks(kind: str, chance: random.Random) -> frozenset[int]:
    which = chance.choices(*zip(*data("world")["looks"].items(), strict=True))[0]
    if which == "both" or kind in _ALL_LOOKS:
        return frozenset({1, 2})
    return frozenset({1 if which == "first" else 2})
