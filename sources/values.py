"""What sources pass on: who said what of a program's visas, when, and what all of it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from extractors import Condition, Policy, Stance, Visa


class Channel(StrEnum):
    """Where evidence comes from, in the order in which it is believed within one season."""

    MAINTAINER = "maintainer"  # a finding that a maintainer confirmed
    COORDINATOR = "coordinator"  # the program coordinator's written answer
    WEBSITE = "website"  # the program's own pages
    INSTITUTION = "institution"  # its institution's pages
    FREIDA = "freida"  # what somebody exported or typed from the AMA's directory
    RESIDENT = "resident"  # what residents report


PAGES = (Channel.WEBSITE, Channel.INSTITUTION)  # what VisaWatch reads itself


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one source says of a program.

    `at` is when it said so, or was last seen to say so, and `since` when it first did (ISO 8601,
    UTC; empty: at `at`). `season` is the Match year that it speaks of. `who` says who spoke; of a
    resident it is a salted hash, which tells two reporters apart and is never shown. `link` leads
    to it, where it has an address. `stances` holds what is said; a visa that is not there is left
    open. `confirmed`: it may count, as a coordinator's answer does once a maintainer has read it,
    and a resident's report once a maintainer stands for it. `doubtful`: it was read with so little
    confidence that a person should look. `confidence` (0 to 1) is how sure it was read rightly.
    `turn` tells which was later of what one channel said in one second.
    """

    channel: Channel
    at: str
    season: int
    stances: tuple[tuple[Visa, Stance], ...]
    conditions: tuple[Condition, ...] = ()
    who: str = ""
    quote: str = ""
    link: str = ""
    since: str = ""
    confirmed: bool = True
    doubtful: bool = False
    confidence: float = 1.0
    turn: int = 0
    id: int = 0  # in the store; 0 for what is kept elsewhere

    @property
    def begun(self) -> str:
        """Since when it says so."""
        return self.since or self.at

    def stance(self, visa: Visa) -> Stance:
        """What it says of `visa`; `UNSTATED` when nothing."""
        return dict(self.stances).get(visa, Stance.UNSTATED)


class Age(StrEnum):
    """How old evidence is, for its weight (see weights.toml)."""

    FRESH = "fresh"  # of this season, and not older than its channel's `fresh_days`
    SEASON = "season"  # of this season
    LAST = "last"  # of the season before
    OLDER = "older"
    AHEAD = "ahead"  # of a season that has not begun: it does not count yet


class Role(StrEnum):
    """What a piece of evidence does to the answer on one visa."""

    DECIDES = "decides"
    AGREES = "agrees"
    DISAGREES = "disagrees"
    SET_ASIDE = "set_aside"  # a maintainer knew of it and decided otherwise
    SUPERSEDED = "superseded"  # the same channel has said something since
    UNVERIFIED = "unverified"  # no maintainer has read it, or no second resident says so
    HISTORY = "history"  # too old to count
    AHEAD = "ahead"  # of a season to come


@dataclass(frozen=True, slots=True)
class Side:
    """One piece of evidence on one visa: what it says, what it weighs, what became of it."""

    visa: Visa
    stance: Stance
    evidence: Evidence
    age: Age
    weight: float
    role: Role


@dataclass(frozen=True, slots=True)
class Fused:
    """What all evidence on a program comes to, with all sides.

    `disputed` are the visas on which evidence that counts disagrees, and no maintainer has decided
    knowing of it. `policy` is what the program's policy is: its `needs_review` is set then, and
    its evidence quotes whoever decides and whoever agrees or disagrees.
    """

    policy: Policy
    sides: tuple[Side, ...]
    disputed: tuple[Visa, ...]

    def channels(self, visa: Visa) -> tuple[Channel, ...]:
        """The channels that decide on `visa`: none, one, or equals that disagree."""
        found = (s.evidence.channel for s in self.sides if s.visa is visa)
        roles = (s.role for s in self.sides if s.visa is visa)
        pairs = zip(found, roles, strict=True)
        return tuple(dict.fromkeys(c for c, role in pairs if role is Role.DECIDES))
