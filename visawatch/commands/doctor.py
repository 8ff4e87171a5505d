"""`visawatch doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict

import click

from crawler.plain import printable
from visawatch.app import App
from visawatch.commands.crawl import engine_option
from visawatch.doctor import examine


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON lines, one for each finding.")
@engine_option
@click.pass_obj
def doctor(app: App, engine: str, as_json: bool) -> None:
    """Look at everything that can be wrong here, and say what to do. Changes nothing.

    Settings and who can read their secrets; the program's files; the disk; the database, its locks
    and every page of it; the clock; cycles that are overdue; mail that does not get out; with an
    engine, its server, its workers and what they have in hand. Fails when somebody has to do
    something.
    """
    well = True
    for finding in examine(app.db, app.settings, app.config_file, app.now(), engine=engine):
        well = well and finding.well
        if as_json:
            app.echo_json(asdict(finding))
            continue
        click.echo(printable(f"{finding.status:<8} {finding.check:<9} {finding.found}"))
        if finding.do:
            click.echo(printable(f"{'':<18} -> {finding.do}"))
    if not well:
        raise click.exceptions.Exit(1)
