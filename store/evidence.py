"""What coordinators, FREIDA and residents say of programs, and what a maintainer made of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from store.database import Store, among
from store.errors import NotFound


@dataclass(frozen=True, slots=True)
class Saying:
    """What one source says of one program. `said` holds stances and conditions, as JSON.

    It is `waiting` until a maintainer decides, then `accepted` or `rejected`. `key` stands for what
    it was made from; the same is filed once.
    """

    program_id: str
    channel: str  # coordinator | freida | resident
    season: int
    at: str
    said: dict[str, Any]
    key: str
    who: str = ""
    quote: str = ""
    link: str = ""
    confidence: float = 1.0
    doubtful: bool = False
    note: str = ""
    state: str = "waiting"
    decided_by: str | None = None
    decided_at: str | None = None
    id: int = 0


def add(store: Store, saying: Saying) -> int | None:
    """Files what a source says and gives its number; None when it is filed already. In `writing()`.

    Raises NotFound for a program that there is not.
    """
    if not store.rows("SELECT 1 FROM programs WHERE id = ?", (saying.program_id,)):
        raise NotFound(f"no program '{saying.program_id}'; `visawatch programs list` has them all")
    new_id = store.write(
        "INSERT OR IGNORE INTO evidence (program_id, channel, season, at, said, who, quote, link,"
        " confidence, doubtful, note, state, decided_by, decided_at, key)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            saying.program_id,
            saying.channel,
            saying.season,
            saying.at,
            json.dumps(saying.said, ensure_ascii=False),
            saying.who,
            saying.quote,
            saying.link,
            saying.confidence,
            int(saying.doubtful),
            saying.note,
            saying.state,
            saying.decided_by,
            saying.decided_at,
            saying.key,
        ),
    )
    return new_id if store.rows("SELECT changes() AS n")[0]["n"] else None


def get(store: Store, number: int) -> Saying:
    """One piece of evidence. Raises NotFound."""
    rows = store.rows("SELECT * FROM evidence WHERE id = ?", (number,))
    if not rows:
        raise NotFound(f"no evidence {number}; `visawatch verify queue` lists what waits")
    return _saying(rows[0])


def of_programs(store: Store, only: Collection[str] | None = None) -> dict[str, list[Saying]]:
    """By program id, all that was not rejected, oldest first; with `only`, of these programs."""
    where, values = among("program_id", only)
    found: dict[str, list[Saying]] = {}
    for row in store.rows(
        f"SELECT * FROM evidence WHERE state <> 'rejected'{where} ORDER BY id",  # noqa: S608
        values,
    ):
        found.setdefault(row["program_id"], []).append(_saying(row))
    return found


def waiting(store: Store, *, limit: int = -1) -> list[Saying]:
    """What no maintainer has decided on, oldest first; so many of it, if a limit is given."""
    rows = store.rows(
        "SELECT * FROM evidence WHERE state = 'waiting' ORDER BY id LIMIT ?", (limit,)
    )
    return [_saying(row) for row in rows]


def decide(
    store: Store,
    number: int,
    state: str,
    *,
    by: str,
    at: str,
    said: dict[str, Any] | None = None,
) -> Saying:
    """A maintainer accepts or rejects it; `said` replaces what was read in it.

    Inside `writing()`. Raises NotFound.
    """
    before = get(store, number)
    store.write(
        "UPDATE evidence SET state = ?, decided_by = ?, decided_at = ?, said = ?, confidence = ?"
        " WHERE id = ?",
        (
            state,
            by,
            at,
            json.dumps(said or before.said, ensure_ascii=False),
            before.confidence if said is None else 1.0,
            number,
        ),
    )
    return get(store, number)


def reported_since(store: Store, who: str, since: str) -> int:
    """How many reports a resident has sent since then."""
    rows = store.rows(
        "SELECT count(*) AS n FROM evidence WHERE channel = 'resident' AND who = ? AND at >= ?",
        (who, since),
    )
    return int(rows[0]["n"])


def salt(store: Store, season: int, fresh: bytes) -> bytes:
    """The salt of a season's hashes: `fresh` when there is none yet. Inside `writing()`.

    Those of seasons that are over are forgotten: who reported then can be found out no more.
    """
    store.write("DELETE FROM salts WHERE season < ?", (season - 1,))
    store.write("INSERT OR IGNORE INTO salts VALUES (?, ?)", (season, fresh))
    kept: bytes = store.rows("SELECT salt FROM salts WHERE season = ?", (season,))[0]["salt"]
    return kept


def _saying(row: sqlite3.Row) -> Saying:
    return Saying(
        program_id=row["program_id"],
        channel=row["channel"],
        season=row["season"],
        at=row["at"],
        said=json.loads(row["said"]),
        key=row["key"],
        who=row["who"],
        quote=row["quote"],
        link=row["link"],
        confidence=row["confidence"],
        doubtful=bool(row["doubtful"]),
        note=row["note"],
        state=row["state"],
        decided_by=row["decided_by"],
        decided_at=row["decided_at"],
        id=row["id"],
    )
