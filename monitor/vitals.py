"""How the watch itself is: its cycles, its pages, its mail; for people and for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from crawler import Health
from monitor.overdue import MOST_LEFT_OUT, next_night, overdue
from monitor.status import Status, statuses
from store import changes, cycles, outbox, search
from store.database import Store
from store.records import Cycle

MOST_CYCLES = 60  # that are drawn


@dataclass(frozen=True, slots=True)
class Vitals:
    """The state of a watch at one moment. Times are UTC."""

    last: Cycle | None  # that is finished
    running: Cycle | None
    next_at: datetime
    overdue: float  # seconds since a night was planned that should have been run by now; 0: none
    cycles: tuple[Cycle, ...]  # the last finished ones, oldest first
    programs: int
    pages: Mapping[str, int]  # watched pages by the health of their last observation
    blocking: tuple[tuple[str, int], ...]  # hosts that block us, and how many pages they have
    oldest: tuple[Status, ...]  # the programs that were not read for longest, if not since `last`
    policies: Mapping[str, int]  # programs by category; `unseen`: nothing stands
    doubtful: int  # programs whose policy needs a review
    open: Mapping[str, int]  # open changes by severity
    outbox: Mapping[str, int]  # mail by state
    oldest_mail: float  # seconds that the oldest mail in the outbox has waited
    bytes: int  # of the database, with its log


def vitals(
    store: Store,
    now: datetime,
    *,
    nightly_at: str = "02:00",
    stale_after_cycles: int = 3,
    due: Callable[[Store, datetime], bool] = lambda store, night: True,
) -> Vitals:
    """Looks at everything once."""
    finished = [c for c in cycles.listed(store) if c.finished_at is not None]
    last = finished[-1] if finished else None
    running = next((c for c in cycles.listed(store) if c.finished_at is None), None)
    blocked = store.once("blocking", lambda: _blocked(store))
    waiting = outbox.waiting(store)
    policies: Counter[str] = Counter()
    for counts in search.matrix(store).values():
        policies.update(counts)
    _, longest = search.find(store, search.Wish(), sort="unchecked", limit=50)
    found = statuses(store, only=longest, stale_after_cycles=stale_after_cycles)
    unread = [s for s in found if s.health != "ok"]
    return Vitals(
        last=last,
        running=running,
        next_at=_next_due(store, next_night(now, nightly_at), due),
        overdue=_since(overdue(store, now, nightly_at, due), now),
        cycles=tuple(finished[-MOST_CYCLES:]),
        programs=policies.total(),
        pages=cycles.healths(store),
        blocking=tuple(blocked.most_common(20)),
        oldest=tuple(sorted(unread, key=lambda s: s.as_of or "")[:5]),
        policies=policies,
        doubtful=search.count_in_doubt(store),
        open=changes.open_by_severity(store),
        outbox=outbox.by_state(store),
        oldest_mail=_since(datetime.fromisoformat(waiting.oldest) if waiting else None, now),
        bytes=_size(store.path),
    )


def _next_due(store: Store, night: datetime, due: Callable[[Store, datetime], bool]) -> datetime:
    """The first night, from this one on, that `schedule` does not leave out."""
    nights = (night + timedelta(days=days) for days in range(MOST_LEFT_OUT))
    return next((n for n in nights if due(store, n)), night)


def _since(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else max((now - at).total_seconds(), 0.0)


def _blocked(store: Store) -> Counter[str]:
    """By host, how many pages it keeps from us."""
    return Counter(urlsplit(url).netloc for url in cycles.with_health(store, _blocking()))


def _blocking() -> frozenset[str]:
    return frozenset(str(health) for health in Health if health.summary == "blocked")


def _size(path: Path) -> int:
    files = (path, path.with_name(path.name + "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())
