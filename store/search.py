"""Finds programs by what they are, and by the policy that stands for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.database import Store
from store.words import folded

Key = tuple[str | int, ...]  # where a program stands in a sort

_PROGRAMS = "programs p"
_STANDINGS = "programs p LEFT JOIN standings s ON s.program_id = p.id"


@dataclass(frozen=True, slots=True)
class Sort:
    """An order of programs: from which tables, and by what, the least first; never NULL."""

    tables: str
    keys: tuple[str, ...]

    @property
    def by(self) -> str:
        """The keys as SQL."""
        return ", ".join(self.keys)


SORTS = {
    "name": Sort(_PROGRAMS, ("p.name", "p.id")),
    "specialty": Sort(_PROGRAMS, ("p.specialty", "p.name", "p.id")),
    "state": Sort(
        _PROGRAMS,
        (
            "coalesce(p.state, '') = ''",
            "coalesce(p.state, '')",
            "coalesce(p.city, '')",
            "p.name",
            "p.id",
        ),
    ),
    "changed": Sort(_STANDINGS, ("-coalesce(strftime('%s', s.since), 0)", "p.id")),
    "checked": Sort(_STANDINGS, ("-coalesce(s.checked_at, 0)", "p.id")),
    "unchecked": Sort(_STANDINGS, ("coalesce(s.checked_at, 0)", "p.id")),
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
    order = SORTS[sort]
    rows = store.rows(
        f"SELECT p.id FROM {order.tables} WHERE p.removed_at IS NULL{where}"  # noqa: S608
        f" ORDER BY {order.by} LIMIT ? OFFSET ?",
        (*values, limit, offset),
    )
    ids = [row["id"] for row in rows]
    if limit < 0 or (offset == 0 and len(ids) < limit):
        return offset + len(ids), ids
    return count(store, wish), ids


def count(store: Store, wish: Wish) -> int:
    """How many programs there are of a wish."""
    where, values = _where(wish)
    rows = store.rows(
        f"SELECT count(*) AS n FROM programs p WHERE p.removed_at IS NULL{where}",  # noqa: S608
        values,
    )
    return int(rows[0]["n"])


def following(
    store: Store, wish: Wish, *, sort: str = "name", limit: int, after: Key = ()
) -> tuple[list[str], Key | None]:
    """The ids of a stretch of the programs of a wish, and the key of its last one if more follow.

    `after` is such a key, and the stretch begins behind it, whatever came or went meanwhile.
    Raises ValueError for one that is not of this sort.
    """
    where, values = _where(wish)
    order = SORTS[sort]
    if after:
        if len(after) != len(order.keys):
            raise ValueError(f"no key of the sort '{sort}'")
        where += f" AND ({order.by}) > ({', '.join('?' * len(after))})"
    names = ", ".join(f"{key} AS k{n}" for n, key in enumerate(order.keys))
    rows = store.rows(
        f"SELECT p.id, {names} FROM {order.tables} WHERE p.removed_at IS NULL{where}"  # noqa: S608
        f" ORDER BY {order.by} LIMIT ?",
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

    return Choices(distinct("state"), distinct("specialty"), distinct("level"))


def matrix(store: Store) -> dict[str, dict[str, int]]:
    """By specialty and category, the number of programs; `unseen` is where nothing stands."""
    found: dict[str, dict[str, int]] = {}
    for row in store.rows(
        "SELECT p.specialty, coalesce(s.category, 'unseen') AS category, count(*) AS n"  # noqa: S608
        f" FROM {_STANDINGS} WHERE p.removed_at IS NULL GROUP BY 1, 2 ORDER BY 1"
    ):
        found.setdefault(row["specialty"], {})[row["category"]] = row["n"]
    return found


def in_doubt(store: Store) -> list[str]:
    """The watched programs whose policy needs a review, by id."""
    rows = store.rows(
        "SELECT s.program_id AS id FROM standings s JOIN programs p ON p.id = s.program_id"
        " WHERE s.needs_review AND p.removed_at IS NULL ORDER BY 1"
    )
    return [row["id"] for row in rows]


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
        "   max(CASE WHEN (w.program_id, w.url) IN carrying THEN w.at END), max(w.at))"
        "   FROM watched w GROUP BY 1)"
        " UPDATE standings SET checked_at = checks.at FROM checks"
        " WHERE checks.program_id = standings.program_id AND checked_at IS NOT checks.at"
    )


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
    for table, condition, value in (
        ("institutions", "name LIKE ? ESCAPE '!'", _part(wish.institution)),
        ("standings", "category = ?", wish.category),
        ("standings", "needs_review = ?", 0 if wish.without_doubt else None),
        ("standings", "checked_at >= ?", _seconds(wish.checked_since)),
        ("standing_stances", "stance IN ('sponsored', 'conditional') AND visa = ?", wish.visa),
        ("standing_conditions", "kind = ?", wish.condition),
    ):
        if value not in (None, ""):
            ours, theirs = (
                ("institution_id", "id") if table == "institutions" else ("id", "program_id")
            )
            sql = f"p.{ours} IN (SELECT {theirs} FROM {table} WHERE {condition})"  # noqa: S608
            parts.append((sql, value))
    if wish.not_checked_since:
        parts.append(
            (
                "p.id NOT IN (SELECT program_id FROM standings WHERE checked_at >= ?)",
                _seconds(wish.not_checked_since),
            )
        )
    return "".join(f" AND {sql}" for sql, _ in parts), tuple(value for _, value in parts)


def _seconds(moment: datetime | None) -> int | None:
    return int(moment.timestamp()) if moment else None


def _part(text: str) -> str:
    """A pattern for LIKE: any name that has this text in it; empty for none."""
    return f"%{_literal(text)}%" if text else ""


def _literal(text: str) -> str:
    """A text for LIKE in which nothing stands for anything else."""
    return "".join(f"!{c}" if c in "!%_" else c for c in text)
