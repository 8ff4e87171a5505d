"""What a mail shows of its sections: a few changes whole, more as a line, the rest counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from monitor.alerts.message import one_line
from monitor.alerts.sections import Section, Story
from monitor.alerts.wording import Item

QUOTE_LIMIT = 200  # characters of a sentence that stands in a line


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is shown."""

    whole: int  # changes that are told whole, in all ...
    whole_each: int  # ... and of one institution
    lines: int  # told as a line, of each section
    headings: int  # sections that are listed at the top


@dataclass(frozen=True, slots=True)
class Line:
    """A change in one line, and the sentence that stands on the page now."""

    headline: str
    severity: str
    quote: str
    url: str
    link: str


@dataclass(frozen=True, slots=True)
class Block:
    """One section as the templates show it. `left` are the changes that are only counted."""

    number: int
    headline: str
    severity: str
    wave: bool
    items: tuple[Item, ...]
    lines: tuple[Line, ...]
    left: int
    more_link: str  # to all changes of its week; empty without a web site


def layout(
    sections: Sequence[Section], limits: Limits, base_url: str, show: Callable[[Story], Item]
) -> list[Block]:
    """The blocks of some sections, in their order; `show` gives a story in words."""
    blocks = []
    whole = limits.whole
    for section in sections:
        count = 0 if section.wave else min(limits.whole_each, whole)
        whole -= min(count, len(section.stories))
        rest = section.stories[count:]
        first = section.stories[0][0].change
        others = len(section.stories) - 1
        more = f", and {others} more change{'s' if others > 1 else ''}" if others else ""
        blocks.append(
            Block(
                number=first.id,
                headline=section.wave or show(section.stories[0]).headline + more,
                severity=section.severity,
                wave=bool(section.wave),
                items=tuple(show(story) for story in section.stories[:count]),
                lines=tuple(_line(show(story)) for story in rest[: limits.lines]),
                left=sum(map(len, rest[limits.lines :])),
                more_link=f"{base_url}/changes?week={_week(first.detected_at)}" if base_url else "",
            )
        )
    return blocks


def _line(item: Item) -> Line:
    quote = next(iter(item.quotes_after), None)
    return Line(
        item.headline,
        item.severity,
        one_line(quote.text, QUOTE_LIMIT) if quote else "",
        item.review_link or item.url,
        item.review_link or item.link,
    )


def _week(iso: str) -> str:
    """`2026-W48`, as the web site names it."""
    year, week, _ = date.fromisoformat(iso[:10]).isocalendar()
    return f"{year}-W{week:02}"
