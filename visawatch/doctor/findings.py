"""What a check finds: one line each, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from visawatch.config import Config


class Status(StrEnum):
    """How it stands with what was looked at."""

    OK = "ok"
    NOTE = "note"  # as it may be, and worth knowing
    WRONG = "wrong"  # somebody has to do something
    UNKNOWN = "unknown"  # something else that is wrong is in the way


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    check: str
    status: Status
    found: str
    do: str = ""

    @property
    def well(self) -> bool:
        """Whether nobody need do anything."""
        return self.status in (Status.OK, Status.NOTE)


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at."""

    db: Path
    config: Config
    config_file: Path | None
    now: datetime
    patience: float  # seconds to wait for a lock
    engine: str = ""  # the address of the one whose workers fetch, if there is one


def ok(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check, Status.OK, found)


def note(check: str, found: str, do: str = "") -> Finding:
    """It may be so."""
    return Finding(check, Status.NOTE, found, do)


def wrong(check: str, found: str, do: str) -> Finding:
    """Somebody has to do something."""
    return Finding(check, Status.WRONG, found, do)


def span(time: timedelta) -> str:
    """A time in words.

    >>> span(timedelta(hours=50)), span(timedelta(days=3)), span(timedelta(minutes=90))
    ('50 hours', '3 days', '90 minutes')
    """
    minutes = int(time.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 72 * 60 else f"{minutes // 1440} days"


def size(count: float) -> str:
    """A number of bytes in words.

    >>> size(1_500_000), size(999)
    ('1.5 MB', '999 B')
    """
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"
