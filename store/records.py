"""The rows that the store gives out and takes in.

Policies are JSON documents here: the store keeps them and does not read them.
Times are ISO 8601, UTC, as `stamp` writes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


def stamp(moment: datetime) -> str:
    """`2026-11-25T02:00:00Z`: sorts as text, and has no offset to misread.

    >>> stamp(datetime(2026, 11, 25, 2, tzinfo=UTC))
    '2026-11-25T02:00:00Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


def address_key(address: str) -> str:
    """What two spellings of one address have in common; those of a URL are two addresses.

    >>> address_key("Ana@a.example"), address_key("slack://Token")
    ('ana@a.example', 'slack://Token')
    """
    return address if "://" in address else address.lower()


@dataclass(frozen=True, slots=True)
class Program:
    """One accredited residency or fellowship (a row of programs.csv)."""

    program_id: str
    institution: str
    specialty: str
    level: str = "residency"
    city: str = ""
    state: str = ""
    website_url: str = ""
    eligibility_url: str = ""
    acgme_id: str = ""
    coordinator_email: str = ""
    gme_url: str = ""  # the institution's GME office page, shared by its programs


@dataclass(frozen=True, slots=True)
class Institution:
    """A sponsoring hospital or system, and its GME office's page."""

    id: int
    name: str
    gme_url: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A watched URL, what its last good answer was, and whether that needed a browser."""

    id: int
    url: str
    etag: str | None = None
    last_modified: str | None = None
    snapshot_id: int | None = None
    rendered: bool = False


@dataclass(frozen=True, slots=True)
class Observation:
    """What became of one page in one cycle. `snapshot_id` is None when the page was not seen."""

    page_id: int
    cycle_id: int
    attempt: int  # 0: the night's fetch; 1: the fresh one that confirms
    at: int  # seconds since 1970, UTC
    health: str
    snapshot_id: int | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """A page that could not be read for several cycles, reported in one of them."""

    page_id: int
    reported_cycle: int
    ended_cycle: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a program's pages came to say in a cycle: stances and conditions as JSON."""

    program_id: str
    cycle_id: int
    at: str
    said: str


@dataclass(frozen=True, slots=True)
class Flap:
    """A policy that was reported as going back and forth, and when it came to rest."""

    program_id: str
    reported_cycle: int
    ended_cycle: int | None = None


@dataclass(frozen=True, slots=True)
class Cycle:
    """One pass over the programs."""

    id: int
    started_at: str
    finished_at: str | None = None
    night: str | None = None
    summary: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A program's policy at a time: what is shown, and what its pages said then."""

    program_id: str
    since: str
    origin: str  # read | dismissed | corrected | fused (see sources.weigh)
    policy: dict[str, Any]
    reading: dict[str, Any]
    inherited_from: str | None = None
    cycle_id: int | None = None
    review_id: int | None = None  # the decision by which it stands


@dataclass(frozen=True, slots=True)
class Change:
    """A flagged difference between a program's last confirmed policy and the new one.

    `channel` is where the new one comes from (see sources.values.Channel).
    """

    id: int
    program_id: str
    cycle_id: int | None  # None: no page changed, another channel has it so
    kind: str  # policy_changed | statement_added | statement_withdrawn | page_gone | ...
    severity: str  # critical | major | minor
    status: str  # open | accepted | dismissed | corrected
    before: dict[str, Any]
    after: dict[str, Any]
    detected_at: str
    url: str | None = None
    wave_id: int | None = None
    channel: str = "website"


@dataclass(frozen=True, slots=True)
class Wave:
    """Changes of many institutions in the same direction; `change_ids` are its members."""

    id: int
    visa: str
    way: str  # see monitor.waves
    cycle_id: int  # in which it was recognised
    change_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """A maintainer's decision on a change; never changed or deleted.

    Of a reading that no change led to, `change_id` is None and `program_id` names the program.
    """

    change_id: int | None
    verdict: str  # accepted | dismissed | corrected | undone: the one before holds again
    by: str
    note: str
    at: str
    policy: dict[str, Any] | None = None
    id: int = field(default=0, compare=False)
    program_id: str = ""


@dataclass(frozen=True, slots=True)
class Remark:
    """What is said of a change beside decisions; never changed or deleted."""

    change_id: int
    kind: str  # comment | assigned | snoozed
    text: str  # the comment, a user's name, a day; "": to nobody, no longer
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who reviews."""

    id: int
    name: str
    role: str  # reviewer | admin
    password: str  # as argon2 writes it
    created_at: str
    seen_at: str | None = None  # while signed in


@dataclass(frozen=True, slots=True)
class Example:
    """A correction as a labelled passage (a line of tests/data/development.jsonl)."""

    review_id: int
    by: str
    at: str
    example: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which changes one address is told of; an empty filter lets everything through."""

    id: int
    address: str  # an e-mail address, or the URL of a channel (see monitor.alerts.channels)
    program_id: str = ""  # or several, with spaces between: a list that is watched
    institution: str = ""
    specialty: str = ""
    state: str = ""
    visa: str = ""
    severity: str = "major"  # the least severe that is mailed
    frequency: str = "at_once"  # at_once | daily | weekly
    token: str = ""
    created_at: str = ""
    after_change: int = 0  # the newest one when it began: it is told of later ones

    @property
    def program_ids(self) -> tuple[str, ...]:
        """The programs that it names."""
        return tuple(self.program_id.split())


@dataclass(frozen=True, slots=True)
class Mail:
    """A message in the outbox: composed once, sent until it is accepted or refused for good.

    It is `unconfirmed` when it was handed over twice and nobody said whether it was taken.
    """

    id: int
    message_id: str
    address: str
    subject: str
    message: bytes
    created_at: str
    state: str = "queued"  # queued | sent | refused | unconfirmed
    attempts: int = 0
    doubts: int = 0  # attempts of which nobody knows whether they succeeded
    next_attempt_at: str = ""
    sent_at: str | None = None
    error: str | None = None
