"""What a cycle has to tell maintainers beside its changes: each thing once.

Pages that cannot be read and those that are back, policies that go back and forth and those that
have come to rest, waves, and changes that have closed themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from monitor import flapping, outages, taken_back, waves
from store import changes, programs
from store.database import Store

_NAMED = 3  # programs of a page that are named; the rest is counted


class Topic(StrEnum):
    """What kind of thing it is, as its heading says it; in the order in which they are told."""

    UNREADABLE = "cannot be read"
    FLAPPING = "goes back and forth"
    WAVE = "wave"
    CLOSED = "closed by itself"
    RESTED = "has come to rest"
    READABLE = "can be read again"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell. `what` names it for good: what was told is not told again.

    `change_id` is a change at which it can be seen, if there is one; `url` a page.
    """

    topic: Topic
    what: str
    headline: str
    detail: str
    url: str = ""
    change_id: int | None = None


def notices(store: Store, cycle_id: int) -> list[Notice]:
    """All that a cycle has to tell, by topic. The same again, when it is asked again."""
    found = [
        *_outages(store, cycle_id),
        *_flapping(store, cycle_id),
        *_waves(store, cycle_id),
        *_closed(store, cycle_id),
    ]
    order = list(Topic)
    return sorted(found, key=lambda notice: order.index(notice.topic))


def _outages(store: Store, cycle_id: int) -> Iterator[Notice]:
    for report in outages.reports(store, cycle_id):
        whom = _whom(store, report.programs)
        what = f"cycle {cycle_id}: {report.url} {'back' if report.over else 'down'}"
        if report.over:
            yield Notice(Topic.READABLE, what, whom, "", report.url)
            continue
        seen = report.last_seen
        last = f"Last read on {seen[:10]}" if seen else "Never read so far"
        stands = "; what it said then is shown as stale" if seen else ""
        why = f" Now: {report.detail}" if report.detail else ""
        yield Notice(Topic.UNREADABLE, what, whom, f"{last}{stands}.{why}", report.url)


def _flapping(store: Store, cycle_id: int) -> Iterator[Notice]:
    for report in flapping.reports(store, cycle_id):
        whom = _whom(store, report.programs)
        what = (
            f"cycle {cycle_id}: {' '.join(report.programs)} {'rests' if report.over else 'flaps'}"
        )
        if report.over:
            yield Notice(Topic.RESTED, what, whom, f"At {report.said[-1]}.")
        else:
            yield Notice(
                Topic.FLAPPING,
                what,
                whom,
                f"Between {' and '.join(report.said)}. Held until it rests: nobody is alarmed, "
                "and the policy flagged last is shown as in need of review.",
            )


def _waves(store: Store, cycle_id: int) -> Iterator[Notice]:
    for report in waves.reports(store, cycle_id):
        members = report.wave.change_ids
        grown = "Recognised" if report.recognised else f"Grown by {report.new}"
        yield Notice(
            Topic.WAVE,
            f"wave {report.wave.id} of {len(members)}",
            report.told,
            f"{grown}; `visawatch review {members[0]} ... --wave` decides on all of it.",
            change_id=members[0],
        )


def _closed(store: Store, cycle_id: int) -> Iterator[Notice]:
    for review in taken_back.closed_in(store, cycle_id):
        assert review.change_id is not None  # noqa: S101 (it is of a change)
        change = changes.get(store, review.change_id)
        yield Notice(
            Topic.CLOSED,
            f"closed {change.id}",
            _whom(store, [change.program_id]),
            f"Change {change.id}, flagged on {change.detected_at[:10]}: {review.note}.",
            change_id=change.id,
        )


def _whom(store: Store, program_ids: Sequence[str]) -> str:
    """`Fernway Hospital: Medicine, Pathology, Surgery and 4 more`."""
    watched = {p.program_id: p for p in programs.listed(store, program_ids)}
    known = [watched[i] for i in program_ids if i in watched]
    if not known:
        return ", ".join(program_ids)
    names = [program.specialty for program in known]
    left = len(names) - _NAMED
    more = f" and {left} more" if left > 0 else ""
    return f"{known[0].institution}: {', '.join(names[:_NAMED])}{more}"
