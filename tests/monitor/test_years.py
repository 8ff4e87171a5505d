"""The scheduler itself, its jobs in the database, through simulated years: each night once.

Year ends, leap days and both clock changes; between them the machine is switched off for weeks.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path

import pytest
from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers import base
from apscheduler.schedulers.base import BaseScheduler

from monitor import schedule
from monitor.cycle import Settings, Stop, run
from monitor.schedule import JOB, Nights, job_store, night_of
from store import cycles
from store.database import Store
from visawatch.config import MailSettings

TURNS = [  # of years, of Februaries, and of the clocks of New York, London and Lord Howe
    *(date(year, 12, 31) for year in (2026, 2027, 2028)),
    *(date(2027, 2, 28), date(2028, 2, 28), date(2028, 2, 29)),
    *(date(2027, 3, 14), date(2027, 11, 7), date(2028, 3, 12), date(2028, 11, 5)),
    *(date(2027, 3, 28), date(2027, 10, 31), date(2027, 4, 4), date(2027, 10, 3)),
]
AWAKE = sorted({turn + timedelta(days=n) for turn in TURNS for n in range(-1, 2)})
LOOKS = (0, 59, 60, 119, 120, 330, 389, 390, 450, 1439)  # minutes of a day


class ByHand(BaseScheduler):  # type: ignore[misc]
    """APScheduler without its thread: it looks for jobs when it is told to, and runs them there."""

    def wakeup(self) -> None:
        """Nobody sleeps."""

    def shutdown(self) -> None:
        """The end."""
        super().shutdown()

    def look(self) -> None:
        """Runs what is due."""
        self._process_jobs()


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The time of day, for the scheduler and for us."""
    at = [datetime(2026, 12, 29, tzinfo=UTC)]

    class Simulated(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return at[0].astimezone(tz)

    monkeypatch.setattr(base, "datetime", Simulated)
    monkeypatch.setattr(schedule, "datetime", Simulated)
    return at


@pytest.mark.parametrize(
    ("zone", "nightly_at"),
    [("America/New_York", "06:30"), ("Europe/London", "01:00"), ("Australia/Lord_Howe", "02:00")],
)
def test_each_night_is_run_once_and_on_time(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    now: list[datetime],
    zone: str,
    nightly_at: str,
) -> None:
    """In the zones, these are times that the clock of the wall has twice, or not at all."""
    ran: list[tuple[str, datetime]] = []
    settings = Settings(mail=MailSettings(maildir=str(tmp_path / "mail")))

    def run_cycle(store: Store, night: str, stop: Stop) -> None:
        run(store, settings, clock=lambda: now[0], night=night, stop=stop)
        ran.append((night, now[0]))

    monkeypatch.setenv("TZ", zone)
    time.tzset()
    nights = Nights(tmp_path / "v.db", nightly_at, run_cycle, lambda store: None, lambda: now[0])
    monkeypatch.setattr(schedule, "_nights", nights)
    Store(tmp_path / "v.db").close()
    scheduler = ByHand(
        jobstores={"default": job_store(tmp_path / "v.db")},
        executors={"default": DebugExecutor()},
        job_defaults=schedule.JOB_DEFAULTS,
        timezone=UTC,
    )
    scheduler.start()
    due: dict[str, datetime] = {}
    try:
        nights.keep_jobs(scheduler)
        first = scheduler.get_job(JOB).next_run_time
        for day in AWAKE:
            for minutes in LOOKS:
                now[0] = datetime(day.year, day.month, day.day, tzinfo=UTC)
                now[0] += timedelta(minutes=minutes)
                scheduler.look()
                nights.keep_jobs(scheduler)
                if now[0] >= first:
                    due.setdefault(night_of(now[0], nightly_at), now[0])
    finally:
        scheduler.shutdown()
        monkeypatch.undo()
        time.tzset()
    assert len(due) >= len(AWAKE) - 1
    assert ran == list(due.items())
    with Store(tmp_path / "v.db") as store:
        assert [cycle.night for cycle in cycles.listed(store) if cycle.finished_at] == list(due)
