"""Drives urlwatch and webchanges as their users do: a list of jobs, a database, a run a night."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import usage
from benchmarks.peers.reports import entries
from benchmarks.peers.values import Alert, Nights, Outcome, Page, Usage, program

LONGEST = 120.0  # seconds for one night
# The report goes to standard output, as a cron job's does; pages that are new are not told.
_CONFIG = {
    "display": {"new": False, "error": True, "unchanged": False, "empty-diff": False},
    "report": {
        "stdout": {"enabled": True, "color": False},
        "text": {"details": True, "footer": False, "minimal": False, "line_length": 75},
    },
}


@dataclass(frozen=True, slots=True)
class CommandLine:
    """A peer that is run once a night."""

    name: str
    jobs: str  # the options that name its files
    database: str

    def __call__(self, nights: Nights, folder: Path, settings: dict[str, Any]) -> Outcome:
        """Watches all nights."""
        self.list(nights.pages, folder, settings)
        speak_for = {page.key: page.programs for page in nights.pages}
        outcome = Outcome()
        for night in range(1, len(nights) + 1):
            nights.web.go(night)
            report = self.night(folder, outcome.usage)
            (folder / f"report-{night}.txt").write_text(report)
            outcome.alerts += [
                Alert(night, told.name, speak_for[told.name], told.text, told.kind)
                for told in entries(report)
            ]
        return outcome

    def list(self, pages: Iterable[Page], folder: Path, settings: dict[str, Any]) -> None:
        """Writes the files that name the pages to watch."""
        jobs = [{"name": page.key, "url": page.url, "timeout": 4, **settings} for page in pages]
        # JSON is YAML, and both want jobs as documents.
        (folder / "jobs.yaml").write_text("\n---\n".join(map(json.dumps, jobs)))
        (folder / "config.yaml").write_text(json.dumps(_CONFIG))
        (folder / "hooks.py").touch()

    def night(self, folder: Path, used: Usage, longest: float = LONGEST) -> str:
        """What it tells of the pages that are listed there. Raises PeerError."""
        command = [program(self.name, self.name), self.jobs, str(folder / "jobs.yaml")]
        command += ["--config", str(folder / "config.yaml"), "--hooks", str(folder / "hooks.py")]
        command += [self.database, str(folder / "snapshots.db")]
        env = {"HOME": str(folder), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
        return usage.run(command, used, env=env, timeout=longest, ok=(0,))


urlwatch = CommandLine("urlwatch", "--urls", "--cache")
webchanges = CommandLine("webchanges", "--jobs", "--database")
