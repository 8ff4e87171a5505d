"""Draws docs/demo.svg and docs/shortlist.svg, the pictures in the docs: `make picture`."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from shortlist.knowledge import knowledge
from shortlist.profile import profile
from shortlist.target import ask, shortlist
from store import changes, programs
from store.database import Store
from visawatch.show import show_changes
from visawatch.show_shortlist import show

DOCS = Path(__file__).parent
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)  # of the season whose calendar the docs tell of


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "visawatch", "demo", "--keep", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with Store(Path(folder) / "visawatch.db") as store:
            draw("demo.svg", "visawatch changes", lambda console: flagged(console, store))
            draw(
                "shortlist.svg",
                "visawatch shortlist --visa either --step3 2027-01-15 --applications 4",
                lambda console: listed(console, store),
            )


def draw(name: str, command: str, show_it: Callable[[Console], None]) -> None:
    """What a command prints, as a picture."""
    console = Console(record=True, width=100, file=io.StringIO(), highlight=False)
    console.print(Text(f"$ {command}\n", style="bold"))
    show_it(console)
    console.save_svg(str(DOCS / name), title="visawatch")


def flagged(console: Console, store: Store) -> None:
    known = {program.program_id: program for program in programs.listed(store)}
    found = [change for change in changes.listed(store) if change.severity != "minor"]
    show_changes(console, found, known)


def listed(console: Console, store: Store) -> None:
    mine = profile({"visa": "either", "step3": "2027-01-15", "applications": 4})
    found = shortlist(ask(store, mine, knowledge(), NOW))
    show(console, found, found.targets(store, found.chosen, stale_after_cycles=3))


if __name__ == "__main__":
    main()
