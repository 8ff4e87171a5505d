"""The pieces of a page that a second reader reads whole: what stands together about visas.

A window is a few neighbouring sentences under one heading that speak of the same people. The rules
read sentence by sentence; a reader of windows sees the list with its lead-in, the question with its
answer, and the sentence that takes the one before back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from extractors.blocks import Block, BlockKind
from extractors.scope import FELLOWSHIP, Scope
from extractors.scoped import Scopes
from extractors.sentences import sentence_spans
from extractors.sieve import names_a_visa, which_name_a_visa

_MAX_CHARS = 700  # of a window; what is longer goes on in the next
_MAX_UNDER = 150  # characters of a heading
_AFTER = 1  # blocks without a visa that may still speak of the one before
_BOTH_LEVELS = ("fellow", "residen")
_MAX_WINDOWS = 100  # a page with more of them was made to stop us


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


@dataclass(slots=True)
class _Open:
    """A window that may still grow."""

    under: tuple[str, ...]
    scope: Scope
    block: int
    last: int  # the block of its last sentence that names a visa
    end_block: int
    lines: list[str]
    spans: list[tuple[int, int]]
    names: bool = False

    @property
    def length(self) -> int:
        return sum(map(len, self.lines))


def windows(blocks: Sequence[Block], text: str) -> list[Window]:
    """The windows of a page, in reading order; `text` is the page's text (`page_text`)."""
    speaking = set(which_name_a_visa([block.text for block in blocks]))
    headed = {n for n, b in enumerate(blocks) if b.under and names_a_visa(b.under[-1])}
    near = {n + step for n in speaking for step in range(-1, _AFTER + 1)} | headed
    scopes = Scopes(blocks, text)
    both = _BOTH_LEVELS[0] in text.lower() and _BOTH_LEVELS[1] in text.lower()
    out: list[Window] = []
    open_: dict[Scope, _Open] = {}
    offset = 0
    for number, block in enumerate(blocks):
        if len(out) >= _MAX_WINDOWS:
            break
        if number in near and block.kind not in (BlockKind.HEADING, BlockKind.HEADER):
            for scope, window in list(open_.items()):
                if window.under != block.under or number - window.last > _AFTER + 1:
                    _close(open_.pop(scope), out)
            _add(open_, out, scopes, both, number, block, offset)
        offset += len(block.text) + 1
    for window in open_.values():
        _close(window, out)
    return out


def _add(
    open_: dict[Scope, _Open],
    out: list[Window],
    scopes: Scopes,
    both: bool,
    number: int,
    block: Block,
    offset: int,
) -> None:
    scopes.enter(number, block)
    is_row = block.kind is BlockKind.ROW
    spans = [(0, len(block.text))] if is_row else sentence_spans(block.text)
    for start, end, said, _ in scopes.parts(block.text, spans):
        if len(out) >= _MAX_WINDOWS:
            return
        line = block.text[start:end]
        names = names_a_visa(line)
        # On a page of fellows alone a sentence without the word speaks of them, too; on one of
        # residents alone the word limits nothing.
        scope = said.scope if both else replace(said.scope, level="")
        window = open_.get(scope)
        if window is not None and window.length + len(line) > _MAX_CHARS:
            _close(open_.pop(scope), out)
            window = None
        if window is None:
            window = _Open(block.under, scope, number, number, number, [], [])
            open_[scope] = window
        if window.lines and window.end_block == number:
            window.lines[-1] += " " + line
        else:
            window.lines.append(("- " if block.kind is BlockKind.ITEM else "") + line)
        window.end_block = number
        if not both and said.scope.level == FELLOWSHIP:
            window.scope = replace(window.scope, level=FELLOWSHIP)
        window.spans.append((offset + start, offset + end))
        if names:
            window.last = number
            window.names = True


def _close(window: _Open, out: list[Window]) -> None:
    lines = [line[:_MAX_CHARS] for line in window.lines]
    headings = [u[:_MAX_UNDER] for u in window.under[-2:]]
    under = " / ".join(headings)
    asked = bool(headings) and headings[-1].endswith("?") and names_a_visa(headings[-1])
    if not (window.names or asked):
        return  # what only stands below a heading about visas may be about anything
    spans = tuple(window.spans)
    out.append(Window(under, "\n".join(lines), window.scope, window.block, spans))
