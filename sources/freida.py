"""Reads what somebody exported or typed from FREIDA: a CSV, by columns and words of freida.toml.

Nothing is fetched from FREIDA: its terms forbid it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from extractors import Condition, ConditionKind, Policy, Stance, Visa
from monitor.timeline import season
from sources.errors import SourceError
from sources.matching import Match, Sought, Unmatched, Watchlist
from store import evidence, programs
from store.database import Store
from store.evidence import Saying
from store.records import stamp

LARGEST = 20_000_000  # bytes of a file; all programs there are make a tenth of that
_LINK = "https://freida.ama-assn.org"
_SEPARATORS = re.compile(r"[;|\n]|,(?![^(]*\))")
_FIELDS = ("acgme_id", "institution", "specialty", "city", "state", "visas", "seen")


class FreidaError(SourceError):
    """A file that cannot be imported, and why; nothing of it was."""


@dataclass(frozen=True, slots=True)
class Row:
    """One program as FREIDA has it; `line` is where it is in the file."""

    line: int
    sought: Sought
    visas: str
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that was not taken, and why."""

    line: int
    program: str
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file: whom its rows were taken for, and which were left out.

    `silent` rows say nothing of visas, `repeated` ones were there already.
    """

    taken: tuple[tuple[int, Match], ...] = ()
    skipped: tuple[Skipped, ...] = ()
    silent: int = 0
    repeated: int = 0
    ignored: tuple[str, ...] = field(default=())  # columns


def import_(
    store: Store,
    content: bytes,
    now: datetime,
    *,
    by: str,
    columns: Mapping[str, str] | None = None,
    seen: date | None = None,
) -> Imported:
    """Files what the rows of a CSV say of our programs.

    `columns` names headers by field (see freida.toml); `seen` is the day on which the table was
    exported, where a row does not say. `by` is the maintainer who imports it. Raises FreidaError.
    """
    rows, ignored = read(content, columns or {})
    watched = Watchlist(programs.listed(store))
    taken: list[tuple[int, Match]] = []
    skipped: list[Skipped] = []
    silent = repeated = 0
    with store.writing():
        for row in rows:
            try:
                policy = _policy(row.visas)
                day = _day(row.seen, seen or now.date(), now.date())
            except ValueError as error:
                skipped.append(Skipped(row.line, str(row.sought), str(error)))
                continue
            if not policy.stances:
                silent += 1
                continue
            found = watched.match(row.sought)
            if isinstance(found, Unmatched):
                skipped.append(Skipped(row.line, str(row.sought), found.reason))
                continue
            if evidence.add(store, _saying(row, found, policy, day, by, now)) is None:
                repeated += 1
            else:
                taken.append((row.line, found))
    return Imported(tuple(taken), tuple(skipped), silent, repeated, ignored)


def read(content: bytes, columns: Mapping[str, str]) -> tuple[list[Row], tuple[str, ...]]:
    """The rows of a CSV, and the headers that mean nothing to us. Raises FreidaError."""
    if len(content) > LARGEST:
        raise FreidaError(f"larger than {LARGEST:,} bytes; split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FreidaError(f"line {line}: not UTF-8; save it as CSV UTF-8") from error
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        places = _places(header, columns)
        rows = list(_rows(reader, header, places))
    except csv.Error as error:
        raise FreidaError(f"line {reader.line_num}: {error}") from error
    used = set(places.values())
    return rows, tuple(name for i, name in enumerate(header) if i not in used)


def _places(header: list[str], columns: Mapping[str, str]) -> dict[str, int]:
    """By field, which column holds it."""
    if not any(header):
        raise FreidaError("is empty; its first line must name the columns")
    if unknown := set(columns) - set(_FIELDS):
        raise FreidaError(
            f"there is no field '{sorted(unknown)[0]}'; known are {', '.join(_FIELDS)}"
        )
    spelled = {_plain(name): i for i, name in reversed(list(enumerate(header)))}
    found = {}
    for name in _FIELDS:
        wanted = [columns[name]] if name in columns else _data()["columns"][name]
        places = [spelled[_plain(w)] for w in wanted if _plain(w) in spelled]
        if places:
            found[name] = places[0]
        elif name in columns:
            raise FreidaError(f"has no column '{columns[name]}' (it has: {', '.join(header)})")
    if "visas" not in found or not found.keys() & {"acgme_id", "institution"}:
        raise FreidaError(
            "needs a column of visas, and one of ACGME IDs or institutions; it has: "
            f"{', '.join(header)}. Name them with --column, such as --column visas='Visa types'"
        )
    return found


def _rows(
    reader: Iterator[list[str]], header: list[str], places: Mapping[str, int]
) -> Iterator[Row]:
    line = 2
    for cells in reader:
        if any(cell.strip() for cell in cells):
            if len(cells) != len(header):
                raise FreidaError(
                    f"line {line}: has {len(cells)} columns, the header has {len(header)}"
                )
            row = {name: cells[i].strip() for name, i in places.items()}
            visas, seen = row.pop("visas"), row.pop("seen", "")
            yield Row(line, Sought(**row), visas, seen)
        line = getattr(reader, "line_num", line) + 1


def _policy(cell: str) -> Policy:
    """What a cell of visas says. Raises ValueError for words that FREIDA does not have.

    >>> _policy("J-1 visa sponsorship through ECFMG; H-1B visa").category
    <Category.J1_AND_H1B: 'j1_and_h1b'>
    """
    stances: dict[Visa, Stance] = {}
    conditions: list[Condition] = []
    for part in filter(None, (p.strip() for p in _SEPARATORS.split(cell))):
        said = _values().get(_plain(part))
        if said is None:
            raise ValueError(f"'{part[:60]}' is no visa that FREIDA has (see sources/freida.toml)")
        for visa, stance, kinds in said:
            if stances.get(visa, stance) is not stance:
                raise ValueError(f"says of the {visa} both that it is accepted and that it is not")
            stances[visa] = stance
            conditions += [c for kind in kinds if (c := Condition(visa, kind)) not in conditions]
    return Policy(tuple((v, stances[v]) for v in Visa if v in stances), tuple(conditions))


def _day(text: str, otherwise: date, today: date) -> date:
    if not text:
        return otherwise
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        raise ValueError(f"'{text[:30]}' is not a day; write 2026-11-25") from None
    if day > today:
        raise ValueError(f"{day} is still to come")
    return day


def _saying(row: Row, found: Match, policy: Policy, day: date, by: str, now: datetime) -> Saying:
    said = policy.to_json()
    at = f"{day}T00:00:00Z"
    program_id = found.program.program_id
    number = found.program.acgme_id
    digest = hashlib.sha256(f"{program_id}\n{day}\n{said['stances']}".encode()).hexdigest()
    return Saying(
        program_id,
        "freida",
        season(at),
        at,
        {"stances": said["stances"], "conditions": said["conditions"]},
        key=f"freida:{digest[:32]}",
        who="FREIDA",
        quote=row.visas,
        link=f"{_LINK}/program/{number}" if number.isdecimal() else _LINK,
        confidence=found.confidence,
        note="" if found.by_id else f"matched by its name ({found.confidence:.2f})",
        state="accepted",
        decided_by=by,
        decided_at=stamp(now),
    )


_Said = tuple[Visa, Stance, tuple[ConditionKind, ...]]


@cache
def _values() -> dict[str, list[_Said]]:
    """By its words, what a value says."""
    found: dict[str, list[_Said]] = {}
    for value in _data()["values"]:
        kinds = tuple(map(ConditionKind, value.get("conditions", ())))
        said = [(Visa(v.strip()), Stance(value["stance"]), kinds) for v in value["visa"].split(",")]
        found.update(dict.fromkeys(map(_plain, value["words"]), said))
    return found


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads((files("sources") / "freida.toml").read_text("utf-8"))


def _plain(text: str) -> str:
    """What two spellings of a header or value have in common."""
    return re.sub(r"[^a-z0-9]", "", text.lower())
