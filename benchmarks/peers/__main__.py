"""The peers and VisaWatch over the same nights, in one table.

    python -m benchmarks.peers --programs 60 --nights 20 --seed 1

says whether VisaWatch reaches its goals beside the best of them; exits with 1 when one fails.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.nights import GATE
from benchmarks.peers.changedetection import changedetection
from benchmarks.peers.commandline import urlwatch, webchanges
from benchmarks.peers.ours import visawatch
from benchmarks.peers.scoring import Tally, tally
from benchmarks.peers.values import Nights, PeerError, Usage, Watch, watched
from benchmarks.simweb.server import serving
from benchmarks.simweb.truth import follow
from benchmarks.simweb.world import build

OURS = "VisaWatch"
GOAL = 20  # times fewer false alerts than the best of the peers
PEERS: dict[str, Watch] = {
    "urlwatch": urlwatch,
    "webchanges": webchanges,
    "changedetection": changedetection,
}
COLUMNS = (
    *("alerts", "per change", "missed", "false", "doubles", "errors told"),
    *("s wall/1000", "s CPU/1000", "MB peak"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What a tool came to in one of its settings. `checks` counts pages times nights."""

    tool: str
    setting: str
    tally: Tally
    usage: Usage
    checks: int

    @property
    def cpu(self) -> float:
        """CPU seconds for a thousand pages."""
        return 1000 * self.usage.cpu / self.checks

    def cells(self) -> tuple[str, ...]:
        """The figures, in the order of COLUMNS."""
        told = self.tally
        return (
            str(told.alerts),
            f"{told.alerts / max(1, told.changes):.2f}",
            str(len(told.missed)),
            str(len(told.false)),
            str(len(told.doubles)),
            str(told.errors),
            f"{1000 * self.usage.wall / self.checks:.1f}",
            f"{self.cpu:.1f}",
            f"{self.usage.peak / 2**20:.0f}",
        )


def settings(peer: str, setting: str) -> dict[str, Any]:
    """A peer's settings, from settings.toml."""
    data = tomllib.loads(Path(__file__).with_name("settings.toml").read_text())
    frame = ", ".join(data["frame"]["selectors"])

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: filled(each) for key, each in value.items()}
        if isinstance(value, list):
            return [filled(each) for each in value]
        return frame if value == "@frame" else value

    found: dict[str, Any] = filled(data[peer][setting])
    return found


def measure(tool: str, setting: str, watch: Watch, chosen: argparse.Namespace, folder: Path) -> Row:
    """Lets a tool watch all nights, from the first on. Raises PeerError."""
    given = {} if tool == OURS else settings(tool, setting)
    world = build(chosen.seed, chosen.programs, chosen.nights)
    with serving(chosen.seed, chosen.programs, chosen.nights) as web:
        nights = Nights(world, web, watched(world, web))
        outcome = watch(nights, folder, given)
    due, _ = follow(world)
    checks = len(nights.pages) * len(nights)
    return Row(tool, setting, tally(due, outcome.alerts), outcome.usage, checks)


def told(row: Row) -> str:
    """A line of the table."""
    cells = zip(COLUMNS, row.cells(), strict=True)
    return f"{row.tool:16} {row.setting:6} " + "  ".join(v.rjust(len(n)) for n, v in cells)


def verdict(ours: Row, peers: list[Row]) -> list[str]:
    """Whether each goal is reached beside the peer with the fewest false alerts.

    Of several, it is the one with the least CPU.
    """
    best = min(peers, key=lambda row: (len(row.tally.false), row.cpu))
    name = f"{best.tool} ({best.setting})"
    false, theirs = len(ours.tally.false), len(best.tally.false)
    fewer = GOAL * false <= theirs and theirs > 0
    return [
        f"{_said(fewer)}: {false} false alerts, {name} {theirs}; the goal is {GOAL} times fewer",
        f"{_said(ours.cpu <= best.cpu)}: {ours.cpu:.1f} s of CPU for 1,000 pages, "
        f"{name} {best.cpu:.1f}; the goal is no more",
    ]


def _said(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def main(arguments: list[str] | None = None) -> int:
    """Runs what the command line says; 1 when a tool failed to run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers")
    parser.add_argument("--programs", type=int, default=60)
    parser.add_argument("--nights", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=[OURS, *PEERS], metavar="TOOL")
    parser.add_argument("--setting", choices=["plain", "best"])
    parser.add_argument("--show", action="store_true", help="say each false alert and miss")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where each tool's files stay")
    chosen = parser.parse_args(arguments)
    runs = [(OURS, "", visawatch)]
    runs += [
        (name, setting, watch)
        for name, watch in PEERS.items()
        for setting in ("plain", "best")
        if setting == chosen.setting or not chosen.setting
    ]
    rows: list[Row] = []
    failed = False
    print(f"{'tool':16} {'':6} " + "  ".join(COLUMNS))
    for tool, setting, watch in runs:
        if chosen.only and tool not in chosen.only:
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if chosen.keep:
                folder = chosen.keep / f"{tool}-{setting}".strip("-")
                folder.mkdir(parents=True)
            try:
                row = measure(tool, setting, watch, chosen, folder)
            except PeerError as error:
                failed = True
                print(f"{tool:16} {setting:6} failed: {error}", flush=True)
                continue
        rows.append(row)
        print(told(row), flush=True)
        if chosen.show and chosen.seed not in GATE:
            _show(row.tally)
    if len(rows) > 1 and rows[0].tool == OURS:
        print(f"{rows[0].tally.changes} true changes; {rows[0].checks} checks of pages")
        print("\n".join(verdict(rows[0], rows[1:])))
    return int(failed)


def _show(found: Tally) -> None:
    for one in found.missed:
        print(f"  missed, night {one.due}, {one.program}: {one.kind}")
    for name, alerts in (("false", found.false), ("double", found.doubles)):
        for alert in alerts:
            print(f"  {name}, night {alert.night}, {alert.about}: {alert.text!r}")


if __name__ == "__main__":
    sys.exit(main())
