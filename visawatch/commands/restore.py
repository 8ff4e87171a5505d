"""`visawatch restore`: a backup, proved, in the place of the database."""

from __future__ import annotations

from pathlib import Path

import click

from store import copies
from visawatch.app import App
from visawatch.commands.backup import contents, copy_json


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--force", is_flag=True, help="Put the database that is there aside.")
@click.option("--json", "as_json", is_flag=True, help="What was restored, as one JSON line.")
@click.pass_obj
def restore(app: App, file: Path, force: bool, as_json: bool) -> None:
    """Put a copy of FILE in the place of the database.

    It is checked as `backup` does, and upgraded, before anything is replaced. What was there is
    kept beside it, with the time in its name. Refused while another process has the database open.
    """
    done = copies.restore(file, app.db, app.now(), replace=force)
    if as_json:
        app.echo_json(
            {
                **copy_json(done.copy),
                "restored_from": str(file),
                "aside": str(done.aside) if done.aside else None,
                "unconfirmed": done.unconfirmed,
            }
        )
    else:
        click.echo(f"{app.db}: restored from {file}: {contents(done.copy)}")
    if done.aside:
        app.note(f"The database that was there is {done.aside} now.")
    if done.unconfirmed:
        app.note(
            f"Note: {done.unconfirmed} mails waited in the backup, and may have been sent since. "
            "`visawatch alerts show` lists them; `visawatch alerts send --unconfirmed` sends them."
        )
