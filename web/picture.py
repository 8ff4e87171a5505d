"""A program's timeline as a picture: where each bar and mark goes, in the units of its view box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from extractors.values import Stance, Visa
from monitor import diff
from monitor.timeline import SEASON_BEGINS, Flagged, Period, Timeline, Unread
from web.views import ALWAYS, stance_chip
from web.words import arrows

WIDTH = 400.0
_LEFT, _TOP = 52.0, 22.0  # room for the lanes' names and the seasons' names
_LANE, _BAR = 30.0, 20.0  # from lane to lane, and the height of a bar
_LEAST = 1.5  # what a short time is drawn with, so that it is seen
_NAME = 60.0  # of a season that is as wide as its name


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time in a lane; `words` are for who points at it."""

    x: float
    y: float
    width: float
    tone: str
    words: str
    said: str = ""  # what stands in it, if it is wide enough


@dataclass(frozen=True, slots=True)
class Lane:
    """One visa, or the pages that could not be read."""

    name: str
    y: float  # of the name's baseline
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment: the beginning of a season, or a flagged change."""

    x: float
    words: str


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it. `height` is that of the view box; bars are `bar` high."""

    height: float
    bar: float
    left: float
    bottom: float  # of the lanes
    lanes: tuple[Lane, ...]
    seasons: tuple[Mark, ...]
    flags: tuple[Mark, ...]
    first: str  # the days at both ends
    last: str


def picture(timeline: Timeline, now: datetime) -> Picture | None:
    """The picture of a timeline up to `now`; None when nothing has stood yet."""
    periods = [entry for entry in timeline.entries if isinstance(entry, Period)]
    if not periods:
        return None
    begin = _moment(periods[0].at)
    scale = _Scale(begin, max(now, begin))
    lanes = [
        (diff.visa_words(visa), list(_stances(periods, visa, scale, _y(number))))
        for number, visa in enumerate(_visas(periods))
    ]
    unread = [entry for entry in timeline.entries if isinstance(entry, Unread)]
    if unread:
        y = _y(len(lanes))
        lanes.append(("unread", [_unread(entry, scale, y) for entry in unread]))
    bottom = _y(len(lanes))
    return Picture(
        height=bottom + 18,
        bar=_BAR,
        left=_LEFT,
        bottom=bottom,
        lanes=tuple(
            Lane(name, _y(number) + _BAR * 0.7, tuple(bars))
            for number, (name, bars) in enumerate(lanes)
        ),
        seasons=tuple(_seasons(scale)),
        flags=tuple(
            Mark(
                scale.x(_moment(entry.at)), f"{entry.at[:10]}: {arrows(diff.summary(entry.change))}"
            )
            for entry in timeline.entries
            if isinstance(entry, Flagged)
        ),
        first=begin.date().isoformat(),
        last=scale.end.date().isoformat(),
    )


class _Scale:
    """Times as places between the left and the right end."""

    def __init__(self, begin: datetime, end: datetime) -> None:
        self.begin, self.end = begin, end
        self._seconds = max((end - begin).total_seconds(), 1.0)

    def x(self, moment: datetime) -> float:
        share = (moment - self.begin).total_seconds() / self._seconds
        return round(_LEFT + (WIDTH - _LEFT) * min(max(share, 0.0), 1.0), 1)

    def stretch(self, at: str, until: str | None) -> tuple[float, float]:
        """Where a stretch of time begins, and how wide it is."""
        x = self.x(_moment(at))
        width = (self.x(_moment(until)) if until else WIDTH) - x
        return min(x, WIDTH - _LEAST), max(round(width, 1), _LEAST)


def _visas(periods: Sequence[Period]) -> list[Visa]:
    spoken = {visa for period in periods for visa in period.policy.get("stances", {})}
    return [visa for visa in Visa if visa in ALWAYS or visa in spoken]


def _stances(periods: Sequence[Period], visa: Visa, scale: _Scale, y: float) -> Iterator[Bar]:
    """A bar for each stretch in which one thing stood for a visa."""
    runs: list[tuple[Stance, str, str | None]] = []
    for period in periods:
        stance = diff.stance(period.policy, visa)
        if runs and runs[-1][0] is stance:
            runs[-1] = (stance, runs[-1][1], period.until)
        else:
            runs.append((stance, period.at, period.until))
    for stance, at, until in runs:
        x, width = scale.stretch(at, until)
        chip = stance_chip(stance)
        words = f"{diff.visa_words(visa)} {chip.words}, {span(at, until)}"
        yield Bar(x, y, width, chip.tone, words, chip.words)


def _unread(entry: Unread, scale: _Scale, y: float) -> Bar:
    x, width = scale.stretch(entry.at, entry.until)
    return Bar(x, y, width, "unread", f"could not be read, {span(entry.at, entry.until)}")


def _seasons(scale: _Scale) -> Iterator[Mark]:
    """Where each season begins that does so in the picture, less those too near to be named."""
    last = _LEFT
    for year in range(scale.begin.year, scale.end.year + 1):
        start = datetime(year, SEASON_BEGINS, 1, tzinfo=UTC)
        if scale.begin < start < scale.end and (x := scale.x(start)) - last >= _NAME * 0.7:
            yield Mark(x, f"{year + 1} Match")
            last = x


def _y(number: int) -> float:
    return _TOP + number * _LANE


def span(at: str, until: str | None) -> str:
    """A stretch of time in words.

    >>> span("2026-11-25T02:00:00Z", None), span("2026-11-25T02:00:00Z", "2026-11-27T02:00:00Z")
    ('since 2026-11-25', '2026-11-25 to 2026-11-27')
    >>> span("2026-11-25T02:00:00Z", "2026-11-25T09:30:00Z")
    'on 2026-11-25'
    """
    if not until:
        return f"since {at[:10]}"
    day, last = at[:10], until[:10]
    return f"{day} to {last}" if day != last else f"on {day}"


def _moment(at: str) -> datetime:
    return datetime.fromisoformat(at).astimezone(UTC)
