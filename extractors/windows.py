"""The pieces of a page that a second reader reads whole: what stands together about visas.

A window is a few neighbouring sentences under one heading that speak of the same people. The rules
read sentence by sentence; a reader of windows sees the list with its lead-in, the question with its
answer, and the sentence that takes the one before back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from extractors.blocks import Block, BlockKind
from extractors.clauses import heads_nothing, read_sentence, tells_nothing
from extractors.places import about_others
from extractors.scope import FELLOWSHIP, INSTITUTION, SIBLING, Scope
from extractors.scoped import Scopes
from extractors.sentences import sentence_spans
from extractors.sieve import names_a_visa, which_name_a_visa

_MAX_CHARS = 700  # of a window; what is longer goes on in the next
_MAX_UNDER = 150  # characters of a heading
_MAX_LEAD = 500  # characters of a heading that are read for whom it is about
_AFTER = 1  # blocks without a visa that may still speak of the one before
_BELOW = 2  # blocks below a heading that names a visa, which may speak of it
_MAX_WINDOWS = 100  # a page with more of them was made to stop us
_HEADINGS = (BlockKind.HEADING, BlockKind.HEADER)


@dataclass(frozen=True, slots=True)
class Window:
    """`text` with the heading it stands `under`, whom it speaks of, and where it was read.

    `spans` are those of its sentences, offsets in the page's text.
    """

    under: str
    text: str
    scope: Scope
    block: int
    spans: tuple[tuple[int, int], ...]


def windows(blocks: Sequence[Block], text: str) -> list[Window]:
    """The windows of a page, in the order in which they end; `text` is the page's (`page_text`)."""
    speaking = which_name_a_visa(tuple(block.text for block in blocks))
    near = {n + step for n in speaking for step in range(-1, _AFTER + 1)}
    near |= {n + 2 for n in speaking if _asks_above_a_caption(blocks, n)}
    windowing = _Windowing(blocks, text)
    offset, below = 0, 0
    for number, block in enumerate(blocks):
        heads = block.kind in _HEADINGS
        if heads:
            below = _BELOW if number in speaking and not heads_nothing(block.text) else 0
        if number in speaking:
            picked = not (heads and _has_content(blocks, number))
        else:  # "We take:" stands over each of its items
            picked = not heads and (number in near or below > 0) and not _leads(blocks, number)
        if picked:
            windowing.add(number, block, offset)
        below -= not heads
        offset += len(block.text) + 1
    return windowing.finish()


def _asks_above_a_caption(blocks: Sequence[Block], number: int) -> bool:
    """Whether a picture's line stands between a question and its answer."""
    after = blocks[number + 1 : number + 2]
    return blocks[number].text.endswith("?") and any(tells_nothing(block.text) for block in after)


def _leads(blocks: Sequence[Block], number: int) -> bool:
    """Whether the next block stands under this one."""
    return number + 1 < len(blocks) and blocks[number].text in blocks[number + 1].under


def _has_content(blocks: Sequence[Block], number: int) -> bool:
    """Whether something stands below a heading; one alone is all that its page says there."""
    rows = number + 1 < len(blocks) and blocks[number + 1].kind is BlockKind.ROW
    return rows or _leads(blocks, number)


