"""`visawatch replay`: what today's rules would have flagged."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.progress import Progress
from rich.rule import Rule
from rich.text import Text

from monitor.beside import Compared, Night, Verdict, count
from monitor.diff import summary
from monitor.replay import replay as run_again
from visawatch.app import App
from visawatch.commands.changes import to_json
from visawatch.cycling import settings_of
from visawatch.moments import Day
from visawatch.show import SEVERITIES

_SIGNS = {
    Verdict.SAME: ("=", "same", "dim"),
    Verdict.OTHERWISE: ("~", "otherwise", "yellow"),
    Verdict.NEW: ("+", "would be new", "green"),
    Verdict.NOT_FLAGGED: ("-", "would not be flagged", "red"),
}


@click.command()
@click.option("--from", "first", type=Day(), required=True, help="The first night, by its date.")
@click.option("--to", "last", type=Day(end=True), help="The last night.  [default: the latest]")
@click.option("--program", "only", multiple=True, metavar="ID", help="Only this one; repeatable.")
@click.option("--all", "with_minor", is_flag=True, help="Changes of wording only, too.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def replay(
    app: App,
    first: datetime,
    last: datetime | None,
    only: tuple[str, ...],
    with_minor: bool,
    as_json: bool,
) -> None:
    """Judge the stored nights again, by today's rules and settings.

    Shows what would have been flagged in each, beside what was flagged then. Nothing is fetched,
    and nothing written to the database.
    """
    if last is not None and last < first:
        raise click.UsageError("--to is before --from")
    with app.store() as store, _progress() as on_night:
        nights = run_again(
            store,
            first,
            last,
            settings=settings_of(app),
            only=only,
            on_night=on_night,
        )
    if not with_minor:
        nights = [night.without_minor() for night in nights]
    for night in nights:
        if as_json:
            for compared in night.flagged:
                app.echo_json(_json(night, compared))
        if night.flagged and not as_json:
            _show(app.console(), night)
    counts = ", ".join(f"{count(nights, v)} {words}" for v, (_, words, _) in _SIGNS.items())
    app.note(f"{len(nights)} nights: {counts}; nothing was written")


def _show(console: Console, night: Night) -> None:
    console.print(Rule(Text(f"cycle {night.cycle.id}, {night.cycle.started_at}"), align="left"))
    for compared in night.flagged:
        sign, words, style = _SIGNS[compared.verdict]
        change = compared.now or compared.then
        assert change is not None  # noqa: S101 (one of the two is there)
        title = Text(f"{sign} {words}: ", style=style)
        number = f"#{compared.then.id} " if compared.then else ""
        title.append(f"{number}{compared.program_id} ", style="bold")
        title.append(change.severity, style=SEVERITIES[change.severity])
        title.append(f" {change.kind.replace('_', ' ')}")
        console.print(title)
        console.print(Padding(Text(summary(change)), (0, 0, 0, 4)))
        if compared.why:
            console.print(Padding(Text(compared.why, style="dim"), (0, 0, 0, 4)))


def _json(night: Night, compared: Compared) -> dict[str, Any]:
    now = to_json(compared.now) if compared.now else None
    if now is not None:  # it was never filed
        del now["id"], now["status"]
    return {
        "cycle": night.cycle.id,
        "night": night.cycle.started_at,
        "program_id": compared.program_id,
        "verdict": str(compared.verdict),
        "why": compared.why,
        "then": to_json(compared.then) if compared.then else None,
        "now": now,
    }


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, when that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("nights", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
