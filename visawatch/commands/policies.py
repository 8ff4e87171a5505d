"""`visawatch policies`: the current policy of each program."""

from __future__ import annotations

import click

from monitor.status import statuses
from visawatch.app import App
from visawatch.show import policies_table


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def policies(app: App, as_json: bool) -> None:
    """Show the policy of each program, with the sentences that prove it."""
    stale_after = app.config.monitor.stale_after_cycles
    with app.store() as store:
        found = statuses(store, stale_after_cycles=stale_after)
    if as_json:
        for status in found:
            app.echo_json(status.to_json())
    elif found:
        app.console().print(policies_table(found))
    else:
        app.note("no programs yet: `visawatch programs import FILE.csv` adds some")
