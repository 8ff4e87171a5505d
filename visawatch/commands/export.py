"""`visawatch export`: what others may read, as files."""

from __future__ import annotations

from pathlib import Path

import click

from monitor.feeds import feeds, rendered
from store import leases
from visawatch import tree
from visawatch.app import App


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each feed.")
@click.pass_obj
def export(app: App, folder: Path, as_json: bool) -> None:
    """Write the Atom feeds into DIR/feeds: of all changes, each institution and each program.

    A file that is the same as before is left alone, and every other is replaced at once, so DIR
    can be what a web server serves. Of what is in there, only what an earlier export wrote and
    this one does not is removed.
    """
    with app.store() as store:
        if holder := leases.take(store, "export", app.now()):
            raise click.ClickException(f"{holder}; wait for it, and export again")
        try:
            made = feeds(store, base_url=app.config.web.base_url)
            files = {feed.path: rendered(feed) for feed in made}
            written, removed = tree.replace_all(folder / "feeds", files)
        finally:
            leases.give_back(store, "export")
    if as_json:
        for feed in made:
            app.echo_json(
                {
                    "path": f"feeds/{feed.path}",
                    "title": feed.title,
                    "url": feed.address,
                    "entries": len(feed.entries),
                    "updated": feed.updated,
                }
            )
        return
    click.echo(f"{len(files)} feeds in {folder / 'feeds'}: {written} written, {removed} removed")
    if not app.config.web.base_url:
        app.note(
            "Note: web.base_url is empty, so the feeds do not say where they are read, and their "
            "ids will change once it is set: set it before others subscribe to them."
        )
