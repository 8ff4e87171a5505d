"""Pages that could not be read for so long that it was reported."""

from __future__ import annotations

from store.database import Store
from store.records import Outage


def under_way(store: Store) -> set[int]:
    """The pages, by id, whose outage was reported and is not over."""
    rows = store.rows("SELECT page_id FROM outages WHERE ended_cycle IS NULL")
    return {row["page_id"] for row in rows}


def begin(store: Store, page_id: int, cycle_id: int, detail: str) -> None:
    """A page's outage is reported in this cycle. Inside `writing()`."""
    store.write(
        "INSERT OR IGNORE INTO outages (page_id, reported_cycle, detail) VALUES (?, ?, ?)",
        (page_id, cycle_id, detail),
    )


def end(store: Store, page_id: int, cycle_id: int) -> None:
    """The page was seen again in this cycle. Inside `writing()`."""
    store.write(
        "UPDATE outages SET ended_cycle = ? WHERE page_id = ? AND ended_cycle IS NULL",
        (cycle_id, page_id),
    )


def of_cycle(store: Store, cycle_id: int) -> list[Outage]:
    """What began or ended in a cycle."""
    return [
        Outage(row["page_id"], row["reported_cycle"], row["ended_cycle"], row["detail"])
        for row in store.rows(
            "SELECT * FROM outages WHERE reported_cycle = ?1 OR ended_cycle = ?1", (cycle_id,)
        )
    ]
