"""A table of data, row by row: a header travels with each of its cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bs4 import BeautifulSoup
from bs4.element import NavigableString, PageElement, Tag
from lxml import etree  # type: ignore[import-untyped]

from extractors.blocks import CELL_BREAK
from extractors.sieve import names_a_visa

_VISA_NUMBER = re.compile(r"^(?:J-?1|H-?1-?B)", re.I)
_SHORT_CELL = 20  # characters
_LAYOUT_ROWS = 20
_PIECE_LENGTH = 150  # characters of a cell
_MAX_SPAN = 50  # columns


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it is read, which is not empty."""

    text: str
    header: bool = False  # names the columns


@dataclass(frozen=True, slots=True)
class Table:
    """A table's caption, "" without one, and its rows."""

    caption: str
    rows: tuple[Row, ...]


def data_table(element: etree._Element) -> Table | None:
    """A `<table>` as BeautifulSoup finds its way in it; None for one of a page's layout.

    A table that holds another is none of data: so each is looked into once, however deep.
    """
    if next(element.iterdescendants("table", "h1", "h2", "h3", "h4"), None) is not None:
        return None
    markup = etree.tostring(element, encoding="unicode", method="html", with_tail=False)
    table = BeautifulSoup(markup, "lxml", multi_valued_attributes=None).table
    if table is None or not _is_data(table):
        return None
    caption = table.find("caption")
    named = " ".join(caption.get_text().split()) if caption else ""
    return Table(named, tuple(_rows(table)))


def _rows(table: Tag) -> Iterator[Row]:
    header: list[str] = []
    for row in table.find_all("tr"):
        cells = [c for c in row.find_all(["td", "th"]) if c.find_parent("tr") is row]
        texts = _row_texts(cells)
        if not any(texts):
            continue
        if not header and len(cells) > 1 and _is_header(row, cells):
            header = texts
            yield Row(CELL_BREAK.join(t for t in texts if t), header=True)
        else:
            yield Row(_row_text(header, texts))


def _row_text(header: list[str], texts: list[str]) -> str:
    """ "Pathology | J-1: Yes | H-1B: No"; without a header the first cell names the second."""
    if header:
        first = header[0].rstrip(":? ")
        named = [f"{first}: {texts[0]}" if _VISA_NUMBER.search(first) else texts[0]]
        for at, text in enumerate(texts[1:], 1):
            name = header[at] if at < len(header) else ""
            if text:
                named.append(f"{name.rstrip(':? ')}: {text}" if name else text)
        return CELL_BREAK.join(t for t in named if t)
    if len(texts) == 2 and texts[0] and texts[1]:
        return f"{texts[0].rstrip(':')}: {texts[1]}"
    return CELL_BREAK.join(t for t in texts if t)


def _row_texts(cells: list[Tag]) -> list[str]:
    texts: list[str] = []
    for cell in cells:
        texts.append(" ".join(cell.get_text(" ").split()))
        span = cell.get("colspan")
        if isinstance(span, str) and span.isdecimal():
            texts.extend([""] * (min(int(span[:4]), _MAX_SPAN) - 1))
    return texts


def _is_data(table: Tag) -> bool:
    """False for a table that only lays out a page: of one column, or with prose."""
    rows = table.find_all("tr", limit=_LAYOUT_ROWS)
    if all(sum(1 for c in row.find_all(["td", "th"]) if c.get_text().strip()) < 2 for row in rows):
        return False
    if any(_holds_paragraphs(cell) for row in rows for cell in row.find_all(["td", "th"])):
        return False
    if len(rows) > 1:
        return True
    # One row of a menu beside the page, or of a label beside its value.
    cells = table.find_all(["td", "th"])
    return all(len(cell.get_text()) < _PIECE_LENGTH and not _has_blocks(cell) for cell in cells)


def _has_blocks(cell: Tag) -> bool:
    return cell.find(["p", "ul", "ol", "dl", "hr"]) is not None


def _holds_paragraphs(cell: Tag) -> bool:
    """True for a cell that is a piece of a page: long, and of several paragraphs."""
    if len(cell.get_text()) < _PIECE_LENGTH:
        return False
    if len(cell.find_all(["p", "ul", "ol", "dl"], limit=2)) > 1:
        return True
    return any(
        isinstance(after := _next_thing(line_break), Tag) and after.name == "br"
        for line_break in cell.find_all("br")
    )


def _next_thing(tag: Tag) -> PageElement | None:
    after = tag.next_sibling
    while isinstance(after, NavigableString) and after.isspace():
        after = after.next_sibling
    return after


def _is_header(row: Tag, cells: list[Tag]) -> bool:
    texts = [cell.get_text().strip() for cell in cells]
    if row.find_parent("thead") is not None:
        return True
    if all(cell.name == "th" or not text for cell, text in zip(cells, texts, strict=True)):
        return True
    # A plain row "Program | J-1 visa | H-1B visa" is a header as well.
    columns = texts[1:]
    return len(columns) > 1 and all(len(t) <= _SHORT_CELL and names_a_visa(t) for t in columns)
