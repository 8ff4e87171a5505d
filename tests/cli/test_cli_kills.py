"""All commands killed (SIGKILL) at random instants, or at once: nothing is lost or doubled.

`make kills` kills a hundred; the journal that is compared with is killing.py's.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from loopback import Site
from shell import PATIENCE, Shell

KILLS = int(os.environ.get("KILLS", "16"))
PAGE = "<title>Visas</title><p>We sponsor {}.</p>"


# What a command may say that finds another one at work.
BUSY = (
    "another process holds the database",
    "another process has the database open",
    "another process is putting a copy there",
    "is already running it",
    "there is no decision to undo",
)


@pytest.fixture
def changed(shell: Shell, web: Site) -> Shell:
    """A watch of one program that has changed its policy."""
    shell.watch({"changed": web.url("/visas")})
    for night, words in ((25, "J-1 and H-1B visas"), (26, "J-1 visas only")):
        shell.options = ["--now", f"2026-11-{night}T02:00:00Z"]
        web.page("/visas", PAGE.format(words))
        shell.crawl(web.host)
    assert [change["id"] for change in shell.changes()] == [1]
    return shell


def commands(shell: Shell, site: Site, kills: int) -> dict[str, int]:
    """Runs killing.py; how many commands of each kind were begun, done and failed."""
    script = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(script), str(shell.folder), str(kills), "20261125", site.host],
        env=shell.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE + 10 * kills,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, int] = json.loads(done.stdout)
    print(told)
    return told


@pytest.mark.timeout(60 + 10 * KILLS)
def test_what_was_acknowledged_is_there_once(changed: Shell, web: Site) -> None:
    told = commands(changed, web, KILLS)
    assert sum(count for what, count in told.items() if what.startswith("begin ")) > KILLS
    assert changed.policies()["changed"]["category"] is not None


def test_two_of_every_kind_at_once(changed: Shell, web: Site) -> None:
    """Each is done, or says who is in the way; two sites, two schedules are open all the while."""
    long_lived = [
        subprocess.Popen(
            changed.command(*arguments),
            stderr=subprocess.PIPE,
            text=True,
            env=changed.environment(),
            cwd=changed.folder,
        )
        for arguments in [["serve", "--port", "0", "--workers", "2"], ["-v", "schedule"]] * 2
    ]
    try:
        sites = []
        for process in long_lived:
            assert process.stderr is not None
            first = process.stderr.readline()
            if served := re.match(r"(http://[\d.:]+)/ is served", first):
                sites.append(served[1])
        told = commands(changed, web, 0)
        assert [httpx.get(f"{site}/healthz", trust_env=False).status_code for site in sites] == [
            200, 200
        ]  # fmt: skip
    finally:
        for process in long_lived:
            process.terminate()
    for process in long_lived:
        _, said = process.communicate(timeout=PATIENCE)
        assert (process.returncode, "Traceback" in said) == (0, False), said
    print((changed.folder / "reasons").read_text())
    kinds = {what.partition(" ")[2] for what in told}
    assert all(told[f"begin {kind}"] == 2 for kind in kinds)
    # One of two at least; but an undo that comes before all decisions finds nothing to undo.
    assert all(told.get(f"done {kind}") for kind in kinds - {"undo"})
    for reason in (changed.folder / "reasons").read_text().splitlines():  # of one crawl at least
        assert any(words in reason for words in BUSY), reason
