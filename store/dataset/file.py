"""Writes the data set as a SQLite file that opens in Datasette as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from store.dataset.tables import TABLES, VIEWS, Table
from store.sqlite import Database

Value = str | int | float | None
Rows = Mapping[str, Sequence[Sequence[Value]]]  # by table, in the order of its columns


def write(path: Path, rows: Rows) -> None:
    """Writes a new file with all tables; the same rows give the same bytes.

    Raises OSError, and sqlite3.IntegrityError for a key of nothing.
    """
    db = Database(path)
    try:
        # Nothing is kept of a file that was not finished, so it need not survive a power cut.
        db.execute("PRAGMA journal_mode = off")
        db.execute("PRAGMA synchronous = off")
        db.execute("PRAGMA foreign_keys = on")
        for table in TABLES:
            _create(db, table)
            names = [column.name for column in table.columns]
            marks = ", ".join("?" * len(names))
            with db.atomic():
                db.conn.executemany(
                    f"INSERT INTO [{table.name}] VALUES ({marks})",  # noqa: S608
                    rows[table.name],
                )
            if table.searched:
                db.table(table.name).enable_fts(
                    table.searched, tokenize="unicode61 remove_diacritics 2"
                )
        for view in VIEWS:
            db.create_view(view.name, view.select)
        db.execute("ANALYZE")
        db.execute("VACUUM")
    finally:
        db.close()


def _create(db: Database, table: Table) -> None:
    foreign = [
        (column.name, column.of, _key_of(column.of)) for column in table.columns if column.of
    ]
    db.table(table.name).create(
        {column.name: column.kind for column in table.columns},
        pk=table.key[0] if len(table.key) == 1 else table.key,
        foreign_keys=foreign,
        not_null=set(table.key),
        strict=True,
    )
    for column in table.columns:
        # What leads to a row of another table, or is counted by, is looked up by it.
        if (column.of or column.name in table.facets) and column.name != table.key[0]:
            db.table(table.name).create_index([column.name])


def _key_of(name: str) -> str:
    return next(table.key[0] for table in TABLES if table.name == name)
