"""The tables of the public data set, each column with a sentence: for SQLite, CSV and readers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["TEXT", "INTEGER", "REAL"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `of` is the table whose key it holds, if any."""

    name: str
    words: str
    kind: Kind = "TEXT"
    of: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `label` names a row to people, `searched` are the columns of its full-text index."""

    name: str
    title: str
    words: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    label: str = ""
    searched: tuple[str, ...] = ()
    facets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A view, as a SELECT; `columns` are in its order."""

    name: str
    title: str
    words: str
    select: str
    columns: tuple[tuple[str, str], ...]  # name and words


def _list_of(name: str, title: str, words: str) -> Table:
    columns = (
        Column("name", "the word, as other tables have it"),
        Column("words", "as people read it"),
        Column("meaning", "what it means, in a sentence"),
    )
    return Table(name, title, words, ("name",), columns, label="words")


_PROGRAM = Column("program_id", "the program", of="programs")
_NUMBER = Column("number", "from 1 on within the program", "INTEGER")
_VISA = Column("visa", "the visa, or status", of="visas")
_STANCE = Column("stance", "what is said of it", of="stances")
_CATEGORY = Column("category", "the category; empty: not read yet", of="categories")
_J1 = Column("j1", "what is said of the J-1", of="stances")
_H1B = Column("h1b", "what is said of the H-1B", of="stances")
_REVIEWED = Column(
    "reviewed",
    "accepted, corrected or dismissed by a maintainer; empty: no person has confirmed it",
)

TABLES = (
    _list_of("categories", "Categories", "What a policy is, by its stances on the J-1 and H-1B."),
    _list_of("stances", "Stances", "What a program can say of a visa."),
    _list_of("visas", "Visas", "The visas, and the statuses that pages list with them."),
    _list_of("conditions", "Conditions", "What a program can ask for before it sponsors a visa."),
    Table(
        "institutions",
        "Institutions",
        "Sponsoring hospitals and systems.",
        ("institution_id",),
        (
            Column("institution_id", "its number", "INTEGER"),
            Column("name", "its name"),
            Column("gme_url", "the page of its office of graduate medical education"),
            Column("programs", "how many of its programs are watched", "INTEGER"),
        ),
        label="name",
        searched=("name",),
    ),
    Table(
        "programs",
        "Programs",
        "Each watched program with the policy that stands for it, reviewed or not.",
        ("program_id",),
        (
            Column("program_id", "its id"),
            Column("institution_id", "the institution", "INTEGER", of="institutions"),
            Column("institution", "the institution's name"),
            Column("specialty", "the specialty"),
            Column("level", "residency or fellowship"),
            Column("city", "the city"),
            Column("state", "the state, by its two letters"),
            _CATEGORY,
            _J1,
            _H1B,
            Column("confidence", "the share of such passages that are read rightly", "REAL"),
            Column("needs_review", "1: in doubt; read the quotes first", "INTEGER"),
            _REVIEWED,
            Column("reviewed_at", "when that was (ISO 8601, UTC)"),
            Column("since", "when the policy began to stand (ISO 8601, UTC)"),
            Column("as_of", "when its pages were last seen to say so (ISO 8601, UTC)"),
            Column("health", "how its pages were the last time"),
            Column("stale", "1: its pages could not be read for several nights", "INTEGER"),
            Column("inherited_from", "the institution whose office says so, if it is not its own"),
            Column("website_url", "its web site"),
            Column("eligibility_url", "its page on eligibility"),
            Column("acgme_id", "its number at the ACGME"),
        ),
        searched=("institution", "specialty", "city", "state"),
        facets=("category", "state", "reviewed"),
    ),
    Table(
        "program_stances",
        "What stands, visa by visa",
        "A visa that is not there is unstated, which is no refusal.",
        ("program_id", "visa"),
        (_PROGRAM, _VISA, _STANCE),
        facets=("visa", "stance"),
    ),
    Table(
        "program_conditions",
        "Conditions that stand",
        "What a program asks for before it sponsors a visa.",
        ("program_id", "number"),
        (
            _PROGRAM,
            _NUMBER,
            _VISA,
            Column("condition", "the condition", of="conditions"),
            Column("by", "a date, or the page's words for one"),
        ),
        facets=("condition", "visa"),
    ),
    Table(
        "evidence",
        "Evidence",
        "The sentences that prove what stands. They belong to the pages they were read from.",
        ("program_id", "number"),
        (
            _PROGRAM,
            _NUMBER,
            _VISA,
            _STANCE,
            Column("quote", "the words"),
            Column("url", "the page"),
            Column("fetched_at", "when it was read (ISO 8601, UTC)"),
            Column("start", "where the quote begins in the page's text", "INTEGER"),
            Column("end", "where it ends", "INTEGER"),
            Column("snapshot", "SHA-256 of the page's bytes"),
            Column("rules", "the rules that read it so, with spaces between"),
        ),
        searched=("quote",),
        facets=("visa", "stance"),
    ),
    Table(
        "changes",
        "Changes",
        "What was flagged, less changes of wording. An open one is not certain.",
        ("change_id",),
        (
            Column("change_id", "its number", "INTEGER"),
            _PROGRAM,
            Column("detected_at", "when it was flagged (ISO 8601, UTC)"),
            Column("kind", "what happened"),
            Column("severity", "critical: who may apply changed; major: a condition"),
            Column("status", "open: nobody has reviewed it; after dismissed, `before` stands"),
            Column("decided_by", "maintainer, or the program that took it back; empty: open"),
            Column("decided_at", "when that was (ISO 8601, UTC)"),
            Column("summary", "the change in one line"),
            Column("before", "the category before", of="categories"),
            Column("after", "the category after", of="categories"),
            Column("url", "the page"),
            Column("channel", "who has it so: website (its page), coordinator, freida ..."),
        ),
        label="summary",
        facets=("status", "severity", "kind"),
    ),
    Table(
        "history",
        "Policies over time",
        "Every policy that stood for a program, oldest first.",
        ("program_id", "number"),
        (
            _PROGRAM,
            _NUMBER,
            Column("season", "the year of the Match it began in", "INTEGER"),
            Column("at", "from when it stood (ISO 8601, UTC)"),
            Column("until", "until when; empty: it stands"),
            Column("began", "how it began"),
            Column("change_id", "the change it began with, if any", "INTEGER", "changes"),
            _REVIEWED,
            _CATEGORY,
            _J1,
            _H1B,
        ),
        facets=("season", "began"),
    ),
)  # fmt: skip

