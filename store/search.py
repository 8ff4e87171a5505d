"""Finds programs by what they are, and by the policy that stands for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.database import Store
from store.words import folded

Key = tuple[str | int, ...]  # where a program stands in a sort

UNSEEN = "unseen"  # the category of a program of which no page was read yet

# Each program with what stands for it: a trigger keeps a row of `standings` for every one.
_LISTED = "FROM programs p JOIN standings s ON s.program_id = p.id WHERE p.removed_at IS NULL"

# By what programs are sorted, the least first; never NULL. Each has an index.
SORTS = {
    "name": ("p.name", "p.id"),
    "specialty": ("p.specialty", "p.name", "p.id"),
    "state": (
        "coalesce(p.state, '') = ''",
        "coalesce(p.state, '')",
        "coalesce(p.city, '')",
        "p.name",
        "p.id",
    ),
    "changed": ("-s.since", "s.program_id"),
    "checked": ("-s.checked_at", "s.program_id"),
    "unchecked": ("s.checked_at", "s.program_id"),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What is looked for; what is empty lets everything through.

    `text` is words of which each begins one of the program's; `city` is how its city begins, and
    `institution` a part of its name. `visa` is one that can be had, perhaps on conditions.
    `not_checked_since` finds what was last seen before that time.
    """

    text: str = ""
    state: str = ""
    city: str = ""
    specialty: str = ""
    institution: str = ""
    institution_id: int | None = None
    level: str = ""
    visa: str = ""
    category: str = ""
    condition: str = ""
    without_doubt: bool = False  # leaves out what needs a review
    checked_since: datetime | None = None
    not_checked_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen from, as it is among the watched programs, in order."""

    states: tuple[str, ...]
    specialties: tuple[str, ...]
    levels: tuple[str, ...]


def find(
    store: Store, wish: Wish, *, sort: str = "name", limit: int, offset: int = 0
) -> tuple[int, list[str]]:
    """How many programs there are of a wish, and the ids of a stretch of them; `sort` of SORTS."""
    where, values = _where(wish)
    rows = store.rows(
        f"SELECT p.id {_LISTED}{where} ORDER BY {_by(sort)} LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )
    ids = [row["id"] for row in rows]
    if limit < 0 or (offset == 0 and len(ids) < limit):
        return offset + len(ids), ids
    return count(store, wish), ids


def count(store: Store, wish: Wish) -> int:
    """How many programs there are of a wish."""
    where, values = _where(wish)

    def counted() -> int:
        return int(store.rows(f"SELECT count(*) AS n {_LISTED}{where}", values)[0]["n"])

    return store.once(("count", where, values), counted)


def following(
    store: Store, wish: Wish, *, sort: str = "name", limit: int, after: Key = ()
) -> tuple[list[str], Key | None]:
    """The ids of a stretch of the programs of a wish, and the key of its last one if more follow.

    `after` is such a key, and the stretch begins behind it, whatever came or went meanwhile.
    Raises ValueError for one that is not of this sort.
    """
    where, values = _where(wish)
    keys = SORTS[sort]
    if after:
        if len(after) != len(keys):
            raise ValueError(f"no key of the sort '{sort}'")
        where += f" AND ({_by(sort)}) > ({', '.join('?' * len(after))})"
    names = ", ".join(f"{key} AS k{n}" for n, key in enumerate(keys))
    rows = store.rows(
        f"SELECT p.id, {names} {_LISTED}{where} ORDER BY {_by(sort)} LIMIT ?",
        (*values, *after, limit + 1),
    )
    more = len(rows) > limit
    last = tuple(rows[limit - 1])[1:] if more else None
    return [row["id"] for row in rows[:limit]], last


def choices(store: Store) -> Choices:
    """What one can search by."""

    def distinct(column: str) -> tuple[str, ...]:
        # From one value to the next in the column's index: SQLite's DISTINCT reads all of it.
        rows = store.rows(
            f"WITH RECURSIVE names(name) AS (SELECT min({column}) FROM programs"  # noqa: S608
            f" WHERE removed_at IS NULL AND {column} > '' UNION ALL"
            f" SELECT (SELECT min({column}) FROM programs"
            f" WHERE removed_at IS NULL AND {column} > names.name) FROM names"
            " WHERE name IS NOT NULL) SELECT name FROM names WHERE name IS NOT NULL"
        )
        return tuple(row["name"] for row in rows)

    return store.once(
        "choices", lambda: Choices(distinct("state"), distinct("specialty"), distinct("level"))
    )


def matrix(store: Store) -> dict[str, dict[str, int]]:
    """By specialty and category, the number of programs; `UNSEEN` is where nothing stands."""

    def counted() -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for row in store.rows(
            f"SELECT p.specialty, s.category, count(*) AS n {_LISTED} GROUP BY 1, 2 ORDER BY 1, 2"
        ):
            found.setdefault(row["specialty"], {})[row["category"]] = row["n"]
        return found

    return store.once("matrix", counted)


def in_doubt(store: Store, *, limit: int = -1, offset: int = 0) -> list[str]:
    """The watched programs whose policy needs a review, by id; the least sure first."""
    rows = store.rows(
        f"SELECT s.program_id AS id {_LISTED} AND s.needs_review"
        " ORDER BY s.confidence, s.program_id LIMIT ? OFFSET ?",
        (limit, offset),
    )
    return [row["id"] for row in rows]


def count_in_doubt(store: Store) -> int:
    """How many of them there are."""
    sql = f"SELECT count(*) AS n {_LISTED} AND s.needs_review"
    return store.once("in doubt", lambda: int(store.rows(sql)[0]["n"]))


def note_checks(store: Store) -> None:
    """Notes when each policy's pages were last seen. Inside `writing()`, when a cycle is done.

    Those that carry the policy count; where they are not watched, or nothing is stated, all
    pages of the program and its institution do, as in monitor.status.
    """
    store.write(
        "WITH seen(page_id, url, at) AS (SELECT id, url, (SELECT at FROM observations"
        "   WHERE page_id = pages.id AND health IN ('ok', 'not_modified')"
        "   ORDER BY cycle_id DESC, attempt DESC LIMIT 1) FROM pages),"
        " watched(program_id, url, at) AS ("
        "   SELECT w.program_id, seen.url, seen.at FROM watches w JOIN seen USING (page_id)"
        "     WHERE w.program_id IS NOT NULL"
        "   UNION ALL SELECT p.id, seen.url, seen.at FROM watches w JOIN seen USING (page_id)"
        "     JOIN programs p ON p.institution_id = w.institution_id),"
        " carrying(program_id, url) AS (SELECT s.program_id, json_extract(e.value, '$.url')"
        "   FROM standings s JOIN policies y ON y.id ="
        "   (SELECT max(id) FROM policies WHERE program_id = s.program_id),"
        "   json_each(y.policy, '$.evidence') e),"
        " checks(program_id, at) AS (SELECT w.program_id, coalesce("
        "   max(CASE WHEN (w.program_id, w.url) IN carrying THEN w.at END), max(w.at), 0)"
        "   FROM watched w GROUP BY 1)"
        " UPDATE standings SET checked_at = checks.at FROM checks"
        " WHERE checks.program_id = standings.program_id AND checked_at <> checks.at"
    )


def _by(sort: str) -> str:
    """A sort as SQL."""
    return ", ".join(SORTS[sort])


def _where(wish: Wish) -> tuple[str, tuple[object, ...]]:
    """The condition of a wish, and its parameters."""
    parts: list[tuple[str, object]] = [
        ("instr(p.words, ?) > 0", f" {word}") for word in folded(wish.text)
    ]
    for column, value in (
        ("p.institution_id", wish.institution_id),
        ("p.state", wish.state),
        ("p.specialty", wish.specialty),
        ("p.level", wish.level),
    ):
        if value:
            parts.append((f"{column} = ?", value))
    if wish.city:
        parts.append(("p.city LIKE ? ESCAPE '!'", f"{_literal(wish.city)}%"))
    for sql, value in (
        (
            "p.institution_id IN (SELECT id FROM institutions WHERE name LIKE ? ESCAPE '!')",
            _part(wish.institution),
        ),
        ("s.category = ?", wish.category),
        # What was never seen is in doubt, too.
        ("s.needs_review = 0 AND s.category <> ?", UNSEEN if wish.without_doubt else None),
        ("s.checked_at >= ?", _seconds(wish.checked_since)),
        ("s.checked_at < ?", _seconds(wish.not_checked_since)),
        # Not IN: SQLite would begin with all that have the visa, however few are in a state.
        (
            "EXISTS (SELECT 1 FROM standing_stances WHERE program_id = p.id AND visa = ?"
            " AND stance IN ('sponsored', 'conditional'))",
            wish.visa,
        ),
        (
            "EXISTS (SELECT 1 FROM standing_conditions WHERE program_id = p.id AND kind = ?)",
            wish.condition,
        ),
    ):
        if value not in (None, ""):
            parts.append((sql, value))
    return "".join(f" AND {sql}" for sql, _ in parts), tuple(value for _, value in parts)


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None


def _part(text: str) -> str:
    """A pattern for LIKE: any name that has this text in it; empty for none."""
    return f"%{_literal(text)}%" if text else ""


def _literal(text: str) -> str:
    """A text for LIKE in which nothing stands for anything else."""
    return "".join(f"!{c}" if c in "!%_" else c for c in text)
