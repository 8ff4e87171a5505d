"""What every command works with: the database, the settings, the clock, and the output."""

from __future__ import annotations

import json
import mimetypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.journal import told
from crawler.plain import printable, printable_json
from monitor.clock import Clock
from store.database import Store

if TYPE_CHECKING:
    from rich.console import Console

    from visawatch.config import Config


@dataclass(frozen=True)
class App:
    """The global options, resolved; commands get it as `@click.pass_obj`."""

    db: Path
    settings: Callable[[], Config]
    now: Clock
    verbose: bool = False
    config_file: Path | None = None  # where the settings come from, beside the environment

    @cached_property
    def config(self) -> Config:
        """The settings, read when they are first asked for. Raises ConfigError."""
        return self.settings()

    def store(self) -> Store:
        """The open database, to be used in a `with`. Raises StoreError."""
        return Store(self.db)

    def console(self) -> Console:
        """Where tables for people go: standard output, as wide as the terminal."""
        from visawatch.terminal import Terminal  # which takes 2 MB, and a night has no tables

        # A pipe has no width; 100 columns read well in a file or a mail.
        return Terminal(width=None if sys.stdout.isatty() else 100, highlight=False)

    def echo_json(self, value: Any) -> None:
        """One JSON line on standard output."""
        click.echo(printable_json(json.dumps(value, ensure_ascii=False)))

    def note(self, message: str) -> None:
        """A word to the person at the terminal, on standard error; or a record of the log."""
        if not told(message):
            click.echo(printable(message), err=True)


def shown(policy: dict[str, Any]) -> dict[str, Any]:
    """A policy as every `--json` has it: without the contexts, which only diffs need."""
    evidence = [{k: v for k, v in e.items() if k != "context"} for e in policy["evidence"]]
    return {**policy, "evidence": evidence}


def content(name: str) -> tuple[bytes, str]:
    """The bytes and the content type of a page in a file; `-` is standard input."""
    if name == "-":
        return sys.stdin.buffer.read(), ""
    # The name only helps to tell text from HTML; a PDF is known by its first bytes.
    return Path(name).read_bytes(), mimetypes.guess_type(name)[0] or ""


def utf8_output() -> None:
    """Quotes come from pages and hold any character, whatever the terminal's locale is."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
