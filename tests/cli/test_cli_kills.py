"""All commands killed (SIGKILL) at random instants: nothing acknowledged is lost or doubled.

`make kills` kills a hundred; the journal that is compared with is killing.py's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from loopback import Site
from shell import PATIENCE, Shell

KILLS = int(os.environ.get("KILLS", "16"))
PAGE = "<title>Visas</title><p>We sponsor {}.</p>"


@pytest.mark.timeout(60 + 10 * KILLS)
def test_what_was_acknowledged_is_there_once(tmp_path: Path, web: Site) -> None:
    shell = Shell(tmp_path)
    shell.watch({"changed": web.url("/visas")})
    for night, words in ((25, "J-1 and H-1B visas"), (26, "J-1 visas only")):
        shell.options = ["--now", f"2026-11-{night}T02:00:00Z"]
        web.page("/visas", PAGE.format(words))
        shell.crawl(web.host)
    assert [change["id"] for change in shell.changes()] == [1]
    script = Path(__file__).with_name("killing.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(KILLS), "20261125", web.host],
        env=shell.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE + 10 * KILLS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    print(told)
    assert sum(count for what, count in told.items() if what.startswith("begin ")) > KILLS
    assert shell.policies()["changed"]["category"] is not None
