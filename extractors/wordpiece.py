"""Text as the numbers that the second reader reads: BERT's lower-case words and their pieces.

The normalisation, the parting and the numbers are those of Hugging Face's tokenizers 0.23
(BertNormalizer, BertPreTokenizer, WordPiece, LongestFirst). That package takes 10 MB of memory and
the client of its maker's model store along; of it a window of some hundred words needs this.
Names of marks, as "[SEP]", are text like any other here: a page cannot end a window.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import count

UNKNOWN, BEGIN, END = "[UNK]", "[CLS]", "[SEP]"
_WITHIN = "##"  # begins a piece that does not begin its word
_LONGEST = 100  # characters of a word; a longer one is unknown
# Those that the text has no spaces between: each is a word.
_IDEOGRAPHS = re.compile(
    "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0002a6df\U0002a700-\U0002ceaf\U0002f800-\U0002fa1f]"
)


class WordPieces:
    """A vocabulary: a piece's number is its place. Raises ValueError if a mark is not in it."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._numbers = dict(zip(pieces, count()))
        for mark in (UNKNOWN, BEGIN, END):
            if mark not in self._numbers:
                raise ValueError(f"the vocabulary has no {mark}")

    def encode(self, under: str, text: str, most: int) -> tuple[list[int], list[int]]:
        """The numbers of both texts between marks, and of each 0, for `under`, or 1.

        At most so many: of the longer text the end is left out, and then of both. If nothing
        stands above it, the text is the first.
        """
        parts = [self.numbers(part) for part in ((under, text) if under else (text,))]
        begin, end = self._numbers[BEGIN], self._numbers[END]
        limits = _limits([len(part) for part in parts], most - len(parts) - 1)
        ids, types = [begin], [0]
        for number, (part, limit) in enumerate(zip(parts, limits, strict=True)):
            ids += [*part[:limit], end]
            types += [number] * (len(ids) - len(types))
        return ids, types

    def numbers(self, text: str) -> list[int]:
        """The numbers of all pieces of a text, without marks."""
        return [number for word in _words(text) for number in self._of_word(word)]

    def _of_word(self, word: str) -> list[int]:
        """The longest piece that it begins with, of what is left the longest, and so on."""
        known = self._numbers
        if (whole := known.get(word)) is not None:
            return [whole]
        unknown = [known[UNKNOWN]]
        if len(word) > _LONGEST:
            return unknown
        found: list[int] = []
        start = 0
        while start < len(word):
            before = _WITHIN if start else ""
            for end in range(len(word), start, -1):
                if (number := known.get(before + word[start:end])) is not None:
                    break
            else:
                return unknown
            found.append(number)
            start = end
        return found


def _words(text: str) -> list[str]:
    """The words in lower case and without accents; each mark and ideograph is a word."""
    return "".join(map(_plain, unicodedata.normalize("NFD", text))).split(" ")


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    """What is left of a character, between spaces if it stands for itself."""
    kind = unicodedata.category(char)
    if char in "\t\n\r" or kind in ("Zs", "Zl", "Zp"):
        return " "
    if kind in ("Cc", "Cf", "Co", "Mn") or char == "\ufffd":
        return ""
    if kind.startswith("P") or char in "$+<=>^`|~" or _IDEOGRAPHS.match(char):
        return f" {char} "
    return char.lower()


def _limits(lengths: Sequence[int], most: int) -> list[int]:
    """Within which length each text is kept, so that all are together at most so long."""
    if len(lengths) == 1:
        return [most]
    low, high = sorted(lengths)
    high = low if low > most else max(low, most - low)
    if low + high > most:
        low, high = most // 2, most // 2 + most % 2
    return [low, high] if lengths[0] <= lengths[1] else [high, low]
