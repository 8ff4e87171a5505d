"""What stands for each program, in few words: for those who go through all of them."""

from __future__ import annotations

from store.database import Store

# A watched program and what stands for it: its id, the name by which programs are sorted (the
# institution's, a tab, the specialty's), specialty, level, state, city; what its policy says, as
# JSON of stances and conditions, the same text for the same policy and None when nothing stands;
# its confidence, whether it needs a review, and when it was checked (seconds since 1970, UTC).
# No class: making 13,000 objects takes as long as asking for them.
Fact = tuple[str, str, str, str, str, str, str | None, float, int, int | None]

# The statement that a target list is measured by (benchmarks/shortlist.py).
FACTS = (
    "SELECT p.id, p.name, p.specialty, p.level, coalesce(p.state, ''), coalesce(p.city, ''),"
    " s.said, coalesce(s.confidence, 0), coalesce(s.needs_review, 0), nullif(s.checked_at, 0)"
    " FROM programs p LEFT JOIN standings s ON s.program_id = p.id WHERE p.removed_at IS NULL"
)


def facts(store: Store) -> list[Fact]:
    """All watched programs, in no order."""
    return store.tuples(FACTS)


def with_dates(store: Store) -> list[Fact]:
    """The watched programs of which a condition has a date, by name."""
    sql = f"{FACTS} AND instr(s.said, '\"by\"') > 0 ORDER BY p.name, p.id"
    return store.once("with dates", lambda: store.tuples(sql))


def confirmed(store: Store, but_by: str) -> frozenset[str]:
    """The programs whose policy stands since somebody, other than `but_by`, decided on it."""
    rows = store.tuples(
        "SELECT y.program_id FROM policies y JOIN reviews r ON r.id = y.review_id"
        " WHERE r.verdict <> 'undone' AND r.by <> ?"
        " AND y.id = (SELECT max(id) FROM policies WHERE program_id = y.program_id)",
        (but_by,),
    )
    return frozenset(row[0] for row in rows)
