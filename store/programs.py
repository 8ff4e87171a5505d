"""The watched programs and their institutions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from store.database import Store
from store.errors import NotFound
from store.records import Program

_SELECT = (
    "SELECT p.*, i.name AS institution, i.gme_url FROM programs p"
    " JOIN institutions i ON i.id = p.institution_id"
)


def save(store: Store, programs: Iterable[Program]) -> None:
    """Adds programs, or replaces those that are there under the same id. Inside `writing()`.

    A page that was named for a program or an office, and is so no longer, is not watched on;
    nor are the pages found on a site that is not the program's any more: it is searched anew.
    """
    rows = list(programs)
    for forget in (
        "DELETE FROM watches WHERE found = 'discovered' AND program_id ="
        " (SELECT id FROM programs WHERE id = ? AND website_url <> ?)",
        "DELETE FROM discoveries WHERE target ="
        " (SELECT 'program:' || id FROM programs WHERE id = ? AND website_url <> ?)",
    ):
        store.write_many(forget, [(p.program_id, p.website_url) for p in rows])
    store.write_many(
        "DELETE FROM watches WHERE found = 'named' AND program_id ="
        " (SELECT id FROM programs WHERE id = ? AND eligibility_url <> ?)",
        [(p.program_id, p.eligibility_url) for p in rows],
    )
    store.write_many(
        "DELETE FROM watches WHERE found = 'named' AND institution_id ="
        " (SELECT id FROM institutions WHERE name = ?1 AND gme_url <> ?2 AND ?2 <> '')",
        [(p.institution, p.gme_url) for p in rows],
    )
    store.write_many(
        # An institution's GME page is kept when a row leaves it out.
        "INSERT INTO institutions (name, gme_url) VALUES (?, nullif(?, ''))"
        " ON CONFLICT (name) DO UPDATE SET gme_url = coalesce(excluded.gme_url, gme_url)",
        [(p.institution, p.gme_url) for p in rows],
    )
    store.write_many(
        "INSERT INTO programs (id, institution_id, specialty, level, city, state, website_url,"
        " eligibility_url, acgme_id, coordinator_email)"
        " VALUES (?, (SELECT id FROM institutions WHERE name = ?), ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET institution_id = excluded.institution_id,"
        " specialty = excluded.specialty, level = excluded.level, city = excluded.city,"
        " state = excluded.state, website_url = excluded.website_url,"
        " eligibility_url = excluded.eligibility_url, acgme_id = excluded.acgme_id,"
        " coordinator_email = excluded.coordinator_email, removed_at = NULL",
        [
            (
                p.program_id,
                p.institution,
                p.specialty,
                p.level,
                p.city,
                p.state,
                p.website_url,
                p.eligibility_url,
                p.acgme_id,
                p.coordinator_email,
            )
            for p in rows
        ],
    )


def listed(store: Store) -> list[Program]:
    """All watched programs, by id."""
    return [
        _program(row) for row in store.rows(f"{_SELECT} WHERE p.removed_at IS NULL ORDER BY p.id")
    ]


def get(store: Store, program_id: str) -> Program:
    """One watched program. Raises NotFound."""
    rows = store.rows(f"{_SELECT} WHERE p.removed_at IS NULL AND p.id = ?", (program_id,))
    if not rows:
        raise NotFound(f"no program '{program_id}'; `visawatch programs list` names them all")
    return _program(rows[0])


def ever(store: Store, program_id: str) -> tuple[Program, str | None]:
    """A program that is or was watched, and when it was removed. Raises NotFound."""
    rows = store.rows(f"{_SELECT} WHERE p.id = ?", (program_id,))
    if not rows:
        return get(store, program_id), None  # which says what is wrong
    return _program(rows[0]), rows[0]["removed_at"]


def remove(store: Store, program_id: str, at: str) -> None:
    """Stops watching a program; its history stays. Inside `writing()`. Raises NotFound."""
    get(store, program_id)
    store.write("UPDATE programs SET removed_at = ? WHERE id = ?", (at, program_id))


def _program(row: sqlite3.Row) -> Program:
    return Program(
        program_id=row["id"],
        institution=row["institution"],
        specialty=row["specialty"],
        level=row["level"],
        city=row["city"] or "",
        state=row["state"] or "",
        website_url=row["website_url"] or "",
        eligibility_url=row["eligibility_url"] or "",
        acgme_id=row["acgme_id"] or "",
        coordinator_email=row["coordinator_email"] or "",
        gme_url=row["gme_url"] or "",
    )
