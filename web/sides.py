"""What each source says of a program, as its page shows it; what nobody has read is not shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.diff import visa_words
from sources import Channel, Fused, Role, Side
from sources.weigh import sides
from store import evidence
from store.database import Store
from web.views import Chip, stance_chip

CHANNELS = {
    Channel.MAINTAINER: "A maintainer's finding",
    Channel.COORDINATOR: "The program's coordinator, in writing",
    Channel.WEBSITE: "The program's own page",
    Channel.INSTITUTION: "Its institution's page",
    Channel.FREIDA: "FREIDA, as somebody copied it",
    Channel.RESIDENT: "Residents",
}
ROLES = {
    Role.DECIDES: "decides",
    Role.AGREES: "says the same",
    Role.DISAGREES: "says otherwise",
    Role.SET_ASIDE: "a maintainer knew of it and found otherwise",
    Role.SUPERSEDED: "it has said something else since",
    Role.UNVERIFIED: "one report, which nobody has confirmed",
    Role.HISTORY: "too old to count",
    Role.AHEAD: "for a season to come",
}
PAGES = (Channel.WEBSITE, Channel.INSTITUTION, Channel.MAINTAINER)


@dataclass(frozen=True, slots=True)
class Told:
    """What one source says of one visa, and what becomes of it."""

    visa: str
    stance: Chip
    channel: str
    role: str
    at: str
    season: int
    quote: str
    link: str


def weighed(store: Store, program_id: str, now: datetime) -> Fused | None:
    """What all sources on a program come to; None for most, of which only their pages speak.

    Raises NotFound.
    """
    return sides(store, program_id, now) if evidence.of_programs(store, [program_id]) else None


def shown(fused: Fused | None) -> tuple[Side, ...]:
    """All sides, what weighs most first; none when only a program's pages and findings speak."""
    found = tuple(side for side in fused.sides if not _unread(side)) if fused else ()
    return () if all(side.evidence.channel in PAGES for side in found) else found


def quote(side: Side) -> str:
    """The words that prove it: how a maintainer found out is for maintainers."""
    return "" if side.evidence.channel is Channel.MAINTAINER else side.evidence.quote


def told(fused: Fused | None) -> tuple[Told, ...]:
    """What is shown, in words."""
    return tuple(
        Told(
            visa_words(side.visa),
            stance_chip(side.stance),
            CHANNELS[side.evidence.channel],
            ROLES[side.role],
            side.evidence.at,
            side.evidence.season,
            quote(side),
            side.evidence.link,
        )
        for side in shown(fused)
    )


def _unread(side: Side) -> bool:
    return side.role is Role.UNVERIFIED and side.evidence.channel is not Channel.RESIDENT
