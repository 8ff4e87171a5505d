"""Reads programs.csv: every bad row is named by line and reason, and then nothing is taken."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from store.records import Program

COLUMNS = tuple(column.name for column in fields(Program))
REQUIRED = ("program_id", "institution", "specialty")
URLS = ("website_url", "eligibility_url", "gme_url")  # one of the first two, or the last
MAX_FIELD = 2000  # characters; longer is a broken file, not a name or a URL
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class ListError(Exception):
    """A list of programs that cannot be imported; has a line for each fault."""


@dataclass(frozen=True, slots=True)
class Listing:
    """The programs of a file, and the columns that it has and we do not know."""

    programs: tuple[Program, ...]
    ignored: tuple[str, ...]


def read(path: Path) -> Listing:
    """The programs in a CSV file (UTF-8, with or without a byte order mark).

    Raises ListError with every fault of the file, each by its line.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ListError(
            f"{path}: line {line}: not UTF-8; save the list as CSV UTF-8 and import it again"
        ) from error
    rows = _numbered(text)
    try:
        _, first = next(rows, (1, []))
        header = [name.strip() for name in first]
        faults = list(_header_faults(header))
        if faults:
            raise ListError("\n".join(f"{path}: {fault}" for fault in faults))
        programs, faults = _rows(rows, header)
    except csv.Error as error:
        raise ListError(f"{path}: {error}; nothing was imported") from error
    if not programs and not faults:
        faults = ["has no programs below its header"]
    if faults:
        lines = "\n".join(f"{path}: {fault}" for fault in faults)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        raise ListError(f"{lines}\n{count}; nothing was imported")
    return Listing(tuple(programs), tuple(name for name in header if name not in COLUMNS))


def fault_of(program: Program) -> str | None:
    """What is wrong with a program, in words; None when nothing is."""
    for column in fields(Program):
        value = getattr(program, column.name)
        if len(value) > MAX_FIELD:  # first, as what else is asked of it takes time
            return f"{column.name} is longer than {MAX_FIELD} characters"
        if not value.isprintable():
            return f"{column.name} has a line break or another control character"
    for name in REQUIRED:
        if not getattr(program, name):
            return f"{name} is empty"
    if not _ID.fullmatch(program.program_id):
        return f"program_id '{program.program_id}' may have letters, digits and . _ : - only"
    if not any(getattr(program, name) for name in URLS):
        return "no URL: give website_url or eligibility_url"
    for name in URLS:
        if (url := getattr(program, name)) and (reason := _url_fault(url)):
            return f"{name} '{url}' {reason}"
    email = program.coordinator_email
    if email and not _EMAIL.fullmatch(email):
        return f"coordinator_email '{email}' is not an address"
    return None


def _header_faults(header: list[str]) -> Iterator[str]:
    if not header:
        yield "is empty; its first line must be the header " + ",".join(COLUMNS[:-1])
        return
    for name in REQUIRED:
        if name not in header:
            yield f"line 1: the header has no column '{name}' (it has: {', '.join(header)})"
    if not set(URLS) & set(header):
        yield "line 1: the header has no column 'website_url' or 'eligibility_url'"
    for name in sorted(name for name, count in Counter(header).items() if count > 1):
        yield f"line 1: the header has column '{name}' twice"


def _numbered(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV text, each with the line that it begins on. Raises csv.Error."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"line {line}: {error}") from error


def _rows(
    rows: Iterator[tuple[int, list[str]]], header: list[str]
) -> tuple[list[Program], list[str]]:
    programs: list[Program] = []
    faults: list[str] = []
    lines: dict[str, int] = {}  # by program id
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != len(header):
            faults.append(f"line {line}: has {len(row)} columns, the header has {len(header)}")
            continue
        cells = {
            name: cell.strip() for name, cell in zip(header, row, strict=True) if name in COLUMNS
        }
        if not cells.get("level"):
            cells["level"] = "residency"
        program = Program(**cells)
        if reason := fault_of(program):
            faults.append(f"line {line}: {reason}")
        elif program.program_id in lines:
            first = lines[program.program_id]
            faults.append(f"line {line}: program_id '{program.program_id}' is on line {first} too")
        else:
            lines[program.program_id] = line
            programs.append(program)
    return programs, faults


def _url_fault(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return f"is not a URL ({error})"
    if parts.scheme not in ("http", "https"):
        return "does not begin with http:// or https://"
    if not host or " " in url:
        return "is not a URL"
    if parts.username is not None:
        return "has a user name in it; pages must be public"
    return None
