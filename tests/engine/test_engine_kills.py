"""Workers, writers and Redis are killed (SIGKILL) at random moments: nothing is lost or doubled.

`make scale-test` kills each twenty times (SCALE_KILLS); without it each is killed once.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from fleet import FIRST_NIGHT, PATIENCE, Fleet
from redisserver import RedisServer, serving

from monitor.engine import board
from store import changes, cycles
from store.records import stamp

KILLS = int(os.environ.get("SCALE_KILLS", "1"))  # of each kind
SEED = 20261129
HOSTS, PAGES = 6, 3
DELAY = 0.4


class Night:
    """The nights of a fleet, in each of which a worker, the writer and Redis are killed."""

    def __init__(self, fleet: Fleet, server: RedisServer, whole: float) -> None:
        self.fleet, self.server = fleet, server
        self.whole = whole  # seconds that a night takes here, now
        self.workers = [fleet.worker(), fleet.worker()]
        self.expected: dict[int, set[str]] = {}
        self.kills: Counter[str] = Counter()
        self._chance = random.Random(SEED)

    def run(self) -> None:
        """One night; who was not killed by its end is in the next one."""
        places = self._chance.sample(self.fleet.places(), 2)
        changed = {f"p{host}-{page}" for host, page in places}
        self.fleet.turn(*changed)
        self.expected[self.fleet.night] = changed
        victims = [one for one in ("worker", "writer", "redis") if self.kills[one] < KILLS]
        self._chance.shuffle(victims)
        writer = self.fleet.crawl()
        for victim in victims:
            try:
                writer.wait(self._chance.uniform(0.1, 0.6) * self.whole)
                break
            except subprocess.TimeoutExpired:
                writer = self._killed(victim, writer)
                self.kills[victim] += 1
        _, err = writer.communicate(timeout=PATIENCE)
        if _began_without_redis(writer, err):
            writer = self.fleet.crawl()
            _, err = writer.communicate(timeout=PATIENCE)
        assert writer.returncode == 0, err
        for number, worker in enumerate(self.workers):
            if worker.poll() is not None:
                assert _began_without_redis(worker, worker.communicate()[1])
                self.workers[number] = self.fleet.worker()

    def _killed(self, victim: str, writer: subprocess.Popen[str]) -> subprocess.Popen[str]:
        """Kill something, and start it again; gives the writer."""
        if victim == "redis":
            self.server.kill()
            self.server.start()
        elif victim == "worker":
            number = self._chance.randrange(len(self.workers))
            self.workers[number].kill()
            self.workers[number] = self.fleet.worker()
        else:
            writer.kill()
            writer.wait()
            return self.fleet.crawl()
        return writer


def _began_without_redis(process: subprocess.Popen[str], said: str) -> bool:
    """Whether it was started just when Redis was away: it says so, and systemd starts it again."""
    return process.returncode == 1 and "no Redis server answers" in said


@pytest.mark.timeout(3600)
def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "redis") as server,
        Fleet(tmp_path, server.url, hosts=HOSTS, pages=PAGES, delay=DELAY) as fleet,
    ):
        began = time.monotonic()
        with fleet.working(1):
            fleet.cycle()
        night = Night(fleet, server, time.monotonic() - began)
        while min(night.kills[victim] for victim in ("worker", "writer", "redis")) < KILLS:
            assert fleet.night < 6 * KILLS + 6, f"nights end before a kill: {night.kills}"
            night.run()
        _assert_nothing_lost_or_doubled(fleet, night.expected)
        pages = HOSTS * PAGES * (fleet.night + 1)
        asked = sum(map(len, fleet.visits().values()))
        print(
            f"\n{dict(night.kills)} kills in {fleet.night} nights; {pages} pages observed once, "
            f"asked for {asked} times; requests to a host at least {fleet.gaps()[0]:.3f} s apart, "
            f"those of two workers {fleet.gaps_between_clients()[0]:.3f} s (delay {DELAY} s)"
        )
        assert fleet.gaps()[0] >= DELAY
        _wait_until_all_work(server, night.workers)  # before, SIGTERM just ends one
        for worker in night.workers:
            worker.terminate()
            _, err = worker.communicate(timeout=PATIENCE)
            assert (worker.returncode, "Traceback" in err) == (0, False), err


def _wait_until_all_work(server: RedisServer, workers: Sequence[subprocess.Popen[str]]) -> None:
    until = time.monotonic() + PATIENCE
    with server.client() as client:
        for worker in workers:
            while not any(f":{worker.pid}" in name for name in client.zrange(board.WORKERS, 0, -1)):
                assert time.monotonic() < until, "a worker did not begin"
                time.sleep(0.05)


def _assert_nothing_lost_or_doubled(fleet: Fleet, expected: dict[int, set[str]]) -> None:
    with fleet.store() as store:
        done = cycles.listed(store)
        for cycle in done:
            assert cycle.finished_at
            attempts = Counter(o.attempt for o in cycles.observations(store, cycle.id))
            assert attempts[0] == HOSTS * PAGES
        # By nights: a writer that is killed when its cycle is done is followed by one more cycle.
        assert {cycle.started_at for cycle in done} == {_at(n) for n in range(fleet.night + 1)}
        flagged = Counter((c.detected_at, c.program_id) for c in changes.listed(store, "all"))
    assert flagged == Counter((_at(n), i) for n, changed in expected.items() for i in changed)


def _at(night: int) -> str:
    return stamp(FIRST_NIGHT + timedelta(days=night))
