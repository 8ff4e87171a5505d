"""Runs a cycle each night, until it is stopped.

APScheduler 3 keeps the job in the database. It has no lock between processes, so that two of
them fire together: the lease of the cycle and the night's own row decide which one runs. A
night is the planned time that it belongs to, in UTC, where no hour is skipped or doubled.
"""

from __future__ import annotations

import logging
import queue
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType

from apscheduler.jobstores.base import ConflictingIdError
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.schema import CreateIndex, CreateTable

from monitor.clock import Clock
from monitor.cycle import CycleBusy, CycleStopped, Stop
from store import cycles
from store.database import Store

JOB = "nightly"
MAIL_JOB, MAIL_MINUTES = "mail", 5  # mail that a server put off does not wait for the night
LOOK_SECONDS = 60.0  # how often it is seen to that the next run is not far off
# A missed night is run however late, once.
JOB_DEFAULTS = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}

log = logging.getLogger(__name__)

RunCycle = Callable[[Store, str, Stop], None]
SendMail = Callable[[Store], None]
Due = Callable[[Store, datetime], bool]  # whether the cycle of a night is to be run


def each_night(store: Store, night: datetime) -> bool:
    """No night is left out."""
    return True


class Nights:
    """The nights of one database, each run once, by whichever process comes first."""

    def __init__(
        self,
        path: Path,
        nightly_at: str,
        run: RunCycle,
        send: SendMail,
        clock: Clock,
        due: Due = each_night,
    ) -> None:
        self._path = path
        self._nightly_at = nightly_at
        self._run = run
        self._send = send
        self._clock = clock
        self._due = due
        self._stop = Stop()
        # Not an Event: setting one in a signal handler, while the main thread begins to wait for
        # it, would wait for the main thread's own lock. A SimpleQueue may be put to from anywhere.
        self._stopped: queue.SimpleQueue[None] = queue.SimpleQueue()

    def run_due(self) -> bool:
        """Runs the cycle of the night that has begun last, unless it was run; says if it did.

        A night that is not due is left out; a cycle that was begun is gone on with in any night.
        """
        night = night_of(self._clock(), self._nightly_at)
        with Store(self._path) as store:
            if not cycles.under_way(store) and not self._due(store, datetime.fromisoformat(night)):
                log.info("the night of %s is left out: it is a quiet time", night)
                return False
            try:
                self._run(store, night, self._stop)
            except (CycleBusy, CycleStopped) as reason:
                log.info("%s", reason)
                return False
        return True

    def send_mail(self) -> None:
        """Sends the mail that is due."""
        with Store(self._path) as store:
            self._send(store)

    def serve(self) -> None:
        """Runs each night as it comes; ends soon after SIGTERM or SIGINT, between two pages."""
        global _nights
        _nights = self
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        with Store(self._path):
            pass  # makes the tables, and says now if the database is of no use
        scheduler = BackgroundScheduler(
            jobstores={"default": job_store(self._path)},
            job_defaults=JOB_DEFAULTS,
            timezone=UTC,
        )
        scheduler.start()
        self.keep_jobs(scheduler)
        log.info("next cycle: %s", scheduler.get_job(JOB).next_run_time)
        try:
            while not self._told_to_stop():
                self.keep_jobs(scheduler)
        finally:
            scheduler.shutdown(wait=True)  # the page in hand is finished by then

    def _told_to_stop(self) -> bool:
        """Waits for a signal, a while at most."""
        try:
            self._stopped.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            return False
        return True

    def keep_jobs(self, scheduler: BackgroundScheduler) -> None:
        """Sees to it that both jobs are there, and that neither waits longer than it should.

        A job that ran while the clock was a year ahead would wait for that year to pass.
        """
        hour, minute = self._nightly_at.split(":")
        nightly = CronTrigger(hour=hour, minute=minute, timezone=UTC)
        mail = IntervalTrigger(minutes=MAIL_MINUTES, timezone=UTC)
        now = datetime.now(UTC)
        for name, run, trigger, longest in (
            (JOB, _run_due, nightly, timedelta(days=1)),
            (MAIL_JOB, _send_mail, mail, timedelta(minutes=MAIL_MINUTES)),
        ):
            job = scheduler.get_job(name)
            if job is None:
                with suppress(ConflictingIdError):  # another schedule has added it just now
                    scheduler.add_job(run, trigger, id=name)
            # Not replace_existing at every start: that would forget a night that was missed.
            elif str(job.trigger) != str(trigger) or job.next_run_time > now + longest:
                job.reschedule(trigger)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        log.info("stopping after the page in hand")
        self._stop.request()
        self._stopped.put(None)


def night_of(moment: datetime, nightly_at: str) -> str:
    """The planned time of the night that `moment` falls into, as text.

    >>> night_of(datetime(2026, 11, 25, 1, 59, tzinfo=UTC), "02:00")
    '2026-11-24T02:00Z'
    """
    hour, minute = (int(part) for part in nightly_at.split(":"))
    planned = moment.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if planned > moment:
        planned -= timedelta(days=1)
    return planned.strftime("%Y-%m-%dT%H:%MZ")


_nights: Nights | None = None  # what the stored job finds when it fires in this process


def _run_due() -> None:
    _guarded(lambda nights: nights.run_due(), "the cycle failed; the next one goes on with it")


def _send_mail() -> None:
    _guarded(lambda nights: nights.send_mail(), "mail could not be sent; it stays in the outbox")


def _guarded(job: Callable[[Nights], object], failed: str) -> None:
    """Whatever goes wrong tonight is told, and the next night runs."""
    assert _nights is not None, "jobs fire only in a process that serves"  # noqa: S101
    try:
        job(_nights)
    except Exception:
        log.exception(failed)


def job_store(path: Path) -> SQLAlchemyJobStore:
    """Where APScheduler keeps its jobs: beside our tables.

    Its table is made here, and not by APScheduler, which looks whether there is one and then makes
    it: of two schedules that begin at once, one would fail.
    """
    kept = SQLAlchemyJobStore(
        url=f"sqlite:///{path.absolute()}",
        tablename="scheduled_jobs",
        engine_options={"connect_args": {"timeout": 30}},
    )
    with kept.engine.begin() as connection:
        connection.execute(CreateTable(kept.jobs_t, if_not_exists=True))
        for index in kept.jobs_t.indexes:
            connection.execute(CreateIndex(index, if_not_exists=True))
    return kept
