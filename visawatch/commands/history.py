"""`visawatch history PROGRAM`: its policies over time."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import click

from monitor.timeline import Entry, Flagged, Period, Timeline, season, timeline
from store.records import Review
from visawatch.app import App, shown
from visawatch.commands.changes import to_json
from visawatch.show_history import show_timeline


@click.command()
@click.argument("program_id", metavar="PROGRAM")
@click.option(
    "--all", "everything", is_flag=True, help="Changes of wording and short outages, too."
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def history(app: App, program_id: str, everything: bool, as_json: bool) -> None:
    """Show the policies of PROGRAM over time: the sentences, and who confirmed or corrected them.

    A program that is no longer watched still has its history.
    """
    stale_after = app.config.monitor.stale_after_cycles
    with app.store() as store:
        found = timeline(store, program_id, stale_after_cycles=stale_after)
    if not everything:
        found = found.without_trifles()
    if as_json:
        for entry in found.entries:
            app.echo_json({"program_id": program_id, **_json(entry)})
    elif found.entries:
        show_timeline(app.console(), found)
    else:
        app.note(f"{program_id}: none of its pages has been seen; `visawatch crawl` reads them")
    _say_removed(app, found)


def _say_removed(app: App, found: Timeline) -> None:
    if found.removed_at is not None:
        app.note(f"{found.program.program_id} is not watched since {found.removed_at}")


def _json(entry: Entry) -> dict[str, Any]:
    common = {"season": season(entry.at), "at": entry.at}
    if isinstance(entry, Period):
        return {
            "entry": "policy",
            **common,
            **asdict(entry),
            "policy": shown(entry.policy),
            "reviews": [_review(review) for review in entry.reviews],
        }
    if isinstance(entry, Flagged):
        reviews = [_review(review) for review in entry.reviews]
        return {"entry": "change", **common, "change": to_json(entry.change), "reviews": reviews}
    return {"entry": "unread", **common, **asdict(entry)}


def _review(review: Review) -> dict[str, str]:
    return {"verdict": review.verdict, "by": review.by, "note": review.note, "at": review.at}
