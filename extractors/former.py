"""The former and the latter: the words for a visa that a sentence does not name again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from extractors.reading_text import reading_text
from extractors.values import Visa

_ORDINAL = re.compile(r"\b(?:the )?(former|latter)\b(?! \w+s\b)", re.I)


def in_turn(raw: str, before: Sequence[str]) -> str:
    """`raw` with "the former" and "the latter" by name, of the two visas named before it.

    >>> in_turn("Of J-1 and H-1B we take only the former.", ())
    'Of J-1 and H-1B we take only the J-1.'
    """
    if "former" not in raw.lower() and "latter" not in raw.lower():
        return raw

    def name(match: re.Match[str]) -> str:
        said = reading_text(raw[: match.start()]).mentions
        pair = _pair([m.visa for m in said]) or _pair(before)
        return f"the {pair[match[1].lower() == 'latter']}" if pair else match[0]

    return _ORDINAL.sub(name, raw)


def _pair(visas: Sequence[str]) -> tuple[str, ...]:
    two = tuple(dict.fromkeys(v for v in visas if v in (Visa.J1, Visa.H1B)))
    return two if len(two) == 2 else ()
