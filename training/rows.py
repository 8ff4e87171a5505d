"""What the second reader is taught with: windows of labelled passages, and what they say.

The 460 passages' held-out half is never among them. Every seventh row, by the hash of its id, is
kept back, to calibrate how far the reader is to be believed (`benchmarks.calibrate`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.labelled import Passage, development, passages, taught
from extractors import Asker
from extractors.blocks import html_blocks, text_blocks
from extractors.scope import applies
from extractors.second import STANCES, VISAS, as_read
from extractors.statements import page_text
from extractors.values import Stance
from extractors.windows import Window, windows

_KEPT_BACK = 7


@dataclass(frozen=True, slots=True)
class Row:
    """A window as the reader gets it, and for each of VISAS the number of its stance."""

    id: str
    under: str
    text: str
    stances: tuple[int, ...]

    @property
    def kept_back(self) -> bool:
        """Whether the reader is not taught with it."""
        return kept_back(self.id)


def kept_back(name: str) -> bool:
    """Whether the passage of that id is one that the reader is not taught with."""
    return hashlib.sha256(name.encode()).digest()[1] % _KEPT_BACK == 0


def rows() -> Iterator[Row]:
    """All rows, in the order of the files.

    A passage with one window for its asker says what that window says. Of one that states
    nothing every window states nothing. Others are left out: which window said what, no label
    tells.
    """
    known = [p for p in passages() if not p.held_out]
    for passage in [*taught(), *known, *development()]:
        if Stance.CONFLICTING in passage.stances.values():
            continue
        found = list(_windows(passage))
        if len(found) == 1 or not passage.stances:
            for window in found:
                yield _row(passage, window)


def _windows(passage: Passage) -> Iterator[Window]:
    body, content_type = passage.page()
    text = body.decode()
    blocks = text_blocks(text) if "plain" in content_type else html_blocks(text)
    asker = Asker(passage.level, passage.specialty)
    for window in windows(blocks, page_text(blocks)):
        if applies(window.scope, asker) and not window.scope.past:
            yield window


def _row(passage: Passage, window: Window) -> Row:
    said = [Stance(passage.stances.get(visa, "unstated")) for visa in VISAS]
    return Row(passage.id, *as_read(window), tuple(STANCES.index(stance) for stance in said))
