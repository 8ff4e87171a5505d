"""CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator

from crawler.plain import printable

PORTION = 32_000  # characters that are sent together: each sending costs as much as a row

# What makes a cell a formula (owasp.org, CSV injection), with the full-width forms.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# Where a spreadsheet of another country, which parts cells at semicolons, would begin one.
_PARTED = re.compile(r"([;\t\r\n][\"\s]*)(?=[=+\-@＝＋－＠])")


def cell(value: object) -> str:
    """A value as a cell that is text in every spreadsheet.

    >>> cell("=HYPERLINK(1)"), cell("J-1; =1+1"), cell("J-1 only"), cell(None)
    ("'=HYPERLINK(1)", "J-1; '=1+1", 'J-1 only', '')
    """
    text = _PARTED.sub(r"\1'", "" if value is None else printable(str(value)))
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def lines(rows: Iterable[Iterable[object]]) -> Iterator[bytes]:
    """The rows as CSV (RFC 4180, UTF-8 with the mark by which Excel knows it), some at a time."""
    buffer = io.StringIO("\ufeff", newline="")
    buffer.seek(0, io.SEEK_END)
    for row in rows:
        csv.writer(buffer).writerow([cell(value) for value in row])
        if buffer.tell() >= PORTION:
            yield buffer.getvalue().encode("utf-8", "replace")
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode("utf-8", "replace")
