"""`visawatch snapshot ID`: a page as it was."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from monitor.archive import FORMS, find
from visawatch.app import App
from visawatch.whole import writing

STDOUT = "-"


@click.command(epilog="\b\n" + FORMS)
@click.argument("name", metavar="ID")
@click.option(
    "--out",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="Where to write it.  [default: standard output]",
)
@click.pass_obj
def snapshot(app: App, name: str, out: Path | None) -> None:
    """Write the stored page that ID means, byte for byte.

    What it is, and its SHA-256, are said on standard error.
    """
    if out is None and sys.stdout.isatty():
        raise click.UsageError(
            "a page may hold anything, and a terminal obeys it: name a file with --out, "
            "or send it through a pipe"
        )
    with app.store() as store:
        found = find(store, name)
    if out is None or str(out) == STDOUT:
        sys.stdout.buffer.write(found.body)
    else:
        with writing(out) as file:
            file.write(found.body)
    kind = found.content_type or "of no known type"
    app.note(f"{found.sha256}: {len(found.body)} bytes, {kind!r}")
