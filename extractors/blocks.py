"""A page as blocks in reading order: what one reads as one thing, with what it stands under.

The page's normalised text is its blocks joined by a newline; every quote is a span of it.
A table row reads "Specialty: Pathology | J-1: Yes | H-1B: No": its header travels with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lxml import etree  # type: ignore[import-untyped]

from extractors.prune import prune
from extractors.sieve import names_a_visa

if TYPE_CHECKING:
    from extractors.tables import Table


class BlockKind(StrEnum):
    """What a block is on the page."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"  # of a list, bulleted or numbered
    HEADER = "header"  # of a table: its words come again with each row
    ROW = "row"  # of a table, or a term with its definition
    QUESTION = "question"  # what a click opens: a summary, or a term asked


CELL_BREAK = " | "


@dataclass(frozen=True, slots=True)
class Block:
    """One block; `under` holds the headings and lead-ins it stands under, outermost first."""

    text: str
    kind: BlockKind = BlockKind.PARAGRAPH
    under: tuple[str, ...] = ()


_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_LISTS = frozenset({"ul", "ol", "menu", "dir"})
_BULLET = re.compile(r"^(?:[•·▪◦‣●○■□➢➤✓*–—-]|\(?(?:\d{1,2}|[a-z])[.)])\s+(?=\S)")
_LEAD_IN = re.compile(r"(?::|following|below|as follows|one of)\W*$", re.I)
_ENDS_LINE = re.compile(r"[.?!:;)]$")
_OPEN_WORD = re.compile(
    r"(?:^|\s)(?:a|an|and|any|are|by|for|from|in|is|no|not|of|on|only|or|our|sponsors?|accepts?"
    r"|supports?|USMLE|have|must|the|through|to|via|with|,)$",
    re.I,
)
_FOOTER = re.compile(r"^(?:page )?\d{1,3}(?: of \d{1,3})?$", re.I)
_SPLIT_VISA = re.compile(r"\b[HJ]-$")
_SPLIT_WORD = re.compile(r"[a-z]{2}-$")
_MAX_UNDER = 4
_MAX_LISTS = 20  # in one another, whose lead-ins count
_MAX_TAIL = 60  # characters that tell whether a line goes on
_PSEUDO_HEADING_WORDS = 9
_PSEUDO_LEVEL = 7  # below <h6>
_MENU = 4  # short lines in a row, without a visa: a menu, whose last line heads nothing
_ANSWER = re.compile(
    r"(?:(?:is|are|not|currently|never|always) )*(?:offered|available|accepted|sponsored|provided"
    r"|supported|considered|possible|permitted)(?: at (?:this|the present) time)?\W*",
    re.I,
)
_STAMP = re.compile(
    r"^(?:posted|published|updated|written|modified|reviewed|revised|last|page)\b.*\b\d{4}\b", re.I
)


def html_blocks(page: str) -> list[Block]:
    """The blocks of an HTML page (decoded), without navigation, scripts and hidden text."""
    root = prune(page)
    return [] if root is None else _Walk().run(root)


def text_blocks(text: str) -> list[Block]:
    """The blocks of plain text: lines, where a line that goes on is joined to the next."""
    walk = _Walk()
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        for line in _joined_lines(paragraph.split("\n")):
            walk.add(line, BlockKind.PARAGRAPH)
    return walk.blocks


