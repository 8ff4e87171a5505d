"""What the second reader is taught with: windows of labelled passages, and what they say.

The 460 passages' held-out half is never among them. Every seventh row, by the hash of its id, is
kept back, to calibrate how far the reader is to be believed (`benchmarks.calibrate`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from benchmarks.labelled import (
    Passage,
    development,
    passages,
    reworded,
    surroundings,
    taught,
    variants,
)
from extractors import Asker
from extractors.blocks import html_blocks, text_blocks
from extractors.scope import applies
from extractors.second import STANCES, VISAS, as_read
from extractors.statements import page_text
from extractors.values import Stance
from extractors.windows import Window, windows

_KEPT_BACK = 7
_ALWAYS = ("real-", "variant-")  # ids
_LEFT_ALONE = 0.45  # of the passages, in each epoch
_MAX_AROUND = 3  # lines that are put around another
_LINE = 40  # characters by which a line is known again


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
    """Whether the passage of that id is one that the reader is not taught with.

    What is reworded from real pages, or was written with the rules, it has to know.
    """
    if name.startswith(_ALWAYS):
        return False
    return hashlib.sha256(name.encode()).digest()[1] % _KEPT_BACK == 0


def rows(epoch: int = 0) -> list[Row]:
    """All rows, in the order of the files; from the second epoch on, in other surroundings.

    A passage with one window for its asker says what that window says. Of one that states
    nothing every window states nothing. Others are left out: which window said what, no label
    tells.
    """
    known = [p for p in passages() if not p.held_out]
    random = Random(epoch)
    lines = surroundings()
    found: list[Row] = []
    # Pieces of pages twice, and three times those reworded from real ones and what is known of
    # them: the taught sentences only come near to them.
    near = [*2 * [*known, *development()], *3 * [*reworded(), *variants()]]
    for passage in [*taught(), *near]:
        alone = list(_windows(passage))
        if len(alone) != 1 and passage.stances:
            continue
        placed = passage if epoch == 0 else _surrounded(passage, lines, random)
        seen = alone if placed is passage else list(_windows(placed))
        found += [_row(passage, window, seen is alone or _holds(window, alone)) for window in seen]
    return found


def _surrounded(passage: Passage, lines: Sequence[str], random: Random) -> Passage:
    """The passage between lines that say nothing of the policy, and must not change it."""
    if passage.pattern in ("pdf", "html") or random.random() < _LEFT_ALONE:
        return passage
    around = random.sample(lines, random.randint(1, _MAX_AROUND))
    before = random.randint(0, len(around))
    text = [*around[:before], passage.text, *around[before:]]
    return replace(passage, text="\n".join(text))


def _holds(window: Window, alone: Sequence[Window]) -> bool:
    """Whether a window has a line of the passage, and not only of what was put around it."""
    lines = [line for one in alone for line in one.text.split("\n")]
    return any(line[:_LINE] in window.text for line in lines)


def _windows(passage: Passage) -> Iterator[Window]:
    body, content_type = passage.page()
    text = body.decode()
    blocks = text_blocks(text) if "plain" in content_type else html_blocks(text)
    asker = Asker(passage.level, passage.specialty)
    for window in windows(blocks, page_text(blocks)):
        if applies(window.scope, asker) and not window.scope.past:
            yield window


def _row(passage: Passage, window: Window, holds: bool) -> Row:
    stances = passage.stances if holds else {}
    said = [Stance(stances.get(visa, "unstated")) for visa in VISAS]
    return Row(passage.id, *as_read(window), tuple(STANCES.index(stance) for stance in said))
