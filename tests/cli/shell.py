"""The command line as a test uses it: arguments in, status and both outputs out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from visawatch.cli import main

PATIENCE = 120.0  # seconds for one command
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Result:
    """What a command said; `json` are the lines of its standard output, each an object."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> list[dict[str, Any]]:
        """Every line of standard output as JSON; fails for a line that is not."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(slots=True)
class Serving:
    """A web site in a process of its own; `log` is whole once it has ended."""

    process: subprocess.Popen[str]
    address: str  # http://127.0.0.1:8000
    log: str


@dataclass(slots=True)
class Shell:
    """Runs commands over one folder's database; without delays, and with mail kept there."""

    folder: Path
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)  # global ones, before each command

    @property
    def db(self) -> Path:
        """The database file."""
        return self.folder / "visawatch.db"

    def __call__(
        self, *args: str, status: int = 0, stdin: bytes = b"", env: dict[str, str] | None = None
    ) -> Result:
        """Runs a command in this process; its exit status must be `status`."""
        done = CliRunner().invoke(
            main,
            self._line(args),
            input=stdin,
            env=env,
            catch_exceptions=False,
            prog_name="visawatch",
        )
        assert done.exit_code == status, f"{args}: {done.exit_code}\n{done.stdout}\n{done.stderr}"
        return Result(done.exit_code, done.stdout, done.stderr)

    def process(self, *args: str, **options: Any) -> Result:
        """Runs a command in a process of its own, as a script does."""
        return self._run(self.command(*args), **options)

    def bare(self, *args: str, **options: Any) -> Result:
        """Runs a command in a process, without any option that it was not given."""
        return self._run([sys.executable, "-m", "visawatch", *args], **options)

    def _run(
        self,
        command: list[str],
        status: int = 0,
        stdin: bytes = b"",
        env: dict[str, str] | None = None,
    ) -> Result:
        done = subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            timeout=PATIENCE,
            env=self.environment(env),
            cwd=self.folder,
            check=False,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == status, f"{command}: {done.returncode}\n{out}\n{err}"
        return Result(done.returncode, out, err)

    @contextmanager
    def serving(self, *options: str) -> Iterator[Serving]:
        """Runs `visawatch serve` on a free port, from when it says where until it has ended."""
        process = subprocess.Popen(
            self.command("serve", "--port", "0", *options),
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(),
            cwd=self.folder,
        )
        assert process.stderr is not None
        try:
            first = process.stderr.readline()
            where = re.search(r"(http://[\d.:]+)/ is served", first)
            assert where, first + process.stderr.read()
            serving = Serving(process, where[1], first)
            yield serving
            process.terminate()
            serving.log += process.stderr.read()  # not communicate(), which forgets the rest
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.communicate()

    def command(self, *args: str) -> list[str]:
        """The command line of a process."""
        return [sys.executable, "-m", "visawatch", *self._line(args)]

    def environment(self, changes: dict[str, str] | None = None) -> dict[str, str]:
        """What a process is to find in its environment."""
        return {**os.environ, "PYTHONPATH": str(ROOT), **(changes or {})}

    def crawl(self, *hosts: str, **options: Any) -> dict[str, Any]:
        """Runs a cycle that may fetch these hosts, and gives its summary."""
        allowed = [arg for host in hosts for arg in ("--allow-host", host)]
        return self("crawl", "--json", *allowed, **options).json[-1]

    def policies(self) -> dict[str, dict[str, Any]]:
        """The policies by program id."""
        return {line["program_id"]: line for line in self("policies", "--json").json}

    def changes(self, *args: str) -> list[dict[str, Any]]:
        """The flagged changes of every status, with those of wording only."""
        return self("changes", "--status", "all", "--all", "--json", *args).json

    def watch(self, urls: dict[str, str]) -> None:
        """Watches a page for each program id."""
        self.load(
            [f"{program_id},Larkspur Hospital,Neurology,{url}" for program_id, url in urls.items()]
        )

    def load(self, rows: Sequence[str]) -> None:
        """Imports programs; a row has the id, institution, specialty and page."""
        header = "program_id,institution,specialty,eligibility_url"
        file = self.folder / "programs.csv"
        file.write_text("\n".join([header, *rows]))
        self("programs", "import", str(file))

    def _line(self, args: Sequence[str]) -> list[str]:
        config, text = self.folder / "quick.toml", self._toml()
        if not config.exists() or config.read_text() != text:
            config.write_text(text)
        return ["--db", str(self.db), "--config", str(config), *self.options, *args]

    def _toml(self) -> str:
        quick: dict[str, dict[str, Any]] = {
            "crawl": {"delay_seconds": 0, "per_host": 8, "timeout_seconds": 5},
            "monitor": {"confirm_delay_seconds": 0},
            "mail": {"maildir": str(self.folder / "mail")},
        }
        lines = []
        for section in {**quick, **self.settings}:
            lines.append(f"[{section}]")
            keys = {**quick.get(section, {}), **self.settings.get(section, {})}
            # A TOML string, number or list of strings is written as its JSON is.
            lines += [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        return "\n".join(lines) + "\n"
