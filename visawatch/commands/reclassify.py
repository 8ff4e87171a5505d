"""`visawatch reclassify`: new rules over stored snapshots."""

from __future__ import annotations

import click
from rich.padding import Padding
from rich.text import Text

from monitor.diff import category
from monitor.rules import Flip, apply
from monitor.rules import reclassify as read_anew
from visawatch.app import App, shown


@click.command()
@click.option("--apply", "write", is_flag=True, help="Write what is shown.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def reclassify(app: App, write: bool, as_json: bool) -> None:
    """Read all stored pages by today's rules, and show which policies that would flip.

    Nothing is fetched, and nothing written without --apply. What flips is no change of a
    program: it is not flagged, and not mailed.
    """
    with app.store() as store:
        result = read_anew(store)
        for flip in result.flips:
            if as_json:
                app.echo_json(_json(flip))
            else:
                show_flip(app, flip)
        if write:
            apply(store, result, app.now())
    done = "written" if write else "nothing written; --apply writes them"
    read, flips = len(result.snapshots), len(result.flips)
    app.note(f"{read} pages read by new rules, {flips} policies flip: {done}")


def show_flip(app: App, flip: Flip) -> None:
    """One policy before and after, with the sentences that prove either."""
    assert flip.reading.policy is not None  # noqa: S101 (a flip has two policies)
    before, after = flip.before.reading, flip.reading.policy.to_json()
    console = app.console()
    console.print(Text(f"{flip.program_id}: {category(before)} -> {category(after)}", style="bold"))
    for sign, policy in (("-", before), ("+", after)):
        for quote in dict.fromkeys(e["quote"] for e in policy["evidence"]):
            console.print(Padding(Text(f"{sign} “{quote}”"), (0, 0, 0, 4)))


def _json(flip: Flip) -> dict[str, object]:
    assert flip.reading.policy is not None  # noqa: S101 (a flip has two policies)
    return {
        "program_id": flip.program_id,
        "kind": str(flip.difference.kind),
        "severity": str(flip.difference.severity),
        "before": shown(flip.before.reading),
        "after": shown(flip.reading.policy.to_json()),
    }
