"""A night that was due and was not run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from store import cycles
from store.database import Store

GRACE = timedelta(hours=6)  # a night that has begun is not finished at once
MOST_LEFT_OUT = 31  # nights in a row

Due = Callable[[Store, datetime], bool]


def overdue(store: Store, now: datetime, nightly_at: str, due: Due) -> datetime | None:
    """The planned time of the first night after the last finished cycle that should be done by now.

    None when there is none, or there was no cycle yet.
    """
    last = cycles.last_finished(store)
    if last is None:
        return None
    night = next_night(_moment(last.night or last.started_at), nightly_at)
    for _ in range(MOST_LEFT_OUT):
        if night + GRACE > now:
            return None
        if due(store, night):
            return night
        night += timedelta(days=1)
    return night


def next_night(now: datetime, nightly_at: str) -> datetime:
    """The next planned time of a cycle, if no night is left out.

    >>> next_night(datetime(2026, 11, 25, 12, tzinfo=UTC), "02:00").isoformat()
    '2026-11-26T02:00:00+00:00'
    """
    hour, minute = map(int, nightly_at.split(":"))
    today = now.astimezone(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return today if today > now else today + timedelta(days=1)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
