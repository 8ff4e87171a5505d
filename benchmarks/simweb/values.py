"""The values of a simulated web: sites, programs, pages, nights, faults and events."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent

HARMLESS = frozenset({"charset", "flicker"})  # faults behind which a page is still seen
LIKE_GONE = frozenset({"soft_404", "not_found"})  # those that look like a page that is gone


@dataclass(frozen=True, slots=True)
class Site:
    """An institution, on a host of its own. The flags are what its pages and server do."""

    number: int
    name: str
    etag: bool
    modified: bool
    tokens: bool
    cookies: bool
    news: bool
    related: bool
    counter: bool


@dataclass(frozen=True, slots=True)
class SimProgram:
    """A watched program: which pages speak for it, by key, and how they are known."""

    id: str
    site: int
    specialty: str
    kind: str  # see [kinds] in world.toml
    pages: tuple[str, ...]  # its own
    office: str = ""  # its institution's, if it has one


@dataclass(frozen=True, slots=True)
class PageState:
    """What a page is in one night. `policy` names one in words.toml; "" says nothing."""

    site: int
    path: str
    title: str
    policy: str = ""
    part: str = ""  # the one visa that it speaks of; "" for all that its policy names
    conditions: tuple[tuple[str, str], ...] = ()  # (name in words.toml, date or "")
    shape: str = "paragraph"
    phrase: int = 0
    there: bool = True
    closed: bool = False
    born: int = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with a page in a night, and in which looks (1: the first; 2: the fresh)."""

    kind: str
    looks: frozenset[int] = frozenset({1, 2})


@dataclass(frozen=True, slots=True)
class Flip:
    """A page that goes back and forth: what it says next, and how often it turns yet."""

    policy: str
    conditions: tuple[tuple[str, str], ...]
    left: int
    rests_until: int = 0  # nothing happens to it up to this night, when it has turned for good


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to a page or a site in a night, for reports."""

    night: int
    key: str
    what: str


@dataclass(slots=True)
class Night:
    """The state of the whole web in one night."""

    pages: dict[str, PageState] = field(default_factory=dict)
    styles: dict[int, tuple[str, int]] = field(default_factory=dict)  # by site: style and look
    redirects: dict[tuple[int, str], tuple[int, str]] = field(default_factory=dict)
    flips: dict[str, Flip] = field(default_factory=dict)  # by page key
    faults: dict[str, Fault] = field(default_factory=dict)  # by page key
    site_faults: dict[int, Fault] = field(default_factory=dict)

    def fault(self, key: str) -> Fault | None:
        """What is wrong with a page; its site's fault goes first. One that is gone has none."""
        page = self.pages[key]
        return self.site_faults.get(page.site) or (self.faults.get(key) if page.there else None)

    def answers_first(self, key: str) -> bool:
        """Whether a page can be seen, or is seen to be gone, in the first look of the night."""
        fault = self.fault(key)
        return self.seen_first(key) or (fault is not None and fault.kind in LIKE_GONE)

    def seen_first(self, key: str) -> bool:
        """Whether a page can be seen in the first look of the night."""
        fault = self.fault(key)
        return self.visible(key) or (fault is not None and fault.looks == {2})

    def seen_last(self, key: str) -> bool:
        """Whether a page can be seen in the second look of the night."""
        fault = self.fault(key)
        return self.visible(key) or (fault is not None and fault.looks == {1})

    def visible(self, key: str) -> bool:
        """Whether a page can be seen in both looks of the night."""
        fault = self.fault(key)
        return fault is None or fault.kind in HARMLESS


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A whole simulation. `nights[0]` is the first night."""

    seed: int
    sites: tuple[Site, ...]
    programs: tuple[SimProgram, ...]
    nights: tuple[Night, ...]
    events: tuple[Event, ...]


@cache
def data(name: str) -> dict[str, Any]:
    """One of the TOML files beside this module."""
    return tomllib.loads((HERE / f"{name}.toml").read_text(encoding="utf-8"))


@contextmanager
def weather(faults: float, changes: float, *, plain: bool) -> Iterator[None]:
    """While inside, in this process, so many times as many faults and true changes happen.

    `plain` pages have nothing around what they say: no news, counters or session tokens.
    """
    rules = data("world")
    for name in ("faults", "site_faults"):
        rules[name] = {k: [round(share * faults), most] for k, (share, most) in rules[name].items()}
    rules["changes"] = {what: round(share * changes) for what, share in rules["changes"].items()}
    if plain:
        rules["sites"] |= dict.fromkeys(("tokens", "cookies", "news", "related", "counter"), 0)
    try:
        yield
    finally:
        data.cache_clear()


def dice(*keys: object) -> random.Random:
    """Random numbers that depend on `keys` alone, not on the order in which they are asked for."""
    return random.Random("/".join(map(str, keys)))
