"""What is watched, what is told of it, and what the watching costs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from benchmarks.simweb.server import Served
from benchmarks.simweb.values import World

PEERS = Path(__file__).parents[2] / ".venv-peers"  # an environment each, made by `make peers`


@dataclass(frozen=True, slots=True)
class Page:
    """A watched page: its key in the simulated web, and the programs whose policy it may hold."""

    key: str
    url: str
    programs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Alert:
    """Something a person was told in a night.

    `about` is a page's key, or a program for VisaWatch; `text` is what it became. A page that
    cannot be read (`error`) is no alarm, but may tell that it is `gone`.
    """

    night: int
    about: str
    programs: frozenset[str]
    text: str
    kind: Literal["change", "gone", "error"] = "change"


@dataclass(slots=True)
class Usage:
    """CPU seconds (user and system) and peak bytes of a process with its children; wall seconds."""

    cpu: float = 0.0
    wall: float = 0.0
    peak: int = 0


@dataclass(slots=True)
class Outcome:
    """All that a tool told, and what it used."""

    alerts: list[Alert] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Nights:
    """The nights to be watched, as they are served."""

    world: World
    web: Served
    pages: tuple[Page, ...]

    def __len__(self) -> int:
        return len(self.world.nights)


class Watch(Protocol):
    """Lets a tool watch the nights, with its data in a folder of its own."""

    def __call__(self, nights: Nights, folder: Path, settings: dict[str, Any]) -> Outcome: ...


class PeerError(Exception):
    """A peer that cannot be run, or that failed: named, with its last words."""


def program(peer: str, command: str) -> str:
    """The path of a peer's command. Raises PeerError where it is not installed."""
    path = PEERS / peer / "bin" / command
    if not path.exists():
        raise PeerError(f"{peer} is not installed: there is no {path}; run `make peers`")
    return str(path)


def watched(world: World, web: Served) -> tuple[Page, ...]:
    """The pages that speak for a program in the first night, as a person would list them.

    An office's page is listed once, for all its programs. The two pages of a searched program,
    which VisaWatch has to find, are given to the others.
    """
    first = world.nights[0].pages
    speaks_for: dict[str, set[str]] = {}
    for each in world.programs:
        for key in (*each.pages, *([each.office] if each.office else [])):
            speaks_for.setdefault(key, set()).add(each.id)
    return tuple(
        Page(key, web.url(first[key].site, first[key].path), frozenset(programs))
        for key, programs in speaks_for.items()
    )


def last_words(text: str, lines: int = 15) -> str:
    """The end of a log."""
    return "\n".join(text.splitlines()[-lines:])
