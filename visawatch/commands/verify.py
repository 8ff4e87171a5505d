"""`visawatch verify`: what is asked, answered and reported, and what a maintainer makes of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.plain import printable
from extractors import Policy
from monitor.alerts import check, deliver
from monitor.diff import category
from sources import asking, mailbox
from sources.deciding import accept, reject
from sources.incoming import Outcome, take
from store import evidence, programs, questions
from store.database import Store
from store.evidence import Saying
from visawatch.app import App
from visawatch.cycling import say_weighed
from visawatch.truth import by_option, policy_options, policy_said


@click.group()
def verify() -> None:
    """Make sure of policies: ask coordinators, and read what they and residents say."""


@verify.command("plan")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def plan_(app: App, as_json: bool) -> None:
    """List the programs worth asking: unstated, conflicting, stale, or in doubt.

    Those that were asked in this season are left out.
    """
    with app.store() as store:
        found = _plan(app, store)
    table = Table("Id", "Why", "Coordinator", header_style="bold")
    for wanted in found:
        program = wanted.program
        if as_json:
            app.echo_json(
                {
                    "program_id": program.program_id,
                    "reasons": list(wanted.reasons),
                    "coordinator_email": program.coordinator_email,
                    "obstacle": wanted.obstacle,
                }
            )
        to = wanted.obstacle or program.coordinator_email
        table.add_row(*map(Text, (program.program_id, ", ".join(wanted.reasons), to)))
    if not as_json:
        app.console().print(table)
        ready = sum(not wanted.obstacle for wanted in found)
        app.note(f"{len(found)} programs, {ready} with an address; `visawatch verify send` asks")


@verify.command()
@click.argument("program_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everybody", is_flag=True, help="All that `verify plan` lists.")
@click.option("--yes", "go", is_flag=True, help="Send them. Without, they are only shown.")
@click.option(
    "--template",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The mail, in place of `verify.template` in the settings.",
)
@by_option
@click.pass_obj
def send(
    app: App,
    program_ids: tuple[str, ...],
    everybody: bool,
    go: bool,
    template: Path | None,
    by: str,
) -> None:
    """Ask the coordinators of these programs, each at most once in a season.

    Shows the mails; they go out with --yes only, in the name of a maintainer (--by).
    """
    if bool(program_ids) == everybody:
        raise click.UsageError("name programs, or --all of `visawatch verify plan`")
    named = template or (Path(app.config.verify.template) if app.config.verify.template else None)
    with app.store() as store:
        chosen = (
            [wanted.program for wanted in _plan(app, store) if not wanted.obstacle]
            if everybody
            else [programs.get(store, program_id) for program_id in program_ids]
        )
        words = asking.template(named)
        drafts = [asking.draft(program, words) for program in chosen]
        if not go:
            for draft in drafts:
                click.echo(printable(f"To: {draft.to}\nSubject: {draft.subject}\n\n{draft.text}"))
            app.note(f"{len(drafts)} mails; nothing was sent: add --yes to send them")
            return
        settings = app.config.mail
        check(settings)
        count = asking.ask(store, drafts, app.now(), by=by, sender=settings.sender)
        delivery = deliver(store, settings, app.now(), allow_hosts=app.config.crawl.allow_hosts)
    for problem in delivery.problems:
        app.note(problem)
    app.note(
        f"{count} asked, {len(drafts) - count} were asked in this season already; "
        f"{delivery.sent} mails sent, {delivery.postponed} postponed, {delivery.refused} refused"
    )


@verify.command("read")
@click.argument("files", type=click.Path(exists=True, path_type=Path), nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def read_(app: App, files: tuple[Path, ...], as_json: bool) -> None:
    """Take answers from the mailbox in the settings, or from .eml FILES and folders of them.

    Answers are queued for a maintainer; none of them counts before.
    """
    url = app.config.verify.imap_url
    if not files and not url:
        raise click.UsageError("name .eml files, or set verify.imap_url to a mailbox")
    with app.store() as store:
        first = questions.first_asked(store)
        if not files and first is None:
            app.note("nobody was asked yet: `visawatch verify send` asks")
            return
        if files:
            found = mailbox.files(list(files))
        else:
            # A day of grace: servers search by their own day.
            asked = first or ""
            found = mailbox.imap(url, date.fromisoformat(asked[:10]) - timedelta(days=1))
        outcomes = take(store, found, app.now())
    for outcome in outcomes:
        if as_json:
            app.echo_json(asdict(outcome))
        elif outcome.outcome != "unasked":
            app.note(_told(outcome))
    queued = sum(outcome.outcome == "queued" for outcome in outcomes)
    app.note(f"{len(outcomes)} new mails, {queued} answers queued; `visawatch verify queue` lists")


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


def _plan(app: App, store: Store) -> list[asking.Wanted]:
    stale_after = app.config.monitor.stale_after_cycles
    return asking.plan(store, app.now(), stale_after_cycles=stale_after)


def _told(outcome: Outcome) -> str:
    number = f" as {outcome.evidence_id}" if outcome.evidence_id else ""
    what = f"{outcome.outcome.replace('_', ' ')}{number}"
    why = f": {outcome.why}" if outcome.why else ""
    return f"{outcome.place}: {what} {outcome.program_id}".rstrip() + why


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
