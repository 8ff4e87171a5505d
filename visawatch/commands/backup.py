"""`visawatch backup`: a copy of the database that can be relied on, made while it is used."""

from __future__ import annotations

from pathlib import Path

import click

from store import copies
from visawatch.app import App


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE, once the new copy is proved.")
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="Of the copies in the folder FILE, keep the newest N only.",
)
@click.option("--json", "as_json", is_flag=True, help="What is in the copy, as one JSON line.")
@click.pass_obj
def backup(app: App, file: Path, force: bool, keep: int | None, as_json: bool) -> None:
    """Copy the database into FILE, as it is at one moment, while others use it.

    The copy is read through before it is kept: every page of the file, every reference between
    rows, the number of rows, the hash of each stored page. If FILE is a folder, the copy gets a
    name with the time in it.
    """
    folder = file if file.is_dir() else None
    if keep is not None and folder is None:
        raise click.UsageError("--keep is for a folder of copies: make it first, and name it")
    made = copies.backup(
        app.db, folder / copies.name_of(app.now()) if folder else file, replace=force
    )
    gone = copies.forget(folder, keep) if folder and keep else []
    if as_json:
        app.echo_json(copy_json(made))
        return
    click.echo(f"{made.path}: {contents(made)}")
    if gone:
        click.echo(f"{len(gone)} older removed from {folder}")


def contents(copy: copies.Copy) -> str:
    """What is in a copy, in a line."""
    last = f", the last one of {copy.last.started_at}" if copy.last else ""
    rows = copy.rows
    return (
        f"{rows['programs']} programs, {rows['snapshots']} stored pages, {rows['cycles']} cycles"
        f"{last}; {copy.bytes:,} bytes, every check passed"
    )


def copy_json(copy: copies.Copy) -> dict[str, object]:
    """The same for scripts."""
    return {
        "path": str(copy.path),
        "bytes": copy.bytes,
        "schema": copy.schema,
        "last_cycle": copy.last.started_at if copy.last else None,
        "rows": dict(copy.rows),
    }
