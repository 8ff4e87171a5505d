"""Watched pages: which program or institution each belongs to, and its last good answer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from store.database import Store, among
from store.records import Page


@dataclass(frozen=True, slots=True)
class Watch:
    """A page of one program (`program_id`) or of one institution (`institution`)."""

    page: Page
    program_id: str | None
    institution: str | None
    found: str  # named | discovered


@dataclass(frozen=True, slots=True)
class Move:
    """A page has left `old_url` in a cycle. `heir` is the page that has its watches now.

    That is the page itself, or the one that was at `new_url` already.
    """

    page_id: int
    cycle_id: int
    old_url: str
    new_url: str
    heir: int


def watches_of(store: Store, program_ids: Collection[str]) -> list[Watch]:
    """The watches of some programs, watched or removed, and of their institutions."""
    ids = json.dumps(list(program_ids))
    return [
        Watch(_page(row), row["program_id"], row["institution"], row["found"])
        for row in store.rows(
            "SELECT g.*, w.program_id, NULL AS institution, w.found"
            " FROM watches w JOIN pages g ON g.id = w.page_id"
            " WHERE w.program_id IN (SELECT value FROM json_each(?1))"
            " UNION ALL SELECT g.*, NULL, i.name, w.found"
            " FROM institutions i JOIN watches w ON w.institution_id = i.id"
            " JOIN pages g ON g.id = w.page_id WHERE i.id IN (SELECT institution_id"
            " FROM programs WHERE id IN (SELECT value FROM json_each(?1))) ORDER BY 1",
            (ids,),
        )
    ]


def watches_at(store: Store, urls: Collection[str]) -> list[Watch]:
    """Every watch of the pages with these URLs, whoever watches them."""
    return [
        Watch(_page(row), row["program_id"], row["institution"], row["found"])
        for row in store.rows(
            "SELECT g.*, w.program_id, i.name AS institution, w.found FROM json_each(?) u"
            " CROSS JOIN pages g ON g.url = u.value JOIN watches w ON w.page_id = g.id"
            " LEFT JOIN institutions i ON i.id = w.institution_id ORDER BY g.id",
            (json.dumps(sorted(urls)),),
        )
    ]


def watches(store: Store) -> list[Watch]:
    """Every watch of a program that is watched, or of an institution that has one."""
    return [
        Watch(_page(row), row["program_id"], row["institution"], row["found"])
        for row in store.rows(
            "SELECT g.*, w.program_id, i.name AS institution, w.found"
            " FROM watches w JOIN pages g ON g.id = w.page_id"
            " LEFT JOIN institutions i ON i.id = w.institution_id"
            " WHERE w.program_id IN (SELECT id FROM programs WHERE removed_at IS NULL)"
            " OR w.institution_id IN"
            " (SELECT institution_id FROM programs WHERE removed_at IS NULL)"
            " ORDER BY g.id"
        )
    ]


def watches_on(store: Store, page_ids: Collection[int], only: Collection[str] = ()) -> list[Watch]:
    """The watches of these pages by programs that are watched, and by institutions of such.

    Of the programs `only`, if there are any.
    """
    ids = json.dumps(list(page_ids))
    where, values = among("p.id", only or None)
    return [
        Watch(_page(row), row["program_id"], row["institution"], row["found"])
        for row in store.rows(
            "SELECT g.*, w.program_id, i.name AS institution, w.found FROM json_each(?) u"  # noqa: S608
            " CROSS JOIN pages g ON g.id = u.value JOIN watches w ON w.page_id = g.id"
            " LEFT JOIN institutions i ON i.id = w.institution_id"
            " WHERE EXISTS (SELECT 1 FROM programs p WHERE p.removed_at IS NULL"
            f" AND (p.id = w.program_id OR p.institution_id = w.institution_id){where})"
            " ORDER BY g.id",
            (ids, *values),
        )
    ]


def unobserved(
    store: Store, cycle_id: int, rules: str, only: Collection[str] = ()
) -> Iterator[tuple[int, str, bool]]:
    """The pages that are watched and that this cycle has not observed, by id.

    Of each its id, its URL, and whether `rules` have read its bytes. Of the programs `only`, if
    there are any.
    """
    where, values = among("p.id", only or None)
    watched = f"FROM programs p JOIN watches w ON {{}} WHERE p.removed_at IS NULL{where}"
    yield from store.stream(
        "SELECT g.id, g.url, r.snapshot_id IS NOT NULL FROM pages g LEFT JOIN readings r"  # noqa: S608
        " ON r.snapshot_id = g.snapshot_id AND r.rules = ? WHERE g.id IN"
        f" (SELECT w.page_id {watched.format('w.program_id = p.id')}"
        f" UNION SELECT w.page_id {watched.format('w.institution_id = p.institution_id')})"
        " AND NOT EXISTS (SELECT 1 FROM observations WHERE page_id = g.id AND cycle_id = ?)"
        " ORDER BY g.id",
        (rules, *values, *values, cycle_id),
    )


def count(store: Store, only: Collection[str] = ()) -> int:
    """How many pages are watched for the programs `only`, or for all."""
    where, values = among("p.id", only or None)
    watched = f"FROM programs p JOIN watches w ON {{}} WHERE p.removed_at IS NULL{where}"
    rows = store.tuples(
        "SELECT count(*) FROM"  # noqa: S608
        f" (SELECT w.page_id {watched.format('w.program_id = p.id')}"
        f" UNION SELECT w.page_id {watched.format('w.institution_id = p.institution_id')})",
        (*values, *values),
    )
    return int(rows[0][0])


def at_all(store: Store, urls: Collection[str]) -> dict[str, Page]:
    """By URL, the pages with these URLs that were ever watched."""
    rows = store.rows(
        "SELECT g.* FROM json_each(?) u CROSS JOIN pages g ON g.url = u.value",
        (json.dumps(sorted(set(urls))),),
    )
    return {row["url"]: _page(row) for row in rows}


def at(store: Store, url: str) -> Page | None:
    """The page with this URL, if it was ever watched."""
    rows = store.rows("SELECT * FROM pages WHERE url = ?", (url,))
    return _page(rows[0]) if rows else None


def places(store: Store, urls: Collection[str]) -> dict[str, str]:
    """By address, where the page that was there is now: there, or where it has moved to."""
    rows = store.rows(
        # The last place that a chain of moves leads to (a page may have gone in circles).
        "WITH RECURSIVE trail(first, url, step) AS (SELECT value, value, 0 FROM json_each(?)"
        " UNION SELECT t.first, m.new_url, step + 1"
        " FROM page_moves m JOIN trail t ON m.old_url = t.url WHERE step < 20)"
        " SELECT first, url FROM trail ORDER BY step",
        (json.dumps(sorted(set(urls))),),
    )
    return {row["first"]: row["url"] for row in rows}


def add(store: Store, url: str) -> Page:
    """The page with this URL, or the one it has moved to; made if it is new.

    Inside `writing()`.
    """
    url = places(store, [url])[url]
    store.write("INSERT OR IGNORE INTO pages (url) VALUES (?)", (url,))
    page = at(store, url)
    assert page is not None  # noqa: S101 (just inserted)
    return page


def met(store: Store, url: str) -> Page:
    """The page that was just seen at this URL itself, whatever had moved away from there before.

    Inside `writing()`.
    """
    store.write("DELETE FROM page_moves WHERE old_url = ?", (url,))
    return add(store, url)


def watch(
    store: Store,
    page_id: int,
    *,
    program_id: str | None = None,
    institution: str | None = None,
    found: str,
) -> None:
    """Ties a page to a program or to an institution; harmless when tied. Inside `writing()`."""
    store.write(
        "INSERT OR IGNORE INTO watches (page_id, program_id, institution_id, found)"
        " VALUES (?, ?, (SELECT id FROM institutions WHERE name = ?), ?)",
        (page_id, program_id, institution, found),
    )


def record_answer(
    store: Store,
    page_id: int,
    *,
    etag: str | None,
    last_modified: str | None,
    snapshot_id: int,
    cycle_id: int,
    rendered: bool = False,
) -> None:
    """The page answered with this snapshot, or a browser made it. Inside `writing()`."""
    store.write(
        "UPDATE pages SET etag = ?2, last_modified = ?3, snapshot_id = ?4, rendered = ?6,"
        " changed_cycle = CASE WHEN snapshot_id IS ?4 THEN changed_cycle ELSE ?5 END WHERE id = ?1"
        # An unchanged page is not written again.
        " AND (etag IS NOT ?2 OR last_modified IS NOT ?3 OR snapshot_id IS NOT ?4"
        " OR rendered <> ?6)",
        (page_id, etag, last_modified, snapshot_id, cycle_id, rendered),
    )


def get(store: Store, page_id: int) -> Page:
    """One page that was ever watched. Raises IndexError for an id that there is not."""
    return _page(store.rows("SELECT * FROM pages WHERE id = ?", (page_id,))[0])


def listed(store: Store) -> list[Page]:
    """Every page that was ever watched, by id."""
    return [_page(row) for row in store.rows("SELECT * FROM pages ORDER BY id")]


def moves(store: Store) -> list[Move]:
    """All moves, oldest first; of a page that went back to a place, not how it had left it."""
    rows = store.rows("SELECT * FROM page_moves ORDER BY cycle_id, rowid")
    last = {row["page_id"]: row for row in rows}
    here = {page.url: page for page in listed(store)}
    ids = {page.id: page for page in here.values()}
    ends = places(store, {row["new_url"] for row in rows})
    found = []
    for row in rows:
        # Whose address stayed the old one at its last move gave its watches to another page.
        merged = row is last[row["page_id"]] and ids[row["page_id"]].url == row["old_url"]
        heir = here.get(ends[row["new_url"]]) if merged else None
        page_id = row["page_id"]
        found.append(
            Move(
                page_id,
                row["cycle_id"],
                row["old_url"],
                row["new_url"],
                heir.id if heir else page_id,
            )
        )
    return found


def was_at(url: str, moved: Iterable[Move], cycle_id: int) -> str:
    """Where a page was in a cycle that is at `url` now; `moved` are its moves, oldest first."""
    for move in reversed(list(moved)):
        if move.new_url == url and move.cycle_id > cycle_id:
            url = move.old_url
    return url


def changed_since(store: Store, cycle_id: int) -> set[int]:
    """The pages that have had new bytes in a later cycle than this."""
    rows = store.rows("SELECT id FROM pages WHERE changed_cycle > ?", (cycle_id,))
    return {row["id"] for row in rows}


def move(store: Store, page: Page, new_url: str, cycle_id: int) -> Page:
    """The page has moved for good; its watches and history go with it. Inside `writing()`.

    When the new URL is already a page, that page takes over the watches.
    """
    # Where it is now is no longer a place it left: else a page that moves back goes in circles.
    store.write("DELETE FROM page_moves WHERE old_url = ?", (new_url,))
    store.write(
        "INSERT INTO page_moves VALUES (?, ?, ?, ?)", (page.id, cycle_id, page.url, new_url)
    )
    other = at(store, new_url)
    if other is None:
        store.write("UPDATE pages SET url = ? WHERE id = ?", (new_url, page.id))
        moved = at(store, new_url)
        assert moved is not None  # noqa: S101 (just updated)
        return moved
    # A page that the list names stays one, though it was met at its new place before.
    store.write(
        "DELETE FROM watches WHERE page_id = ?1 AND found = 'discovered' AND EXISTS (SELECT 1"
        " FROM watches w WHERE w.page_id = ?2 AND w.found = 'named'"
        " AND w.program_id IS watches.program_id AND w.institution_id IS watches.institution_id)",
        (other.id, page.id),
    )
    store.write("UPDATE OR IGNORE watches SET page_id = ? WHERE page_id = ?", (other.id, page.id))
    store.write("DELETE FROM watches WHERE page_id = ?", (page.id,))
    return other


def _page(row: sqlite3.Row) -> Page:
    return Page(
        row["id"],
        row["url"],
        row["etag"],
        row["last_modified"],
        row["snapshot_id"],
        bool(row["rendered"]),
    )
