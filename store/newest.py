"""The newest thing of all that carries a time: a clock that is right is behind none."""

from __future__ import annotations

from dataclasses import dataclass

from store.database import Store

# What every kind of work files, with an index or few rows each: observations are in cycles.
_TIMES = (
    ("cycles", "started_at"),
    ("cycles", "finished_at"),
    ("changes", "detected_at"),
    ("reviews", "at"),
    ("outbox", "created_at"),
    ("outbox", "sent_at"),
    ("subscriptions", "created_at"),
    ("evidence", "at"),
    ("leases", "renewed_at"),
)


@dataclass(frozen=True, slots=True)
class Newest:
    """When it was filed, and in which table."""

    at: str
    table: str


def newest(store: Store) -> Newest | None:
    """The last thing that was filed, by its own time; None: nothing was."""
    tables = {row["name"] for row in store.rows("SELECT name FROM sqlite_schema")}
    found = [
        Newest(row["at"], table)
        for table, column in _TIMES
        if table in tables
        for row in store.rows(f"SELECT max({column}) AS at FROM {table}")  # noqa: S608 (ours)
        if row["at"]
    ]
    return max(found, key=lambda one: one.at, default=None)
