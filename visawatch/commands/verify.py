"""`visawatch verify`: what is asked, answered and reported, and what a maintainer makes of it."""

from __future__ import annotations

from typing import Any

import click
from rich.console import Console
from rich.text import Text

from extractors import Policy
from monitor.diff import category
from sources.deciding import accept, reject
from store import evidence
from store.evidence import Saying
from visawatch.app import App
from visawatch.cycling import say_weighed
from visawatch.truth import by_option, policy_options, policy_said


@click.group()
def verify() -> None:
    """Make sure of policies: ask coordinators, and read what they and residents say."""


@verify.command()
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def queue(app: App, as_json: bool) -> None:
    """List answers and reports that no maintainer has read; none of them counts before."""
    with app.store() as store:
        found = evidence.waiting(store)
    for saying in found:
        if as_json:
            app.echo_json(_json(saying))
        else:
            _print(app.console(), saying)
    if not as_json:
        app.note(f"{len(found)} wait; `visawatch verify accept N` or `reject N` decides")


@verify.command("accept")
@click.argument("number", metavar="N", type=int)
@policy_options(required=False)
@by_option
@click.pass_obj
def accept_(
    app: App, number: int, j1: str | None, h1b: str | None, conditions: tuple[str, ...], by: str
) -> None:
    """Answer or report N says what was read in it, and counts; or it says --j1 and --h1b."""
    if (j1 is None) != (h1b is None) or (conditions and j1 is None):
        raise click.UsageError("--j1 and --h1b come together, and --condition with them")
    policy = policy_said(j1, h1b, conditions) if j1 and h1b else None
    with app.store() as store:
        saying, weighed = accept(store, number, by=by, now=app.now(), policy=policy)
    app.note(f"{number} counts: {saying.program_id}, {category(_policy(saying).to_json())}")
    say_weighed(app, weighed)


@verify.command("reject")
@click.argument("number", metavar="N", type=int)
@by_option
@click.pass_obj
def reject_(app: App, number: int, by: str) -> None:
    """Answer or report N is of no use: it never counts, and is shown no more."""
    with app.store() as store:
        saying, weighed = reject(store, number, by=by, now=app.now())
    app.note(f"{number} is rejected: {saying.program_id}")
    say_weighed(app, weighed)


def _policy(saying: Saying) -> Policy:
    return Policy.from_json({**Policy().to_json(), **saying.said})


def _json(saying: Saying) -> dict[str, Any]:
    return {
        "id": saying.id,
        "program_id": saying.program_id,
        "channel": saying.channel,
        "season": saying.season,
        "at": saying.at,
        "category": str(_policy(saying).category),
        **saying.said,
        "confidence": saying.confidence,
        "needs_review": saying.doubtful,
        "quote": saying.quote,
        "note": saying.note,
    }


def _print(console: Console, saying: Saying) -> None:
    head = Text(f"#{saying.id} {saying.program_id}  ", style="bold")
    head.append(f"{saying.channel}, {saying.at[:10]}, season of {saying.season}", style="dim")
    console.print(head)
    line = Text(f"  {category(_policy(saying).to_json())}")
    if saying.doubtful:
        line.append("  read it closely", style="yellow")
    console.print(line)
    for text in filter(None, (saying.quote, saying.note)):
        console.print(Text("  " + text.replace("\n", "\n  "), style="dim"))
