"""All that each source says of a program, as maintainers see it: what weighs how much, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from extractors import Policy, Visa
from monitor import diff
from sources import Age, Channel, Fused, Role, Side
from sources.known import others_speak
from sources.weigh import sides
from store.database import Store
from store.errors import NotFound
from store.evidence import Saying
from store.records import Program
from web.sides import CHANNELS, PAGES, ROLES
from web.views import Chip, Says, says, stance_chip

_AGES = {
    Age.FRESH: "fresh",
    Age.SEASON: "of this season",
    Age.LAST: "of last season",
    Age.OLDER: "of an earlier season",
    Age.AHEAD: "of a season to come",
}


@dataclass(frozen=True, slots=True)
class Row:
    """What one source says of one visa."""

    channel: str
    who: str
    at: str
    season: int
    age: str
    stance: Chip
    weight: float
    role: str
    decides: bool
    quote: str
    link: str


@dataclass(frozen=True, slots=True)
class OnVisa:
    """What stands of one visa and why, with all sides, what weighs most first."""

    visa: str
    stance: Chip
    disputed: bool
    why: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Waiting:
    """An answer or report that nobody has read, with its program and what was read in it."""

    saying: Saying
    program: Program
    says: tuple[Says, ...]

    @property
    def channel(self) -> str:
        """Where it comes from, in words."""
        return CHANNELS[Channel(self.saying.channel)]


def said(saying: Saying) -> Policy:
    """What was read in it, or what a maintainer says that it says."""
    return Policy.from_json({**Policy().to_json(), **saying.said})


def waiting(saying: Saying, program: Program) -> Waiting:
    """One that waits, as it is shown."""
    return Waiting(saying, program, says(said(saying)))


def all_sides(store: Store, program_id: str, now: datetime) -> tuple[OnVisa, ...]:
    """Visa by visa, all sides; none when only pages speak, or the program is no longer watched."""
    if not others_speak(store, program_id):
        return ()
    try:
        fused = sides(store, program_id, now)
    except NotFound:
        return ()
    if all(side.evidence.channel in PAGES for side in fused.sides):
        return ()
    found = [_on(fused, visa) for visa in Visa if any(s.visa is visa for s in fused.sides)]
    return tuple(sorted(found, key=lambda on: not on.disputed))  # what is to be decided comes first


def _on(fused: Fused, visa: Visa) -> OnVisa:
    found = [side for side in fused.sides if side.visa is visa]
    return OnVisa(
        diff.visa_words(visa),
        stance_chip(fused.policy.stance(visa)),
        visa in fused.disputed,
        _why(found, disputed=visa in fused.disputed),
        tuple(_row(side) for side in found),
    )


def _row(side: Side) -> Row:
    e = side.evidence
    return Row(
        CHANNELS[e.channel],
        "" if e.channel is Channel.RESIDENT else e.who,  # a hash, which is never shown
        e.at,
        e.season,
        _AGES[side.age],
        stance_chip(side.stance),
        side.weight,
        _role(side),
        side.role is Role.DECIDES,
        e.quote,
        e.link,
    )


def _role(side: Side) -> str:
    if side.role is Role.UNVERIFIED and side.evidence.channel is not Channel.RESIDENT:
        return "waits to be read"
    return ROLES[side.role]


def _why(found: list[Side], *, disputed: bool) -> str:
    """Which side stands and why, in a sentence or two."""
    deciding = [side for side in found if side.role is Role.DECIDES]
    if not deciding:
        return "Nothing of it counts (any more), so nothing is stated."
    first = deciding[0]
    name = CHANNELS[first.evidence.channel]
    if len({side.stance for side in deciding}) > 1:
        return f"{name}: it says two things that are equally new ({first.weight:.2f}). None stands."
    against = [side for side in found if side.role is Role.DISAGREES]
    rivals = "; ".join(f"{CHANNELS[s.evidence.channel]} ({s.weight:.2f})" for s in against)
    why = f"What stands and why: {name} ({first.weight:.2f}), which weighs most of what counts."
    if rivals:
        return f"{why} Against it: {rivals}. What you decide outweighs them all."
    return f"{why} But dates of a condition differ." if disputed else why
