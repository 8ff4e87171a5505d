"""Drives VisaWatch: a list of programs, a database, a crawl a night."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.nights import flag_of, listed
from benchmarks.peers.usage import metered
from benchmarks.peers.values import Alert, Nights, Outcome, PeerError, last_words
from benchmarks.simweb.answers import address
from store import changes, programs
from store.database import Store

# The politeness of the peers, which have none, and their timeout; all else is as it comes.
_CONFIG = """[crawl]
delay_seconds = 0
timeout_seconds = 4
allow_hosts = [{hosts}]
[monitor]
confirm_delay_seconds = 0
[mail]
maildir = "{mail}"
"""


def visawatch(nights: Nights, folder: Path, settings: dict[str, Any]) -> Outcome:
    """Watches all nights. A change of mere wording is no alert: it is never mailed by itself."""
    hosts = ", ".join(f'"{address(site.number)}"' for site in nights.world.sites)
    (folder / "visawatch.toml").write_text(_CONFIG.format(hosts=hosts, mail=folder / "mail"))
    database = folder / "visawatch.db"
    with Store(database) as store, store.writing():
        programs.save(
            store, [listed(nights.world, each, nights.web) for each in nights.world.programs]
        )
    outcome = Outcome()
    for night in range(1, len(nights) + 1):
        nights.web.go(night)
        errors = _night(nights, outcome, folder, night)
        outcome.alerts += [Alert(night, "", frozenset(), "", "error")] * errors
    with Store(database) as store:
        flags = [flag_of(each) for each in changes.listed(store, "all") if each.severity != "minor"]
    outcome.alerts += [
        Alert(flag.night, flag.program, frozenset({flag.program}), flag.after) for flag in flags
    ]
    return outcome


def _night(nights: Nights, outcome: Outcome, folder: Path, night: int) -> int:
    """The number of pages that a night reports as unreadable."""
    command = [sys.executable, "-m", "benchmarks.peers.night"]
    command += [str(folder / "visawatch.db"), str(folder / "visawatch.toml"), str(night)]
    pipe = subprocess.PIPE
    last = ""
    with (
        (folder / "log.txt").open("a") as log,
        metered(command, outcome.usage, stdin=pipe, stdout=pipe, stderr=log) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        for line in process.stdout:
            last = line
            if len(wanted := line.split()) == 2:
                asked = nights.web.go(*map(int, wanted))
                process.stdin.write(json.dumps(asdict(asked)) + "\n")
                process.stdin.flush()
    if process.returncode:
        words = last_words((folder / "log.txt").read_text())
        raise PeerError(f"VisaWatch ended with {process.returncode} in night {night}:\n{words}")
    return int(last)
