"""Draws docs/demo.svg, the picture in the README: `make picture`."""

from __future__ import annotations

import io
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from store import changes, programs
from store.database import Store
from visawatch.show import show_changes

PICTURE = Path(__file__).parent / "demo.svg"


def main() -> None:
    console = Console(record=True, width=100, file=io.StringIO(), highlight=False)
    console.print(Text("$ visawatch changes\n", style="bold"))
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "visawatch", "demo", "--keep", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        with Store(Path(folder) / "visawatch.db") as store:
            known = {program.program_id: program for program in programs.listed(store)}
            found = [change for change in changes.listed(store) if change.severity != "minor"]
        show_changes(console, found, known)
    console.save_svg(str(PICTURE), title="visawatch")


if __name__ == "__main__":
    main()
