"""What the screen of a change shows, as values for its template."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup

from extractors import ConditionKind, Policy, Stance
from monitor import diff, queue
from monitor.alerts.message import readable
from monitor.explain import Explained, explained
from monitor.queue import Entry
from monitor.reading import asker_of
from monitor.timeline import Flagged, Period, timeline
from store import changes, cycles, pages, snapshots, users, verdicts
from store.database import Store
from store.errors import NotFound
from store.records import Change, Program, Review
from web.evidence import OnVisa, all_sides
from web.rendering import Links
from web.views import ALWAYS, Chip, Says, category_chip_of, says

BEFORE, AFTER = "before", "after"
DECIDED = ALWAYS  # the visas that a correction is made of
STANCES = tuple((str(s), diff.STANCE_WORDS[s]) for s in Stance)
CONDITIONS = tuple((str(kind), diff.CONDITION_WORDS[kind]) for kind in ConditionKind)

_MOST_SIBLINGS = 30


@dataclass(frozen=True, slots=True)
class Source:
    """A page that a policy rests on: where it is, when it was read, and what it says."""

    url: str
    snapshot: str
    fetched_at: str
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """A policy, before or after."""

    name: str  # before | after
    category: Chip
    says: tuple[Says, ...]
    sources: tuple[Source, ...]
    words: Markup  # its text, with what the other side has not marked
    confidence: float
    needs_review: bool


@dataclass(frozen=True, slots=True)
class Sibling:
    """Another program of the institution that says the same, and its change that waits, if any."""

    program: Program
    waiting: int | None


@dataclass(frozen=True, slots=True)
class Screen:
    """One change with all that a decision needs. `seen` is what a form of it carries."""

    entry: Entry
    summary: str
    sides: tuple[Side, Side]
    inline: Markup
    reviews: tuple[Review, ...]
    holds: Review | None
    group: tuple[Entry, ...]  # the other changes of its group
    seen: str
    group_seen: str
    why: tuple[tuple[str, tuple[Explained, ...]], ...]  # by URL
    history: tuple[tuple[str, str], ...]  # when, and what; the newest first
    siblings: tuple[Sibling, ...]
    previous: int | None
    next: int | None
    waiting: int
    users: tuple[str, ...]
    told: tuple[OnVisa, ...]  # all sides, where others than pages speak

    @property
    def change(self) -> Change:
        """The change."""
        return self.entry.change

    @property
    def program(self) -> Program:
        """Its program."""
        return self.entry.program


def screen(store: Store, change_id: int, now: datetime) -> Screen:
    """Everything about one change. Raises NotFound."""
    entry = queue.entry(store, change_id)
    change, program = entry.change, entry.program
    reviews = tuple(verdicts.of_change(store, change_id))
    waiting = queue.queue(store, now)
    (group,) = queue.told(store, [queue.beside(store, change)])
    versions = verdicts.versions(store, [e.change.id for e in group])
    spans = diff.word_diff(*(readable(diff.statement_text(p)) for p in _policies(change)))
    before, after = (
        _side(store, name, policy, change, spans)
        for name, policy in zip((BEFORE, AFTER), _policies(change), strict=True)
    )
    earlier, later = waiting.around(change)
    return Screen(
        entry=entry,
        summary=diff.summary(change),
        sides=(before, after),
        inline=diff.as_html(spans),
        reviews=reviews,
        holds=verdicts.holding(reviews),
        group=tuple(e for e in group if e.change.id != change_id),
        seen=seen({change_id: versions[change_id]}),
        group_seen=seen(versions),
        why=_why(store, program, (*after.sources, *before.sources)),
        history=tuple(_history(store, program, change_id)),
        siblings=tuple(_siblings(store, change, program)),
        previous=earlier,
        next=later,
        waiting=len(waiting.order),
        users=tuple(user.name for user in users.listed(store)),
        told=all_sides(store, change.program_id, now),
    )


def stances(policy: dict[str, Any]) -> tuple[Says, ...]:
    """What a policy says of each visa."""
    return says(Policy.from_json(policy))


def conditions(policy: dict[str, Any], visa: str) -> tuple[tuple[str, str], ...]:
    """What a policy asks for with a visa: each kind, and until when; empty: at no date."""
    stated = policy.get("conditions", ())
    return tuple((c["kind"], c.get("by") or "") for c in stated if c["visa"] == visa)


def sources(policy: dict[str, Any]) -> tuple[Source, ...]:
    """The pages that a policy rests on."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for e in policy.get("evidence", ()):
        if e.get("snapshot"):
            found.setdefault((e.get("url") or "", e["snapshot"]), []).append(e)
    return tuple(
        Source(
            url,
            snapshot,
            max(e.get("fetched_at") or "" for e in rows),
            tuple(dict.fromkeys(readable(e["quote"]) for e in rows)),
        )
        for (url, snapshot), rows in found.items()
    )


