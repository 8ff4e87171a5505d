"""The season calendar: what is when, from where that is known, and what a page's dates mean in it.

A season is named by the year of its Match, and runs from the June before it: `season(2027)` begins
on 1 June 2026. Days are calendar days in the United States; no hour is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from dateutil import parser
from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass as checked_dataclass

from shortlist.data_files import checked, table, tables
from shortlist.errors import DataError

BASIS_WORDS = {"stated": "stated", "rule": "by rule", "pattern": "expected"}

_BEGINS = 6  # June: as monitor.timeline.season counts
_STRICT = ConfigDict(extra="forbid")
_LAST_MONTH = 7  # a deadline without a year in August or later is before the Match, else after it


class EventId(StrEnum):
    """What a season must have a day for."""

    ERAS_OPENS = "eras_opens"
    APPLY = "apply"
    MATCH_REGISTRATION = "match_registration"
    REVIEW_BEGINS = "review_begins"
    INTERVIEWS = "interviews"
    RANKING_OPENS = "ranking_opens"
    RANK_LIST = "rank_list"
    SOAP = "soap"
    MATCH_DAY = "match_day"
    H1B_FILING = "h1b_filing"
    J1_PAPERWORK = "j1_paperwork"
    START = "start"


@checked_dataclass(frozen=True, slots=True, config=_STRICT)
class Event:
    """A day of the season, or the days up to `until`, and how that is known.

    `basis` is "stated" where the source has this day of this season, "rule" where it says for
    every season how its day is found, and "pattern" where the day was reckoned from other seasons:
    that is to be looked up. `reckoned` says how, and is empty for a day that is stated.
    `visas` are those whose holders it concerns; none: everybody.
    """

    id: EventId
    name: str
    day: date
    basis: Literal["stated", "rule", "pattern"]
    source: str
    seen: date
    reckoned: str = ""
    until: date | None = None
    visas: tuple[str, ...] = ()

    @property
    def last(self) -> date:
        """Its last day."""
        return self.until or self.day

    @property
    def sure(self) -> bool:
        """Whether a source has it so, for this season or for every one."""
        return self.basis != "pattern"

    @property
    def known(self) -> str:
        """How it is known: `expected: the first Wednesday of September, as in 2025`."""
        return f"{BASIS_WORDS[self.basis]}: {self.reckoned}" if self.reckoned else "stated"


@checked_dataclass(frozen=True, slots=True, config=_STRICT)
class Look:
    """In these days programs' pages are looked at each `every` nights."""

    since: date
    until: date
    every: Annotated[int, Field(ge=1, le=31)]
    why: str = ""


