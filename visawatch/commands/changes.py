"""`visawatch changes`: what was flagged."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from monitor import flapping, waves
from monitor.groups import grouped
from store import changes as table
from store import programs, verdicts
from store.records import Change
from visawatch.app import App, shown
from visawatch.show import show_changes


@click.command()
@click.option(
    "--status",
    type=click.Choice([*table.STATUSES, "all"]),
    default="open",
    show_default=True,
    help="Which ones.",
)
@click.option("--all", "with_minor", is_flag=True, help="Changes of wording only, too.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def changes(app: App, status: str, with_minor: bool, as_json: bool) -> None:
    """List flagged changes, oldest first, with the words that changed."""
    with app.store() as store:
        found = [c for c in table.listed(store, status) if with_minor or c.severity != "minor"]
        held = {c.id: verdicts.holding(verdicts.of_change(store, c.id)) for c in found}
        decided = {number: review for number, review in held.items() if review is not None}
        known = {p.program_id: p for p in programs.listed(store)}
        told = waves.told(store, {c.wave_id for c in found if c.wave_id is not None})
        flaps = flapping.under_way(store)
    if as_json:
        group_of = {c.id: g.changes[0].id for g in grouped(found, known) for c in g.changes}
        for change in found:
            belongs = {"group": group_of[change.id], "wave": change.wave_id}
            app.echo_json({**to_json(change), **belongs, "channel": change.channel})
        return
    show_changes(app.console(), found, known, decided, told)
    for report in flaps:
        app.note(str(report))
    state = "" if status == "all" else f"{status} "
    app.note(f"{len(found)} {state}changes" if len(found) != 1 else f"1 {state}change")


def to_json(change: Change) -> dict[str, Any]:
    """The object of `changes --json`."""
    data = asdict(change)
    order = ("id", "program_id", "kind", "severity", "before", "after", "cycle", "status")
    data["cycle"] = data.pop("cycle_id")
    data["before"], data["after"] = shown(change.before), shown(change.after)
    return {name: data[name] for name in (*order, "detected_at", "url")}
