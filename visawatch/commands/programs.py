"""`visawatch programs`: who is watched."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from monitor.diff import category
from monitor.status import statuses
from store import policies
from store import programs as table
from store.records import Program, stamp
from visawatch import programs_csv
from visawatch.app import App, shown
from visawatch.show import policies_table


@click.group()
def programs() -> None:
    """The programs that are watched."""


@programs.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def import_(app: App, file: Path) -> None:
    """Add the programs of a CSV FILE; those with a known id are replaced.

    Its header names the columns; program_id, institution, specialty and one URL are needed.
    """
    try:
        listing = programs_csv.read(file)
    except programs_csv.ListError as error:
        raise click.ClickException(str(error)) from error
    if listing.ignored:
        app.note(f"{file}: columns not used: {', '.join(listing.ignored)}")
    with app.store() as store, store.writing():
        known = {p.program_id for p in table.listed(store)}
        table.save(store, listing.programs)
    new = sum(p.program_id not in known for p in listing.programs)
    replaced = len(listing.programs) - new
    app.note(f"{new} programs added, {replaced} replaced; `visawatch crawl` reads their pages")


@programs.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def list_(app: App, as_json: bool) -> None:
    """List the watched programs."""
    with app.store() as store:
        found = table.listed(store)
    if as_json:
        for program in found:
            app.echo_json(asdict(program))
        return
    rows = Table("Id", "Institution", "Specialty", "Level", "State", "Page", header_style="bold")
    for p in found:
        url = p.eligibility_url or p.website_url or p.gme_url
        rows.add_row(*map(Text, (p.program_id, p.institution, p.specialty, p.level, p.state, url)))
    app.console().print(rows)
    app.note(f"{len(found)} programs")


@programs.command()
@click.argument("program_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def show(app: App, program_id: str, as_json: bool) -> None:
    """Show one program: its pages, its policy, and how that has changed."""
    with app.store() as store:
        program = table.get(store, program_id)
        status = next(s for s in statuses(store) if s.program.program_id == program_id)
        history = policies.history(store, program_id)
    if as_json:
        past = [{"since": s.since, "origin": s.origin, **shown(s.policy)} for s in history]
        app.echo_json(
            {
                **asdict(program),
                "policy": status.to_json(),
                "detail": status.detail,
                "history": past,
            }
        )
        return
    console = app.console()
    for name, value in asdict(program).items():
        if value:
            console.print(Text(f"{name:18} {value}"))
    console.print(policies_table([status]))
    for standing in history:
        console.print(
            Text(f"since {standing.since}: {category(standing.policy)} ({standing.origin})")
        )


@programs.command()
@click.option("--id", "program_id", required=True, help="A short name that stays, unique.")
@click.option("--institution", required=True)
@click.option("--specialty", required=True)
@click.option("--level", default="residency", show_default=True)
@click.option("--city", default="")
@click.option("--state", default="")
@click.option("--website-url", default="", help="Its site, where its page is looked for.")
@click.option("--eligibility-url", default="", help="The page that states its policy, if known.")
@click.option("--gme-url", default="", help="Its institution's page, shared by its programs.")
@click.option("--acgme-id", default="")
@click.option("--coordinator-email", default="")
@click.pass_obj
def add(app: App, /, **columns: str) -> None:
    """Add one program, or replace the one with its id."""
    program = Program(**columns)
    if reason := programs_csv.fault_of(program):
        raise click.UsageError(reason)
    with app.store() as store, store.writing():
        table.save(store, [program])
    app.note(f"{program.program_id} is watched; `visawatch crawl` reads it")


@programs.command()
@click.argument("program_id", metavar="ID")
@click.pass_obj
def remove(app: App, program_id: str) -> None:
    """Stop watching a program; its history is kept."""
    with app.store() as store, store.writing():
        table.remove(store, program_id, stamp(app.now()))
    app.note(f"{program_id} is no longer watched")
