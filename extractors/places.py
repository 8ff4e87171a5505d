"""Where a sentence stands: its cell, its block with what is above, whom its headings are about."""

from __future__ import annotations

from collections.abc import Sequence

from extractors.blocks import CELL_BREAK, Block
from extractors.readings import Reading
from extractors.rulebook import RuleKind

_FAR = 12  # characters from the beginning of a sentence
_MAX_NEAR = 1000  # characters of a block on each side of a sentence, kept for diffs
_MAX_ABOVE = 500  # characters of a heading that are kept with each sentence below it


def context(block: Block, start: int, end: int) -> str:
    """The block of a sentence, with what it stands under; of a huge one what is near."""
    near = block.text
    if len(near) > 2 * _MAX_NEAR:
        near = near[max(0, start - _MAX_NEAR) : end + _MAX_NEAR]
    return "\n".join((*(text[:_MAX_ABOVE] for text in block.under), near))


def cell_spans(text: str) -> list[tuple[int, int]]:
    """The spans of the cells of a table row."""
    spans: list[tuple[int, int]] = []
    start = 0
    for part in text.split(CELL_BREAK):
        if part:
            spans.append((start, start + len(part)))
        start += len(part) + len(CELL_BREAK)
    return spans


def about_others(under: Sequence[Reading]) -> bool:
    """The nearest heading that says whom it is about decides."""
    for reading in reversed(under):
        if reading.trainees:
            return False
        if reading.others:
            return True
    return False


def opens_on_others(reading: Reading) -> bool:
    """Whether a sentence begins with people who do not train here: "Observers: ..."."""
    first = min((h.start for h in reading.hits if h.rule.kind is RuleKind.OTHERS), default=_FAR)
    return first < _FAR and not reading.trainees


def beside_the_point(under: Sequence[Reading]) -> bool:
    """Whether a heading says that what stands below is about moonlighting, forms, waivers."""
    return any(reading.aside and not reading.claims for reading in under)
