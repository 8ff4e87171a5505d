"""The time of day, so that tests and replays can set it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]  # gives an aware time in UTC


def system() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


def fixed(moment: datetime) -> Clock:
    """A clock that stands at `moment`; a time without an offset is read as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    at = moment.astimezone(UTC)
    return lambda: at
