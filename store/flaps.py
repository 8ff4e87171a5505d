"""Policies that go back and forth: what a program's pages said when, and since when it is held."""

from __future__ import annotations

from store.database import Store
from store.records import Flap, Turn


def turns(store: Store, program_id: str) -> list[Turn]:
    """What the pages of a program came to say, oldest first."""
    return [
        Turn(row["program_id"], row["cycle_id"], row["at"], row["said"])
        for row in store.rows(
            "SELECT * FROM turns WHERE program_id = ? ORDER BY cycle_id", (program_id,)
        )
    ]


def turn(store: Store, turned: Turn) -> None:
    """From this cycle on the pages say this; a cycle counts once. Inside `writing()`."""
    store.write(
        "INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?)",
        (turned.program_id, turned.cycle_id, turned.at, turned.said),
    )


def under_way(store: Store) -> dict[str, Flap]:
    """By program id, what was reported as going back and forth, and is not over."""
    rows = store.rows("SELECT * FROM flaps WHERE ended_cycle IS NULL ORDER BY program_id")
    return {row["program_id"]: Flap(row["program_id"], row["reported_cycle"]) for row in rows}


def begin(store: Store, program_id: str, cycle_id: int) -> None:
    """A program is reported as going back and forth. Inside `writing()`."""
    store.write("INSERT OR IGNORE INTO flaps VALUES (?, ?, NULL)", (program_id, cycle_id))


def end(store: Store, program_id: str, cycle_id: int) -> None:
    """It has come to rest. Inside `writing()`."""
    store.write(
        "UPDATE flaps SET ended_cycle = ? WHERE program_id = ? AND ended_cycle IS NULL",
        (cycle_id, program_id),
    )


def of_cycle(store: Store, cycle_id: int) -> list[Flap]:
    """What began or ended in a cycle, by program."""
    return [
        Flap(row["program_id"], row["reported_cycle"], row["ended_cycle"])
        for row in store.rows(
            "SELECT * FROM flaps WHERE reported_cycle = ?1 OR ended_cycle = ?1 ORDER BY program_id",
            (cycle_id,),
        )
    ]