def _speaks_of_others(headings: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether a window is on observers, scholars or researchers, and names nobody who trains here.

    It stands below a heading, or in answer to a question, that says so.
    """
    asked = lines[:1] if lines[0].endswith("?") else []
    told = [read_sentence(text[:_MAX_LEAD]) for text in (*headings, *asked) if _MAY_BE_OTHERS(text)]
    return about_others(told) and not any(read_sentence(line).trainees for line in lines)


_MAY_BE_OTHERS = re.compile(
    r"research|scholar|doc(?:s\b|toral)|observ|extern|visiting", re.I
).search


@dataclass(slots=True)
class _Open:
    """A window that may still grow."""

    under: tuple[str, ...]
    scope: Scope
    block: int
    last: int  # the block of its last sentence that names a visa
    end_block: int
    lines: list[str] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0  # in its last block's text
    names: bool = False
    own: bool = False  # not all of it is about the institution

    def add(self, block: Block, start: int, end: int, offset: int, number: int) -> None:
        """A further sentence; what stands between two of one block ("but") is kept."""
        line = block.text[start:end]
        if self.lines and self.end_block == number:
            self.lines[-1] += block.text[self.end : end]
        else:
            self.lines.append(("- " if block.kind is BlockKind.ITEM else "") + line)
        self.end_block, self.end = number, end
        self.spans.append((offset + start, offset + end))
        if names_a_visa(line):
            self.last = number
            self.names = True

    def has_room(self, line: str) -> bool:
        return sum(map(len, self.lines)) + len(line) <= _MAX_CHARS

    def window(self) -> Window | None:
        """The window; none where neither it nor the heading right above it names a visa."""
        headings = [text[:_MAX_UNDER] for text in self.under[-2:]]
        if not (self.names or (headings and names_a_visa(headings[-1]))):
            return None
        if _speaks_of_others(self.under, self.lines):
            return None
        text = "\n".join(line[:_MAX_CHARS] for line in self.lines)
        scope = self.scope if self.own else replace(self.scope, breadth=INSTITUTION)
        return Window(" / ".join(headings), text, scope, self.block, tuple(self.spans))


class _Windowing:
    """One pass over the blocks, with a window open for each scope."""

    def __init__(self, blocks: Sequence[Block], text: str) -> None:
        self._found: list[Window] = []
        self._open: dict[Scope, _Open] = {}
        self._scopes = Scopes(blocks, text)
        self._both_levels = all(word in text.lower() for word in ("fellow", "residen"))

    def add(self, number: int, block: Block, offset: int) -> None:
        """The next block that is near a visa; `offset` is where it begins in the page's text."""
        if len(self._found) >= _MAX_WINDOWS:
            return
        under = tuple(heading for heading in block.under if not heads_nothing(heading))
        for scope, window in list(self._open.items()):
            if window.under != under or number - window.last > _AFTER + 1:
                self._close(scope)
        self._scopes.enter(number, block)
        is_row = block.kind is BlockKind.ROW
        spans = [(0, len(block.text))] if is_row else sentence_spans(block.text)
        for start, end, said, _ in self._scopes.parts(block.text, spans):
            if len(self._found) >= _MAX_WINDOWS:
                return
            line = block.text[start:end]
            if tells_nothing(line):
                continue
            scope = self._whom(said.scope)
            if scope in self._open and not self._open[scope].has_room(line):
                self._close(scope)
            if scope not in self._open:
                self._open[scope] = _Open(under, scope, number, number, number)
            window = self._open[scope]
            if not self._both_levels and said.scope.level == FELLOWSHIP:
                window.scope = replace(window.scope, level=FELLOWSHIP)
            if said.scope.breadth != INSTITUTION:
                window.own = True
            window.add(block, start, end, offset, number)

    def _whom(self, said: Scope) -> Scope:
        """Whom a sentence speaks of, as far as its neighbours do not.

        "Unlike our sister hospital", "until 2021" and "the hospital" are part of what is to be
        understood; a heading's word for others or for the past is not in the window's text.
        """
        outer = self._scopes.outer
        breadth = said.breadth if said.breadth not in (SIBLING, INSTITUTION) else ""
        if outer.breadth == SIBLING and said.breadth == SIBLING:
            breadth = SIBLING
        # On a page of fellows alone a sentence without the word speaks of them, too; on one
        # of residents alone the word limits nothing.
        level = said.level if self._both_levels else ""
        return replace(
            said,
            level=level,
            breadth=breadth,
            season=outer.season,
            onward=outer.onward,
            past=outer.past,
        )

    def finish(self) -> list[Window]:
        """All windows of the page, in the order in which they ended."""
        for scope in list(self._open):
            self._close(scope)
        return self._found

    def _close(self, scope: Scope) -> None:
        window = self._open.pop(scope).window()
        if window is not None:
            self._found.append(window)
