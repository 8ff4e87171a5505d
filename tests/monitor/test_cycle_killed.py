"""A crawl that is killed (SIGKILL) at any moment, and run again, has lost and doubled nothing."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from collections import Counter
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from conftest import BOTH, FIRST_NIGHT, J1_ONLY
from loopback import Site
from mailserver import MailServer

from store import changes, cycles, programs, subscriptions
from store.database import Store
from store.records import Program, Subscription

PROGRAMS = 30
KILLS = 10
SEED = 20261125
PATIENCE = 120  # seconds for one crawl, on a busy machine
BODIES = {False: BOTH, True: J1_ONLY}


class Hospital:
    """A site of programs, a few of which change their policy each night."""

    def __init__(self, site: Site, folder: Path, mail: MailServer) -> None:
        self.site, self.folder = site, folder
        self.turned = [False] * PROGRAMS
        self.night = 0
        (folder / "visawatch.toml").write_text(
            "[crawl]\ndelay_seconds = 0\n"
            + "[monitor]\nconfirm_delay_seconds = 0\nflap_reversals = 99\n"
            + f'[mail]\nsmtp_url = "smtp://127.0.0.1:{mail.port}"\nsender = "w@watch.example"\n'
        )
        with self.store() as store, store.writing():
            programs.save(store, [self.program(n) for n in range(PROGRAMS)])
            everything = Subscription(id=0, address="fellow@inbox.example")
            subscriptions.add(store, everything, FIRST_NIGHT)
        self.serve()

    def program(self, n: int) -> Program:
        url = self.site.url(f"/{n}")
        return Program(f"p{n}", "Fernway", f"Specialty {n}", eligibility_url=url)

    def serve(self) -> None:
        for n, turned in enumerate(self.turned):
            self.site.page(f"/{n}", f"{BODIES[turned]}<p>{self.night} nights</p>")

    def turn(self, *numbers: int) -> None:
        """A new night, in which these programs have changed their policy."""
        self.night += 1
        for n in numbers:
            self.turned[n] = not self.turned[n]
        self.serve()

    def now(self) -> datetime:
        return FIRST_NIGHT + timedelta(days=self.night)

    def crawl(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "visawatch", "--db", str(self.folder / "v.db")]
        command += ["--config", str(self.folder / "visawatch.toml")]
        command += ["--now", self.now().isoformat(), "crawl", "--allow-host", "127.0.0.1"]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def store(self) -> Store:
        return Store(self.folder / "v.db")


@pytest.mark.timeout(600)
def test_ten_kills_lose_and_double_nothing(web: Site, tmp_path: Path, mail: MailServer) -> None:
    chance = random.Random(SEED)
    hospital = Hospital(web, tmp_path, mail)
    began = time.monotonic()
    assert hospital.crawl().wait(PATIENCE) == 0
    whole = time.monotonic() - began  # seconds that a cycle takes here, now

    kills = 0
    expected: list[set[str]] = []  # the programs that changed, by night
    while kills < KILLS:
        assert hospital.night < 4 * KILLS, "crawls end before they can be killed"
        changed = chance.sample(range(PROGRAMS), 3)
        hospital.turn(*changed)
        expected.append({f"p{n}" for n in changed})
        kills += _killed(hospital.crawl(), after=chance.uniform(0, whole))
        assert hospital.crawl().wait(PATIENCE) == 0

    with hospital.store() as store:
        done = cycles.listed(store)
        assert all(cycle.finished_at for cycle in done)
        for cycle in done:
            assert len(cycles.observed(store, cycle.id)) in (0, PROGRAMS)
        nights = Counter(change.detected_at for change in changes.listed(store, "all"))
        flagged = [
            {c.program_id for c in changes.listed(store, "all") if c.detected_at == night}
            for night in sorted(nights)
        ]
    assert flagged == expected
    assert all(count == 3 for count in nights.values())
    _assert_mailed_once(mail, expected)


def _killed(crawl: subprocess.Popen[bytes], *, after: float) -> bool:
    """Kills a crawl at a moment of its life; False when it was done by then."""
    try:
        crawl.wait(after)
    except subprocess.TimeoutExpired:
        crawl.kill()
        crawl.wait()
        return True
    return False


def _assert_mailed_once(mail: MailServer, expected: list[set[str]]) -> None:
    """Each night's changes came in one mail; the same one may have come twice, by its id."""
    mails = {}
    for _, content in mail.received:
        message = message_from_bytes(content, policy=default)
        body = message.get_body(("plain",))
        assert body is not None
        mails[str(message["Message-ID"])] = str(body.get_content())
    told = [set(re.findall(r"\[(p\d+)\]", text)) for text in mails.values()]
    assert told == expected