category = category_chip_of


def frame_address(links: Links, folder: str) -> Callable[[str], str]:
    """Gives the address of a page's frame, by the page's snapshot."""
    return lambda snapshot: links(f"{folder}/{snapshot}")


def why(store: Store, program: Program, policy: dict[str, Any]) -> tuple[Any, ...]:
    """By URL, why the rules read the pages of a policy as they do, for its program."""
    return _why(store, program, sources(policy))


def _policies(change: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    return change.before, change.after


def seen(versions: dict[int, int]) -> str:
    """What a form's maker saw, as the form carries it: `1:0 5:12`."""
    return " ".join(f"{number}:{version}" for number, version in sorted(versions.items()))


def _side(
    store: Store, name: str, policy: dict[str, Any], change: Change, spans: Iterable[diff.Span]
) -> Side:
    mine = ("equal", "delete" if name == BEFORE else "insert")
    found = sources(policy)
    if not found and name == AFTER:
        found = _as_it_was(store, change)
    return Side(
        name=name,
        category=category_chip_of(policy),
        says=stances(policy),
        sources=found,
        words=diff.as_html(span for span in spans if span.op in mine),
        confidence=float(policy.get("confidence", 0)),
        needs_review=bool(policy.get("needs_review")),
    )


def _as_it_was(store: Store, change: Change) -> tuple[Source, ...]:
    """The page of a change that does not say anything any more."""
    page = pages.at(store, change.url or "")
    if page is None or change.cycle_id is None:
        return ()
    seen = cycles.good_snapshots(store, [page.id], change.cycle_id)
    hashes = snapshots.hashes(store, seen.values())
    return tuple(Source(page.url, digest, "", ()) for digest in hashes.values())


def _why(
    store: Store, program: Program, found: Iterable[Source]
) -> tuple[tuple[str, tuple[Explained, ...]], ...]:
    # A page that was read twice is explained as it is now: the later ones come first.
    latest = {source.url: source for source in reversed(list(found))}
    out = []
    for url, source in latest.items():
        for snapshot_id in snapshots.with_hashes(store, [source.snapshot]):
            kept = snapshots.get(store, snapshot_id)
            out.append((url, tuple(explained(kept.body, kept.content_type, asker_of(program)))))
    return tuple(out)


def _siblings(store: Store, change: Change, program: Program) -> Iterable[Sibling]:
    for other in queue.siblings(store, change, program)[:_MOST_SIBLINGS]:
        theirs = changes.of_program(store, other.program_id)
        yield Sibling(other, next((c.id for c in theirs if c.status == "open"), None))


def _history(store: Store, program: Program, change_id: int) -> Iterable[tuple[str, str]]:
    try:
        entries = timeline(store, program.program_id).without_trifles().entries
    except NotFound:
        return
    for entry in reversed(entries):
        if isinstance(entry, Flagged) and entry.change.id != change_id:
            status = entry.change.status
            yield entry.at, f"#{entry.change.id} {status}: {diff.summary(entry.change)}"
        elif isinstance(entry, Period):
            by = "".join(f"; {r.verdict} by {r.by}" for r in entry.reviews[-1:])
            yield entry.at, f"{diff.category(entry.policy)} stood from here{by}"
