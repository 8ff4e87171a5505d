"""What a mail says of each change: its headline, and the parts that its template shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from extractors.values import Stance, Visa
from monitor import diff
from monitor.alerts.again import Again, Turn
from monitor.alerts.message import link, one_line, readable, rendered
from monitor.alerts.planning import Subject
from monitor.alerts.quoting import Quote, beside, moment, quotes
from store.records import Change

_NOW = {  # what a program does now about a visa, if it did something else before
    Stance.SPONSORED: "now sponsors {visa}",
    Stance.CONDITIONAL: "now sponsors {visa} conditionally",
    Stance.NOT_SPONSORED: "no longer sponsors {visa}",
    Stance.UNSTATED: "no longer says anything about {visa}",
    Stance.CONFLICTING: "now contradicts itself about {visa}",
}
_STATUSES = (Visa.PERMANENT_RESIDENT, Visa.CITIZEN)  # nobody sponsors these

# Of a change that no page made: who has it so, as a headline ends.
_SAYS_WHO = {
    "maintainer": ", as a maintainer found",
    "coordinator": ", says its coordinator",
    "freida": ", says FREIDA",
    "resident": ", residents say",
    "website": ", going by its page",
    "institution": ", going by its institution's page",
}
_REVIEWED = {
    "open": "Found automatically; no maintainer has confirmed it yet.",
    "accepted": "Confirmed by a maintainer.",
    "corrected": "Corrected by a maintainer: this is the policy as they read it.",
    "dismissed": "Dismissed by a maintainer.",
}


_TITLES = ("Before, the page said", "After, the page says")

# Of what is told once more: how its headline begins, and in a sentence what has become of it.
_AGAIN = {
    Turn.FALSE_ALARM: (
        "a false alarm",
        "You were told of a change. A maintainer has looked: it was a false alarm, and it is as it "
        "was before.",
    ),
    Turn.BACK: (
        "back",
        "You were told that this page was gone. It is there again, and what it says stands.",
    ),
    Turn.CORRECTED: (
        "corrected",
        "You were told of a change that had been read wrongly. This is the policy as a maintainer "
        "read it.",
    ),
    Turn.STANDS: (
        "a change after all",
        "You were told that this was a false alarm, or was read wrongly. A maintainer has taken "
        "that back.",
    ),
}
NAMES = 12  # programs of one change that are named; the rest is counted


@dataclass(frozen=True, slots=True)
class Part:
    """What a mail shows of one group of changes, in both its forms."""

    text: str
    html: Markup


@dataclass(frozen=True, slots=True)
class Row:
    """One visa, before and after, in words."""

    visa: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Named:
    """A program, in words."""

    words: str
    id: str
    watched: bool


@dataclass(frozen=True, slots=True)
class Item:
    """One change, or a group of them, as the templates show it."""

    number: int
    programs: tuple[Named, ...]
    names: str  # of the programs, in a line; of many, the first ...
    left: int  # ... and how many more there are
    headline: str
    summary: str
    severity: str
    category_before: str
    category_after: str
    rows: tuple[Row, ...]
    moved: bool  # whether a stance or a condition is another one
    quotes_before: tuple[Quote, ...]
    quotes_after: tuple[Quote, ...]
    titles: tuple[str, str]  # of the two
    columns: tuple[str, str]  # the same in a word or two
    silence: str  # what is said where there is no quote
    spans: tuple[diff.Span, ...]
    url: str
    link: str
    detected: str
    taken_back: str  # that it takes a change back, in a sentence
    reviewed: str
    review: str
    review_link: str


def part(shown: Item) -> Part:
    """What a mail shows of changes that belong together (see monitor.groups)."""
    text, html = (rendered(name, {"item": shown}) for name in ("change.txt", "change.html"))
    # The HTML template has escaped it already.
    return Part(text, Markup(html))  # noqa: S704


def headline(group: Sequence[Subject]) -> str:
    """`Harborview Medical Center, Internal Medicine no longer sponsors H-1B`, in one line.

    A group of several programs is `Harborview Medical Center (3 programs) ...`.
    """
    program = group[0].program
    name = one_line(program.institution, 60)
    if len(group) > 1:
        name += f" ({len(group)} programs)"
    else:
        name += f", {one_line(program.specialty, 40)}"
    since, change, again = group[0].takes_back, group[0].change, group[0].again
    if again is not None:
        return f"{name}: {_AGAIN[again.turn][0]}, {_holds(change)}"
    who = _SAYS_WHO[change.channel] if change.cycle_id is None else ""
    return f"{name} {_happened(change)}{who}" + (f", as before {since}" if since else "")


def _holds(change: Change) -> str:
    """`H-1B is not sponsored`: what holds of the visas that somebody was told another thing of."""
    if change.kind == "page_gone" and change.status != "corrected":
        return f"its visa page is {'there' if change.status == 'dismissed' else 'gone'}"
    visas = diff.touched(change.before, change.after)
    # J-1 and H-1B decide who may apply, as in a headline of news.
    named = [v for v in visas if v in (Visa.J1, Visa.H1B)] or visas
    return ", ".join(f"{diff.visa_words(v)} is {_says(change.after, v)}" for v in named)


def _names(group: Sequence[Subject]) -> tuple[str, int]:
    """`Pathology, Psychiatry (fellowship), Surgery`, and how many are not named."""
    specialties = [subject.program.specialty for subject in group]
    named = [
        one_line(s.program.specialty, 60)
        + (f" ({one_line(s.program.level)})" if _level_tells(s, specialties) else "")
        + ("" if s.watched else " (no longer watched)")
        for s in group
    ]
    # One more name is no longer than that there is one more.
    most = NAMES if len(named) > NAMES + 1 else len(named)
    return ", ".join(named[:most]), len(named) - most


def _level_tells(subject: Subject, specialties: Sequence[str]) -> bool:
    program = subject.program
    return bool(program.level) and specialties.count(program.specialty) > 1


def _named(subject: Subject) -> Named:
    program = subject.program
    place = ", ".join(filter(None, (program.city, program.state)))
    words = " · ".join(one_line(p) for p in (program.specialty, program.level, place) if p)
    return Named(words, one_line(program.program_id), subject.watched)


def item(group: Sequence[Subject], base_url: str, *, kept: str = "") -> Item:
    """A group in words, as templates show it; `kept` says what stands nevertheless, if so."""
    change, again = group[0].change, group[0].again
    before, after = change.before, change.after
    # Its policy stands, but nothing says so any more.
    gone = change.kind == "page_gone" and change.status != "dismissed"
    by_pages = change.cycle_id is not None and again is None
    visas = diff.touched(before, after)
    names, left = _names(group)
    rows = tuple(Row(diff.visa_words(v), _says(before, v), _says(after, v)) for v in visas)
    # Words of several sources are no later form of each other.
    texts = [readable(diff.statement_text(p)) for p in (before, after)] if by_pages else ["", ""]
    spans = diff.shortened(diff.word_diff(*texts))
    return Item(
        number=change.id,
        programs=tuple(_named(subject) for subject in group),
        names=names,
        left=left,
        headline=headline(group),
        summary=one_line(_holds(change) if again else diff.summary(change), 300),
        severity=change.severity,
        category_before=diff.category(before),
        category_after=diff.category(after),
        rows=rows,
        moved=any(row.before != row.after for row in rows),
        quotes_before=quotes(before, visas),
        quotes_after=() if gone else quotes(after, visas),
        titles=_titles(change, again),
        columns=("you were told", "it is") if again else ("before", "after"),
        silence="the page is gone; the policy last known stands" if gone else "nothing about this",
        spans=spans if any(span.op != "equal" for span in spans) else (),
        url=one_line(change.url or "", 2000),
        link=link(change.url),
        detected=moment(change.detected_at),
        taken_back=_AGAIN[again.turn][1] if again else _taken_back(group[0]),
        reviewed=kept or _reviewed(change),
        review=f"visawatch review {change.id} accept{' --group' if len(group) > 1 else ''}",
        review_link=f"{base_url}/changes/{change.id}" if base_url else "",
    )


def _titles(change: Change, again: Again | None) -> tuple[str, str]:
    if again is not None:
        return "You were told, by these words", "It is so by these"
    by_others = change.cycle_id is None or beside(change.before)
    return ("Before", "Now") if by_others else _TITLES


def _reviewed(change: Change) -> str:
    if change.status == "open" and change.cycle_id is None:
        return "No maintainer has confirmed it yet."
    return _REVIEWED.get(change.status, "")


def _taken_back(subject: Subject) -> str:
    if not subject.takes_back:
        return ""
    return (
        f"This takes back what changed on {subject.takes_back}, which nobody had reviewed yet: "
        "the policy is as it was before."
    )


def _happened(change: Change) -> str:
    before, after = change.before, change.after
    visas = diff.touched(before, after)
    if change.kind == "page_gone":
        return "has taken its visa page down"
    moved = [v for v in visas if diff.stance(before, v) != diff.stance(after, v)]
    # J-1 and H-1B decide who may apply: they are what a headline is about, if they moved.
    named = [v for v in moved if v in (Visa.J1, Visa.H1B)] or moved
    by_phrase: dict[str, list[str]] = {}
    for visa in named:
        phrase = _phrase(visa, diff.stance(before, visa), diff.stance(after, visa))
        by_phrase.setdefault(phrase, []).append(diff.visa_words(visa))
    if by_phrase:
        return ", ".join(p.format(visa=" and ".join(v)) for p, v in by_phrase.items())
    if any(diff.conditions(before, v) != diff.conditions(after, v) for v in visas):
        names = " and ".join(diff.visa_words(v) for v in visas)
        return f"changed its conditions for {names}"
    return "reworded its visa statement"


def _phrase(visa: str, before: Stance, after: Stance) -> str:
    if visa in _STATUSES:
        return "changed what it says about {visa}"
    if after is Stance.NOT_SPONSORED and before is Stance.UNSTATED:
        return "says that it does not sponsor {visa}"
    return _NOW[after]


def _says(policy: dict[str, Any], visa: str) -> str:
    words = diff.STANCE_WORDS[diff.stance(policy, visa)]
    conditions = ", ".join(one_line(c) for c in diff.conditions(policy, visa))
    return f"{words} ({conditions})" if conditions else words
