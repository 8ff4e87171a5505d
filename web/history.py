"""A program's timeline in words: the text beside the picture, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitor import diff
from monitor.taken_back import BY_ITSELF
from monitor.timeline import Began, Entry, Flagged, Period, Timeline, Unread
from store import verdicts
from store.records import Change, Review
from web.picture import span
from web.views import Chip, category_chip_of
from web.words import arrows

_BEGAN = {
    Began.FIRST_SIGHT: "when its pages were first read",
    Began.CHANGE: "when its pages changed",
    Began.REVIEW: "by a maintainer's decision",
    Began.AGREEMENT: "when its pages came to say what a maintainer had decided",
    Began.ELSEWHERE: "when another of its pages said the same",
    Began.NEW_RULES: "when better rules read the same pages",
    Began.OTHER_CHANNELS: "when other sources were weighed beside its pages",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry. `chip` is the policy that began to stand; `change` a flagged one's number."""

    when: str
    words: str
    chip: Chip | None = None
    change: int | None = None


def told(timeline: Timeline) -> list[tuple[int, list[Line]]]:
    """The entries by season, the newest first in both."""
    return [
        (year, [_line(entry) for entry in reversed(entries)])
        for year, entries in reversed(timeline.seasons())
    ]


def decided(change: Change, reviews: Sequence[Review]) -> str:
    """What became of a flagged change, in words; never who decided it."""
    last = verdicts.holding(reviews)
    if change.status == "open":
        return "not reviewed yet"
    if last is None:  # nobody had to: see sources.flagging
        return "a maintainer has read what it rests on"
    if last.by == BY_ITSELF:
        return "taken back by the program before anybody reviewed it"
    return {
        "accepted": f"confirmed by a maintainer on {last.at[:10]}",
        "corrected": f"corrected by a maintainer on {last.at[:10]}",
        "dismissed": f"dismissed by a maintainer on {last.at[:10]}: the policy from before stands",
    }[change.status]


def _line(entry: Entry) -> Line:
    match entry:
        case Period():
            last = verdicts.holding(entry.reviews)
            words = _BEGAN[entry.began]
            if (last is None or last.by == BY_ITSELF) and entry.began is not Began.REVIEW:
                words += "; not reviewed"
            return Line(span(entry.at, entry.until), words, category_chip_of(entry.policy))
        case Flagged(change=change):
            what, then = arrows(diff.summary(change)), decided(change, entry.reviews)
            return Line(entry.at[:10], f"A change was flagged: {what} ({then})", change=change.id)
        case Unread():
            nights = "1 night" if entry.cycles == 1 else f"{entry.cycles} nights"
            why = f": {entry.detail}" if entry.detail else ""
            return Line(span(entry.at, entry.until), f"A page could not be read for {nights}{why}")