VIEWS = (
    View(
        "overview",
        "Programs in words",
        "Each program as people read it, with its quotes and whether a person has confirmed it.",
        "SELECT p.program_id, p.institution, p.specialty, p.level, p.city, p.state,"
        " coalesce(c.words, 'not read yet') AS policy, j.words AS j1, h.words AS h1b,"
        " CASE WHEN p.reviewed IS NULL THEN 'read automatically, not reviewed'"
        " WHEN p.reviewed = 'corrected' THEN 'corrected by a maintainer'"
        " ELSE 'confirmed by a maintainer' END AS reviewed,"
        " CASE WHEN p.stale THEN 'stale' WHEN p.needs_review THEN 'in doubt' END AS doubt,"
        " (SELECT group_concat(quote, ' | ') FROM (SELECT DISTINCT quote FROM evidence"
        "   WHERE program_id = p.program_id)) AS quotes, p.as_of,"
        " coalesce(nullif(p.eligibility_url, ''), p.website_url) AS page"
        " FROM programs p LEFT JOIN categories c ON c.name = p.category"
        " LEFT JOIN stances j ON j.name = p.j1 LEFT JOIN stances h ON h.name = p.h1b",
        (
            ("program_id", "the program"),
            ("institution", "its institution"),
            ("specialty", "the specialty"),
            ("level", "residency or fellowship"),
            ("city", "the city"),
            ("state", "the state, by its two letters"),
            ("policy", "the category in words"),
            ("j1", "what is said of the J-1"),
            ("h1b", "what is said of the H-1B"),
            ("reviewed", "whether a person has confirmed it"),
            ("doubt", "why it is not to be relied on; empty: there is no such reason"),
            ("quotes", "the sentences that prove it"),
            ("as_of", "when its pages were last seen to say so (ISO 8601, UTC)"),
            ("page", "where to make sure"),
        ),
    ),
    View(
        "by_specialty",
        "Policies by specialty",
        "How many programs of each specialty have which category, and how many are reviewed.",
        "SELECT p.specialty, coalesce(c.words, 'not read yet') AS policy, count(*) AS programs,"
        " count(p.reviewed) AS reviewed FROM programs p"
        " LEFT JOIN categories c ON c.name = p.category GROUP BY p.specialty, p.category",
        (
            ("specialty", "the specialty"),
            ("policy", "the category in words"),
            ("programs", "how many programs have it"),
            ("reviewed", "how many of them a person has confirmed"),
        ),
    ),
    View(
        "not_reviewed",
        "Changes that nobody has reviewed",
        "They may be mistakes of reading: look at the page.",
        "SELECT n.detected_at, p.institution, p.specialty, n.severity, n.summary, n.url"
        " FROM changes n JOIN programs p ON p.program_id = n.program_id"
        " WHERE n.status = 'open'",
        (
            ("detected_at", "when it was seen (ISO 8601, UTC)"),
            ("institution", "the institution"),
            ("specialty", "the specialty"),
            ("severity", "critical: who may apply; major: a condition"),
            ("summary", "what changed, in a line"),
            ("url", "the page that changed"),
        ),
    ),
)