@checked_dataclass(frozen=True, slots=True, config=_STRICT)
class Season:
    """One application year."""

    match: Annotated[int, Field(ge=2000, le=2200)]
    events: tuple[Event, ...]
    looks: tuple[Look, ...] = ()

    def event(self, event_id: EventId) -> Event:
        """The event of this name."""
        return next(event for event in self.events if event.id is event_id)

    @property
    def begins(self) -> date:
        """Its first day."""
        return date(self.match - 1, _BEGINS, 1)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A program's own deadline in the season. `day` is None where its words name no day.

    `sure` is False where the year, or what the words mean, was reckoned: ask the program.
    """

    day: date | None
    words: str  # the page's own
    sure: bool


@checked_dataclass(frozen=True, slots=True, config=_STRICT)
class _Words:
    words: tuple[str, ...]
    event: EventId


@dataclass(frozen=True, slots=True)
class Calendar:
    """All seasons that are known, oldest first, and what words for days mean."""

    seasons: tuple[Season, ...]
    words: tuple[tuple[str, EventId], ...]

    def season(self, match: int) -> Season:
        """The season of a Match. Raises DataError, which names those that are known."""
        for season in self.seasons:
            if season.match == match:
                return season
        known = ", ".join(str(season.match) for season in self.seasons)
        raise DataError(
            f"no calendar for the {match} Match; there is one for {known}. A file "
            f"seasons/{match}.toml in the folder of shortlist.folder adds it"
        )

    def current(self, today: date) -> Season:
        """The season that is under way. Raises DataError when its calendar is not known."""
        return self.season(today.year + (today.month >= _BEGINS))

    def place(self, by: str, season: Season) -> Deadline:
        """A condition's date (ISO, or the page's words) as a day of the season.

        A day without a year is that of the season; a full date of an earlier season is moved to
        this one, and is not sure: programs leave last year's date on their pages.
        """
        if full := _iso(by):
            if full >= season.begins:
                return Deadline(full, by, True)
            return Deadline(_in_season(full.month, full.day, season), by, False)
        lower = by.lower()
        for word, event_id in self.words:
            if re.search(rf"\b{re.escape(word)}\b", lower):
                event = season.event(event_id)
                return Deadline(event.day, by, event.sure)
        if (month_day := _month_day(by)) is not None:
            return Deadline(_in_season(*month_day, season), by, True)
        return Deadline(None, by, False)

    def nights_between_looks(self, today: date) -> int:
        """Each how many nights pages are looked at; each night where no season says otherwise."""
        for season in self.seasons:
            for look in season.looks:
                if look.since <= today <= look.until:
                    return look.every
        return 1


@cache
def calendar(folder: Path | None = None) -> Calendar:
    """The calendar of our files, and of those in `folder`. Raises DataError."""
    seasons = []
    for where, values in tables("seasons", folder):
        seasons.append(_season(values, where))
    years = [season.match for season in seasons]
    if len(set(years)) < len(years):
        raise DataError(f"seasons: two files for one Match, among {', '.join(map(str, years))}")
    where, values = table("deadlines.toml", folder)
    words = [checked(_Words, entry, where) for entry in values.get("deadline", ())]
    return Calendar(
        tuple(sorted(seasons, key=lambda season: season.match)),
        tuple((word.lower(), entry.event) for entry in words for word in entry.words),
    )


def _season(values: Mapping[str, object], where: str) -> Season:
    renamed = {**values, "events": values.get("event", ()), "looks": values.get("look", ())}
    for name in ("event", "look"):
        renamed.pop(name, None)
    looks = renamed["looks"]
    if isinstance(looks, list):  # `from` is no name in Python
        renamed["looks"] = [
            {("since" if key == "from" else key): v for key, v in look.items()} for look in looks
        ]
    season = checked(Season, renamed, where)
    have = [event.id for event in season.events]
    if missing := [str(e) for e in EventId if e not in have]:
        raise DataError(f"{where}: no event {', '.join(missing)}")
    if twice := sorted({str(e) for e in have if have.count(e) > 1}):
        raise DataError(f"{where}: twice: event {', '.join(twice)}")
    last = date(season.match + 1, 1, 1)
    for event in season.events:
        if not season.begins <= event.day <= event.last < last:
            raise DataError(
                f"{where}: event {event.id}: {event.day} to {event.last} is not in the season of "
                f"the {season.match} Match, or ends before it begins"
            )
        if bool(event.reckoned) is (event.basis == "stated"):
            raise DataError(
                f"{where}: event {event.id}: a day that is not stated says in `reckoned` how it "
                "was found, and one that is does not"
            )
    for look in season.looks:
        if look.until < look.since:
            raise DataError(f"{where}: look from {look.since}: ends before it begins")
    return season


def _iso(by: str) -> date | None:
    try:
        return date.fromisoformat(by)
    except ValueError:
        return None


def _month_day(by: str) -> tuple[int, int] | None:
    """`February 1st` as (2, 1); None for words without a day. 2000 is a leap year."""
    if not re.search(r"\d", by):
        return None
    try:
        found = parser.parse(re.sub(r"^\D*?(?=[A-Z])", "", by), default=parser.parse("2000-01-01"))
    except (ValueError, OverflowError):
        return None
    return found.month, found.day


def _in_season(month: int, day: int, season: Season) -> date:
    year = season.match if month <= _LAST_MONTH else season.match - 1
    try:
        return date(year, month, day)
    except ValueError:  # 29 February, mostly
        return date(year, month, day - 1) + timedelta(days=1)