class _Walk:
    """One pass over the tree with a stack of our own, so that no depth can overflow."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._headings: list[tuple[int, str]] = []
        self._leads: list[str] = []  # of the open lists, outermost first
        self._item_lead = ""  # an item "Not sponsored:", whose items came out flat
        self._flat_lead = ""  # of items that are paragraphs with a bullet
        self._listing = False  # short lines below "Visas accepted:" are its items
        self._short = 0  # short lines before this one, with nothing between
        self._buffer: list[str | None] = []  # None is a line break

    def run(self, root: etree._Element) -> list[Block]:
        self._hear(root.text)
        stack: list[tuple[etree._Element, Iterator[etree._Element]]] = [(root, iter(root))]
        while stack:
            element, children = stack[-1]
            child = next(children, None)
            if child is None:
                stack.pop()
                self._leave(element)
                self._hear(element.tail)
            elif child.tag == "br":
                self._buffer.append(None)
                self._hear(child.tail)
            elif child.tag == "table" and (table := _data_table(child)) is not None:
                self._flush(element.tag)
                self._table(table)
                self._hear(child.tail)
            else:
                self._flush(element.tag)
                if child.tag in _LISTS:
                    self._leads.append(self._lead_in())
                self._hear(child.text)
                stack.append((child, iter(child)))
        return self.blocks

    def _hear(self, text: str | None) -> None:
        if text:
            self._buffer.append(text)

    def _leave(self, element: etree._Element) -> None:
        self._flush(element.tag)
        if element.tag in _LISTS and self._leads:
            self._leads.pop()
        elif element.tag == "td" and next(element.itersiblings("td"), None) is not None:
            # The last line of a menu does not head the column beside it.
            self._headings = [h for h in self._headings if h[0] != _PSEUDO_LEVEL]

    def _flush(self, name: str) -> None:
        """Make blocks of the text gathered directly in an element of that name."""
        if not self._buffer:
            return
        if len(self._buffer) == 1 and (self._buffer[0] or "").isspace():
            self._buffer.clear()  # between two blocks
            return
        lines = [""]
        for part in self._buffer:
            if part is None:
                lines.append("")
            else:
                lines[-1] += part
        self._buffer.clear()
        if name == "pre":
            lines = [line for part in lines for line in part.split("\n")]
        if len(lines) > 1:
            lines = _joined_lines(lines)
        for line in lines:
            if name in _HEADINGS:
                self.add(line, BlockKind.HEADING, _HEADINGS[name])
            elif name in ("summary", "dt"):
                self.add(line, BlockKind.QUESTION)
            else:
                self.add(line, BlockKind.ITEM if self._leads else BlockKind.PARAGRAPH)

    def add(self, text: str, kind: BlockKind, level: int = _PSEUDO_LEVEL) -> None:
        """Append one block, unless it is empty, and remember it if others stand under it."""
        text = " ".join(text.split())
        if not text:
            return
        if kind is BlockKind.PARAGRAPH and _BULLET.match(text):
            if not self._flat_lead:
                self._flat_lead = self._lead_in() or " "
            leads = [self._flat_lead.strip()]
            kind = BlockKind.ITEM
        else:
            if kind is not BlockKind.ITEM:
                self._flat_lead = ""
                self._item_lead = ""
            elif text.endswith(":"):
                self._item_lead = ""
            leads = [*self._leads[-_MAX_LISTS:], self._item_lead]
        if kind is BlockKind.PARAGRAPH and _looks_like_heading(text):
            if text.endswith(":"):
                kind, self._listing = BlockKind.HEADING, True
            elif not self._listing and not self._is_asked(text):
                kind = self._heading_or_menu(text)
        else:
            self._listing = False
            self._short = 0
        if kind is BlockKind.HEADING:
            while self._headings and self._headings[-1][0] >= level:
                self._headings.pop()
        under = [t for _, t in self._headings] + [t for t in leads if t]
        self.blocks.append(Block(text, kind, tuple(dict.fromkeys(under))[-_MAX_UNDER:]))
        if kind is BlockKind.ITEM and text.endswith(":"):
            self._item_lead = text
        if kind is BlockKind.HEADING:
            self._headings.append((level, text))

    def _heading_or_menu(self, text: str) -> BlockKind:
        """A short line is a heading, but for the fourth in a row."""
        self._short = 0 if names_a_visa(text) else self._short + 1
        if self._short < _MENU:
            return BlockKind.HEADING
        if self._headings and self._headings[-1][0] == _PSEUDO_LEVEL:
            self._headings.pop()
        return BlockKind.PARAGRAPH

    def _is_asked(self, text: str) -> bool:
        """True right below a question or label: a short line is its answer, no heading."""
        if not self.blocks:
            return False
        last = self.blocks[-1]
        if last.kind is BlockKind.HEADING and names_a_visa(last.text) and names_a_visa(text):
            return True  # "Visa sponsorship", and below it "J-1"
        if self._headings[-1:] == [(_PSEUDO_LEVEL, last.text)] and names_a_visa(last.text):
            return _ANSWER.fullmatch(text) is not None  # and below it "Not offered"
        return last.kind is BlockKind.QUESTION or last.text.endswith("?")

    def _lead_in(self) -> str:
        """The text that opens a list: the block before it, when it points forward."""
        if not self.blocks:
            return ""
        last = self.blocks[-1]
        if last.kind is BlockKind.HEADING or self._leads or _LEAD_IN.search(last.text[-40:]):
            return last.text
        return ""

    def _table(self, table: Table) -> None:
        if table.caption:
            self.add(table.caption, BlockKind.HEADING, 6)
        for row in table.rows:
            self.add(row.text, BlockKind.HEADER if row.header else BlockKind.ROW)


def _data_table(element: etree._Element) -> Table | None:
    # What finds its way in a table takes as long to import as some thirty pages to read, and most
    # commands and nights read none.
    from extractors.tables import data_table

    return data_table(element)


def _looks_like_heading(text: str) -> bool:
    """A short line without an end: "Visa status", "Medical Trainees"."""
    return (
        text[-1] not in ".?!,;"
        and text[0].isupper()
        and ":" not in text[:-1]
        and len(text.split()) <= _PSEUDO_HEADING_WORDS
        and not _BULLET.match(text)
        and not _STAMP.match(text)
    )


def _joined_lines(lines: list[str]) -> list[str]:
    """Lines of one paragraph: a break inside a sentence is a space, any other is a break."""
    joined: list[list[str]] = []  # each line in its parts
    before = ""  # how the last one ends
    for line in lines:
        line = " ".join(line.split())
        if before and _FOOTER.match(line):
            continue
        if line and (
            (_SPLIT_VISA.search(before) and line[0] in "1iI")
            or (_SPLIT_WORD.search(before) and line[0].islower())
        ):
            if not before[-2].isupper():
                joined[-1][-1], before = joined[-1][-1][:-1], before[:-1]
            joined[-1].append(line)
        elif line and before and _goes_on(before, line):
            joined[-1].append(f" {line}")
        else:
            joined.append([line])
            before = ""
        before = f"{before}{joined[-1][-1]}"[-_MAX_TAIL:]
    return [line for parts in joined if (line := "".join(parts))]


def _goes_on(before: str, line: str) -> bool:
    """Whether a line is the rest of what ends so."""
    return (
        not _ENDS_LINE.search(before)
        and not _BULLET.match(line)
        and (line[0].islower() or _OPEN_WORD.search(before) is not None)
    )
