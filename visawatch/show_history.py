"""A program's timeline as people read it in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from functools import singledispatch

from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.text import Text

from extractors import Policy, Visa
from monitor.diff import category, conditions, summary, visa_words
from monitor.timeline import Began, Flagged, Period, Timeline, Unread
from store.records import Review
from visawatch.show import SEVERITIES, STYLES

_DIGITS = 12  # of a snapshot's hash: enough to name it

_BEGAN = {
    Began.FIRST_SIGHT: "first seen on its pages",
    Began.CHANGE: "its pages changed (#{change})",
    Began.REVIEW: "by a maintainer's decision on #{change}",
    Began.AGREEMENT: "its pages have come to say what a maintainer decided",
    Began.ELSEWHERE: "another of its pages says so now, in the same words",
    Began.NEW_RULES: "better rules read the same pages otherwise",
    Began.OTHER_CHANNELS: "others than its pages spoke of it, too",
}


def show_timeline(console: Console, timeline: Timeline) -> None:
    """What stood when and why, season by season; what was flagged; when pages were not read."""
    program = timeline.program
    console.print(Text(f"{program.institution}: {program.specialty}, {program.level}", "bold"))
    for year, entries in timeline.seasons():
        console.print(Rule(Text(f"Season of the {year} Match"), align="left"))
        for entry in entries:
            title, *lines = _lines(entry)
            console.print(title)
            for line in lines:
                console.print(Padding(line, (0, 0, 0, 4)))
            console.print()


@singledispatch
def _lines(entry: object) -> Iterator[Text]:
    raise TypeError(f"{entry!r} is no entry of a timeline")


@_lines.register
def _(period: Period) -> Iterator[Text]:
    policy = Policy.from_json(period.policy)
    title = Text(f"{_span(period.at, period.until)}  ", style="bold")
    title.append(category(period.policy), style=STYLES.get(policy.category, "yellow"))
    if period.inherited_from:
        title.append("  from its GME office", style="dim")
    if period.origin != "read":
        title.append(f"  {period.origin}", style="dim")
    yield title
    for visa in Visa:
        if words := conditions(period.policy, visa):
            yield Text(f"{visa_words(visa)}: {', '.join(words)}", style="dim")
    for quote in dict.fromkeys(e.quote for e in policy.evidence):
        yield Text(f"“{quote}”")
    for source in dict.fromkeys(_source(period)):
        yield Text(source, style="dim")
    began = _BEGAN[period.began].format(change=period.change)
    if period.began is Began.REVIEW and period.change is None:
        began = "by a maintainer's decision on what its pages say"
    yield Text(f"{period.channel}: {began}")
    for review in period.reviews:
        yield _review(review)
    if not period.reviews:
        yield Text("nobody has confirmed it", style="dim")


@_lines.register
def _(flagged: Flagged) -> Iterator[Text]:
    change = flagged.change
    title = Text(f"{flagged.at[:10]}  #{change.id} ", style="bold")
    title.append(f"{change.severity} ", style=SEVERITIES[change.severity])
    title.append(change.kind.replace("_", " "), style="bold")
    title.append(f"  ({change.status})", style="dim")
    yield title
    yield Text(summary(change))
    for review in flagged.reviews:
        yield _review(review)


@_lines.register
def _(unread: Unread) -> Iterator[Text]:
    nights = "1 cycle" if unread.cycles == 1 else f"{unread.cycles} cycles"
    title = Text(f"{_span(unread.at, unread.until)}  ", style="bold")
    title.append(f"not read for {nights}", style="yellow")
    if unread.stale:
        title.append(": what it said was stale", style="yellow")
    yield title
    yield Text(unread.detail or unread.health)
    yield Text(unread.url, style="dim")


def _span(first: str, last: str | None) -> str:
    """`2026-11-23 to 2026-11-25`; of what is not over, `since 2026-11-25`."""
    return f"{first[:10]} to {last[:10]}" if last else f"since {first[:10]}"


def _source(period: Period) -> Iterator[str]:
    for e in period.policy["evidence"]:
        if e.get("url"):
            seen = f", seen {e['fetched_at'][:10]}" if e.get("fetched_at") else ""
            stored = f", snapshot {e['snapshot'][:_DIGITS]}" if e.get("snapshot") else ""
            yield f"{e['url']}{seen}{stored}"


def _review(review: Review) -> Text:
    why = f": {review.note}" if review.note else ""
    return Text(f"{review.verdict} by {review.by} on {review.at[:10]}{why}", style="green")
