"""Dates as an iCalendar file (RFC 5545), which every calendar program takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from icalendar import Calendar as Written
from icalendar import Event as Entry

from shortlist.calendar import Season


@dataclass(frozen=True, slots=True)
class Dated:
    """Whole days with a name. `uid` stays the same, so that a later file replaces an earlier."""

    uid: str
    name: str
    day: date
    until: date | None = None
    says: str = ""
    url: str = ""


def of_season(season: Season) -> list[Dated]:
    """The events of a season; what was reckoned says so in its name."""
    return [
        Dated(
            uid=f"{season.match}-{event.id}",
            name=event.name + ("" if event.sure else " (expected)"),
            day=event.day,
            until=event.until,
            says=f"{season.match} Match. Known as {event.known}. "
            + ("" if event.sure else "Look it up. ")
            + f"Source, read on {event.seen}: {event.source}",
            url=event.source,
        )
        for event in season.events
    ]


def written(dates: Iterable[Dated], name: str, now: datetime) -> bytes:
    """The file: UTF-8, CRLF, folded lines; entries in order of their days."""
    file = Written()
    file.add("prodid", "-//VisaWatch//Season calendar//EN")
    file.add("version", "2.0")
    file.add("method", "PUBLISH")
    file.add("x-wr-calname", name)
    for dated in sorted(dates, key=lambda dated: (dated.day, dated.uid)):
        entry = Entry()
        entry.add("uid", f"{dated.uid}@visawatch")
        entry.add("dtstamp", now)
        entry.add("dtstart", dated.day)
        # The end of whole days is the day after the last one.
        entry.add("dtend", (dated.until or dated.day) + timedelta(days=1))
        entry.add("summary", dated.name)
        if dated.says:
            entry.add("description", dated.says)
        if dated.url:
            entry.add("url", dated.url)
        entry.add("transp", "TRANSPARENT")
        file.add_component(entry)
    return bytes(file.to_ical())
