"""`visawatch schedule`: each night once, whatever happens to processes and clocks."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.schedulers.background import BackgroundScheduler
from conftest import J1_ONLY
from loopback import PATIENCE, Site, Visit

from monitor import clock
from monitor.cycle import Settings, Stop, run
from monitor.schedule import JOB, MAIL_JOB, MAIL_MINUTES, Nights, job_store, night_of
from store import cycles, programs
from store.database import Store
from store.records import Program
from visawatch.config import MailSettings


@pytest.mark.parametrize(
    ("moment", "night"),
    [
        ("2026-11-25T01:59:59", "2026-11-24T02:00Z"),
        ("2026-11-25T02:00:00", "2026-11-25T02:00Z"),
        ("2026-11-25T23:00:00", "2026-11-25T02:00Z"),
        # The hours that New York doubles in autumn and skips in spring are ordinary in UTC.
        ("2027-11-07T06:30:00", "2027-11-07T02:00Z"),
        ("2027-03-14T07:30:00", "2027-03-14T02:00Z"),
    ],
)
def test_a_moment_belongs_to_the_night_that_began_last(moment: str, night: str) -> None:
    assert night_of(datetime.fromisoformat(moment).replace(tzinfo=UTC), "02:00") == night


def test_a_clock_that_jumps_neither_skips_nor_doubles_a_night(tmp_path: Path) -> None:
    time = datetime(2026, 11, 1, 2, 0, 1, tzinfo=UTC)
    settings = Settings(mail=MailSettings(maildir=str(tmp_path / "mail")))

    def run_cycle(store: Store, night: str, stop: Stop) -> None:
        run(store, settings, clock=lambda: time, night=night, stop=stop)

    nights = Nights(tmp_path / "v.db", "02:00", run_cycle, lambda store: None, lambda: time)
    ran = [nights.run_due()]
    time -= timedelta(hours=1)  # set back, into the night before
    ran.append(nights.run_due())
    time += timedelta(hours=1)  # the job fires a second time for the same night
    ran.append(nights.run_due())
    time += timedelta(days=1)
    ran.append(nights.run_due())
    assert ran == [True, True, False, True]
    with Store(tmp_path / "v.db") as store:
        done = [cycle.night for cycle in cycles.listed(store) if cycle.finished_at]
    assert done == ["2026-11-01T02:00Z", "2026-10-31T02:00Z", "2026-11-02T02:00Z"]


class Service:
    """`visawatch schedule` as processes on one database, and the site that they watch."""

    def __init__(self, site: Site, folder: Path, pages: int = 1) -> None:
        self.site, self.db = site, folder / "v.db"
        self._config = folder / "visawatch.toml"
        self._config.write_text('[crawl]\ndelay_seconds = 0\n[monitor]\nnightly_at = "02:00"\n')
        with Store(self.db) as store, store.writing():
            urls = [site.url(f"/{n}") for n in range(pages)]
            programs.save(
                store,
                [Program(f"p{n}", "Fernway", "X", eligibility_url=u) for n, u in enumerate(urls)],
            )
        for n in range(pages):
            site.page(f"/{n}", J1_ONLY)

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "visawatch", "-v", "--db", str(self.db)]
        command += ["--config", str(self._config), "schedule", "--allow-host", "127.0.0.1"]
        return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def miss(self, nights: int) -> None:
        """As if no process had run for so many nights."""
        jobs = job_store(self.db)
        jobs.start(BackgroundScheduler(), "default")
        job = jobs.lookup_job(JOB)
        job.next_run_time -= timedelta(days=nights)
        jobs.update_job(job)
        jobs.shutdown()

    def cycles(self) -> list[str | None]:
        with Store(self.db) as store:
            return [cycle.night for cycle in cycles.listed(store) if cycle.finished_at]


def wait_for_line(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    alarm = threading.Timer(PATIENCE, process.kill)  # ends the loop below
    alarm.start()
    try:
        assert any(words in line for line in process.stderr), f"never said '{words}'"
    finally:
        alarm.cancel()


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0


def test_a_first_start_waits_for_its_night_and_stops_when_told(web: Site, tmp_path: Path) -> None:
    service = Service(web, tmp_path)
    process = service.start()
    wait_for_line(process, "next cycle")
    end(process)
    assert service.cycles() == []


def test_missed_nights_are_caught_up_with_once_by_two_processes(web: Site, tmp_path: Path) -> None:
    service = Service(web, tmp_path)
    process = service.start()
    wait_for_line(process, "next cycle")
    end(process)
    service.miss(nights=3)
    two = [service.start(), service.start()]
    web.wait_for("/0")
    for process in two:
        end(process)
    # Whichever came second found the lease taken, the night run, or nothing due any more.
    assert len(web.visits_of("/0")) == 1
    tonight = night_of(datetime.now(UTC), "02:00")
    assert service.cycles() in ([tonight], [])
    third = service.start()  # goes on if SIGTERM came before the end; runs nothing again
    wait_for_line(third, "next cycle")
    end(third)
    assert len(web.visits_of("/0")) == 1


def test_a_year_that_never_was_is_not_waited_for(web: Site, tmp_path: Path) -> None:
    """The clock was ahead when the night was run, and is right again."""
    service = Service(web, tmp_path)
    process = service.start()
    wait_for_line(process, "next cycle")
    end(process)
    service.miss(nights=-366)
    process = service.start()
    assert process.stderr is not None
    said = next(line for line in process.stderr if "next cycle: " in line)
    end(process)
    at = datetime.fromisoformat(said.split("next cycle: ")[1].strip())
    assert at - datetime.now(UTC) < timedelta(days=1)


def test_a_clock_that_is_set_right_while_it_runs(tmp_path: Path) -> None:
    nights = Nights(tmp_path / "v.db", "02:00", lambda *_: None, lambda _: None, clock.system)
    scheduler = BackgroundScheduler(timezone=UTC)
    scheduler.start(paused=True)
    try:
        nights.keep_jobs(scheduler)
        late = [job.next_run_time - timedelta(hours=1) for job in scheduler.get_jobs()]
        for job, at in zip(scheduler.get_jobs(), late, strict=True):
            job.modify(next_run_time=at)
        nights.keep_jobs(scheduler)
        assert [job.next_run_time for job in scheduler.get_jobs()] == late  # missed, not forgotten
        for job in scheduler.get_jobs():
            job.modify(next_run_time=job.next_run_time + timedelta(days=366))
        nights.keep_jobs(scheduler)
        now = datetime.now(UTC)
        waits = {job.id: job.next_run_time - now for job in scheduler.get_jobs()}
        assert waits[JOB] <= timedelta(days=1)
        assert waits[MAIL_JOB] <= timedelta(minutes=MAIL_MINUTES)
    finally:
        scheduler.shutdown()


def test_sigterm_finishes_the_page_in_hand_and_the_rest_is_gone_on_with(
    web: Site, tmp_path: Path
) -> None:
    service = Service(web, tmp_path, pages=5)
    process = service.start()
    wait_for_line(process, "next cycle")
    end(process)
    service.miss(nights=1)
    may_answer = threading.Event()

    def slow(visit: Visit) -> None:
        may_answer.wait(PATIENCE)
        visit.send(J1_ONLY.encode())

    web.route("/0", slow)
    process = service.start()
    web.wait_for("/0")
    process.send_signal(signal.SIGTERM)
    wait_for_line(process, "stopping")
    may_answer.set()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    with Store(service.db) as store:
        (cycle,) = cycles.listed(store)
        assert cycle.finished_at is None
        # The answer may cross with the word to stop, and have the next page begun.
        assert len(cycles.observed(store, cycle.id)) in (1, 2)
    command = [sys.executable, "-m", "visawatch", "--db", str(service.db)]
    command += ["--config", str(tmp_path / "visawatch.toml"), "crawl", "--allow-host", "127.0.0.1"]
    subprocess.run(command, check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL)
    pages = [path for path in web.paths() if path != "/robots.txt"]
    assert sorted(pages) == ["/0", "/1", "/2", "/3", "/4"]
    assert service.cycles() == [cycle.night]
