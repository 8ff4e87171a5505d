"""Whether a stretch of text overlaps any of many, without asking each."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Protocol


class Stretch(Protocol):
    """Anything that begins and ends somewhere in a text."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class Spans:
    """A set of stretches.

    >>> from extractors.reading_text import Mention
    >>> taken = Spans([Mention("J-1", 4, 7, ""), Mention("J-1", 0, 2, "")])
    >>> [taken.overlap(Mention("", at, at + 1, "")) for at in (1, 3, 6, 7)]
    [True, False, True, False]
    """

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted((s.start, s.end) for s in stretches if s.start < s.end):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)

    def overlap(self, one: Stretch) -> bool:
        """Whether one of them shares a character with `one`."""
        at = bisect_right(self._ends, one.start)
        return at < len(self._starts) and self._starts[at] < one.end
