"""`visawatch export`: what others may read, as files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import click

from monitor import archive
from monitor.feeds import feeds, rendered
from store import cycles, leases, snapshots
from store.database import Store
from store.reading import Readers
from store.records import stamp
from visawatch import dataset, tree, warc
from visawatch.app import App
from visawatch.moments import Day
from visawatch.whole import writing


@click.command()
@click.argument(
    "folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False)
)
@click.option(
    "--warc",
    "warc_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all stored pages into FILE (.warc.gz).",
)
@click.option("--from", "first", type=Day(), help="Only pages fetched since; for --warc.")
@click.option("--to", "last", type=Day(end=True), help="Only pages fetched until; for --warc.")
@click.option(
    "--program",
    "only",
    multiple=True,
    metavar="ID",
    help="Only pages of this program, repeatable; for --warc.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each file.")
@click.pass_obj
def export(
    app: App,
    folder: Path | None,
    warc_file: Path | None,
    first: datetime | None,
    last: datetime | None,
    only: tuple[str, ...],
    as_json: bool,
) -> None:
    """Write what others may read into DIR.

    DIR/feeds has Atom feeds: of all changes, each institution and each program. DIR/data has the
    programs with their policies, evidence and history, and the changes: as CSV, as JSON lines, and
    as a SQLite file for Datasette, with metadata.json. What no person has confirmed says so.

    A file that is the same as before is left alone, and every other is replaced at once, so DIR
    can be what a web server serves. Of what is in there, only what an earlier export wrote and
    this one does not is removed.

    With --warc, write the stored pages as a web archive, with or without DIR.
    """
    if folder is None and warc_file is None:
        raise click.UsageError("name a DIR, or a file with --warc, or both")
    if warc_file is None and (first or last or only):
        raise click.UsageError("--from, --to and --program choose pages for --warc")
    with app.store() as store:
        if holder := leases.take(store, "export", app.now()):
            raise click.ClickException(f"{holder}; wait for it, and export again")
        try:
            if folder is not None:
                _feeds(app, store, folder, as_json=as_json)
                _data(app, folder, as_json=as_json)
            if warc_file is not None:
                captures = archive.captures(store, first, last, only=only)
                _warc(app, store, warc_file, captures, as_json=as_json)
        finally:
            leases.give_back(store, "export")


def _feeds(app: App, store: Store, folder: Path, *, as_json: bool) -> None:
    made = feeds(store, base_url=app.config.web.base_url)
    files = {feed.path: rendered(feed) for feed in made}
    written, removed = tree.replace_all(folder / "feeds", files)
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


def _data(app: App, folder: Path, *, as_json: bool) -> None:
    # As it is at one moment, though a cycle may be writing.
    with closing(Readers(app.db)) as readers, readers.reading() as store:
        files = dataset.files(
            store,
            stale_after_cycles=app.config.monitor.stale_after_cycles,
            base_url=app.config.web.base_url,
        )
    written, removed = tree.replace_all(folder / "data", files)
    if as_json:
        for path, data in sorted(files.items()):
            app.echo_json({"path": f"data/{path}", "bytes": len(data)})
        return
    click.echo(
        f"{len(files)} files of data in {folder / 'data'}: {written} written, {removed} removed"
    )


def _warc(
    app: App, store: Store, file: Path, captures: Iterator[archive.Capture], *, as_json: bool
) -> None:
    newest = cycles.last_finished(store)
    with writing(file) as out:
        written = warc.write(
            out,
            captures,
            lambda snapshot_id: snapshots.get(store, snapshot_id),
            filename=file.name,
            date=(newest and newest.finished_at) or stamp(app.now()),
        )
        if not written.pages:
            raise archive.ArchiveError(f"no page was seen then: {file} is not written")
    if as_json:
        app.echo_json({"path": str(file), "pages": written.pages, "revisits": written.revisits})
        return
    click.echo(f"{written.pages} pages in {file}, and {written.revisits} times the same again")
