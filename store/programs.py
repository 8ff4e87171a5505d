"""The watched programs and their institutions."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from sys import intern

from store.database import Store, among
from store.errors import NotFound
from store.records import Institution, Program
from store.words import searchable, sortable

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
        " eligibility_url, acgme_id, coordinator_email, words, name)"
        " VALUES (?, (SELECT id FROM institutions WHERE name = ?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET institution_id = excluded.institution_id,"
        " specialty = excluded.specialty, level = excluded.level, city = excluded.city,"
        " state = excluded.state, website_url = excluded.website_url,"
        " eligibility_url = excluded.eligibility_url, acgme_id = excluded.acgme_id,"
        " coordinator_email = excluded.coordinator_email, words = excluded.words,"
        " name = excluded.name, removed_at = NULL",
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
                searchable(p.institution, p.specialty, p.level, p.city, p.state),
                sortable(p.institution, p.specialty),
            )
            for p in rows
        ],
    )


def listed(store: Store, only: Collection[str] | None = None) -> list[Program]:
    """All watched programs, by id; with `only`, those of them with these ids."""
    where, values = among("p.id", only)
    return [
        _program(row)
        for row in store.rows(
            f"{_SELECT} WHERE p.removed_at IS NULL{where} ORDER BY p.id",
            values,
        )
    ]


def next_ids(store: Store, after: str, most: int, only: Collection[str] = ()) -> list[str]:
    """The ids of watched programs that come next after this one, in order.

    Of all, or of those `only`.
    """
    where, values = among("id", only or None)
    rows = store.tuples(
        "SELECT id FROM programs WHERE removed_at IS NULL AND id > ?"  # noqa: S608
        f"{where} ORDER BY id LIMIT ?",
        (after, *values, most),
    )
    return [row[0] for row in rows]


def without_page(store: Store, only: Collection[str] = ()) -> list[str]:
    """The ids of the watched programs for which the list names no page; all, or of `only`."""
    where, values = among("id", only or None)
    rows = store.stream(
        "SELECT id FROM programs WHERE removed_at IS NULL"  # noqa: S608
        f" AND coalesce(eligibility_url, '') = ''{where} ORDER BY id",
        values,
    )
    return [row[0] for row in rows]


def count(store: Store, only: Collection[str] = ()) -> int:
    """How many they are."""
    where, values = among("id", only or None)
    rows = store.tuples(
        f"SELECT count(*) FROM programs WHERE removed_at IS NULL{where}",  # noqa: S608
        values,
    )
    return int(rows[0][0])


def count_institutions(store: Store) -> int:
    """How many institutions have a watched program."""
    rows = store.tuples(
        "SELECT count(DISTINCT institution_id) FROM programs WHERE removed_at IS NULL"
    )
    return int(rows[0][0])


def names(store: Store) -> tuple[list[str], list[str]]:
    """The ids of the watched programs, and the names of their institutions; in order."""
    rows = store.rows(
        "SELECT p.id, i.name FROM programs p JOIN institutions i ON i.id = p.institution_id"
        " WHERE p.removed_at IS NULL ORDER BY p.id"
    )
    return [row["id"] for row in rows], sorted({row["name"] for row in rows})


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


def ids_of(store: Store, institution: str) -> list[str]:
    """The programs that an institution has or had, by id."""
    rows = store.rows(
        "SELECT p.id FROM programs p JOIN institutions i ON i.id = p.institution_id"
        " WHERE i.name = ? ORDER BY p.id",
        (institution,),
    )
    return [row["id"] for row in rows]


def ever_listed(store: Store, only: Collection[str]) -> dict[str, Program]:
    """By id, those of these programs that are or were watched."""
    where, values = among("p.id", only)
    return {row["id"]: _program(row) for row in store.rows(f"{_SELECT} WHERE true{where}", values)}


def institution(store: Store, institution_id: int) -> Institution:
    """An institution with a watched program. Raises NotFound."""
    rows = store.rows(
        "SELECT * FROM institutions i WHERE id = ? AND EXISTS"
        " (SELECT 1 FROM programs WHERE institution_id = i.id AND removed_at IS NULL)",
        (institution_id,),
    )
    if not rows:
        raise NotFound(f"no institution {institution_id}")
    return Institution(rows[0]["id"], rows[0]["name"], rows[0]["gme_url"] or "")


def institution_of(store: Store, program_id: str) -> Institution:
    """The institution of a program that is or was watched. Raises NotFound."""
    rows = store.rows("SELECT institution_id FROM programs WHERE id = ?", (program_id,))
    if not rows:
        raise NotFound(f"no program '{program_id}'")
    return institution(store, rows[0]["institution_id"])


def institutions_of(store: Store, program_ids: Collection[str]) -> dict[str, Institution]:
    """By program id, the institution of each of these that is or was watched."""
    where, values = among("p.id", program_ids)
    rows = store.rows(
        "SELECT p.id AS program_id, i.* FROM programs p"  # noqa: S608
        f" JOIN institutions i ON i.id = p.institution_id WHERE true{where}",
        values,
    )
    return {r["program_id"]: Institution(r["id"], r["name"], r["gme_url"] or "") for r in rows}


def institutions(
    store: Store, text: str = "", *, limit: int = -1, after: str = ""
) -> list[tuple[Institution, int]]:
    """Institutions with watched programs and how many, by name, from behind the name `after`.

    With `text`, those with it in their name.
    """
    rows = store.rows(
        "SELECT i.*, (SELECT count(*) FROM programs p WHERE p.institution_id = i.id"
        " AND p.removed_at IS NULL) AS programs FROM institutions i"
        " WHERE i.name > ? AND instr(lower(i.name), lower(?)) > 0 AND EXISTS (SELECT 1"
        " FROM programs p WHERE p.institution_id = i.id AND p.removed_at IS NULL)"
        " ORDER BY i.name LIMIT ?",
        (after, text, limit),
    )
    return [(Institution(r["id"], r["name"], r["gme_url"] or ""), r["programs"]) for r in rows]


def remove(store: Store, program_id: str, at: str) -> None:
    """Stops watching a program; its history stays. Inside `writing()`. Raises NotFound."""
    get(store, program_id)
    store.write("UPDATE programs SET removed_at = ? WHERE id = ?", (at, program_id))


def _program(row: sqlite3.Row) -> Program:
    return Program(
        program_id=row["id"],
        # Each row would bring its own copy of words that a whole country shares.
        institution=intern(row["institution"]),
        specialty=intern(row["specialty"]),
        level=intern(row["level"]),
        city=intern(row["city"] or ""),
        state=intern(row["state"] or ""),
        website_url=row["website_url"] or "",
        eligibility_url=row["eligibility_url"] or "",
        acgme_id=row["acgme_id"] or "",
        coordinator_email=row["coordinator_email"] or "",
        gme_url=row["gme_url"] or "",
    )
