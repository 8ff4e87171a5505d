"""Text made ready for rules, with a map back to the page.

RE2 knows no look-around and only ASCII spaces and letters, and pages write "J‑1", "J1",
"H1-B" or "J-l": so each sentence is folded (dashes, quotes, soft hyphens) and then has its
visas spelled one way. A rule sees "We sponsor J-1 only" for "We sponsor J–1 visas only".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from extractors.rulebook import Hit, remembered, rulebook
from extractors.values import Visa

ANY = "any"  # "visas", of no kind
OTHER = "other"  # "other visas"
BOTH = "both"  # "either visa"
SAME = "same"  # "this visa"

_TOKENS = {
    Visa.J1: "J-1",
    Visa.H1B: "H-1B",
    Visa.O1: "O-1",
    Visa.TN: "TN-1",
    Visa.E3: "E-3",
    Visa.F1_OPT: "F-1",
    Visa.EAD: "EAD",
    Visa.PERMANENT_RESIDENT: "GREENCARD",
    Visa.CITIZEN: "CITIZEN",
    ANY: "visas",
    OTHER: "other-visas",
    BOTH: "both-visas",
    SAME: "this-visa",
}
_FOLD = {
    **dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"),
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("“”„‟″«»", '"'),
    **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u202f", " "),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", ""),
    "…": "...",
    "✓": "yes",
    "✔": "yes",
    "☑": "yes",
    "✗": "no",
    "✘": "no",
    "✕": "no",
    "☒": "no",
    "❌": "no",
    "✅": "yes",
}


@dataclass(frozen=True, slots=True)
class Mention:
    """A visa named in a text: a `Visa`, ANY, BOTH, OTHER or SAME; the rule knew its spelling."""

    visa: str
    start: int
    end: int
    rule: str


@dataclass(frozen=True, slots=True)
class ReadingText:
    """`text` for the rules; `origin[i]` is where its i-th character came from."""

    text: str
    origin: tuple[int, ...]
    mentions: tuple[Mention, ...]


@remembered
def reading_text(raw: str) -> ReadingText:
    """Fold `raw` and spell its visas one way.

    >>> reading_text("We sponsor J–1 and H1-b visas").text
    'We sponsor J-1 and H-1B'
    """
    folded, offsets = _parted(*_fold(raw))
    pieces: list[str] = []
    origin: list[int] = []
    mentions: list[Mention] = []
    at = length = 0
    for hit in _leftmost_longest(list(rulebook().spellings.hits(folded))):
        token = _TOKENS[hit.rule.visa]  # type: ignore[index]
        pieces.append(folded[at : hit.start])
        origin.extend(offsets[at : hit.start])
        length += hit.start - at
        pieces.append(token)
        origin.extend([offsets[hit.start]] * len(token))
        mentions.append(Mention(str(hit.rule.visa), length, length + len(token), hit.rule.id))
        length += len(token)
        at = hit.end
    pieces.append(folded[at:])
    origin.extend(offsets[at:])
    return ReadingText("".join(pieces), tuple(origin), tuple(mentions))


def _parted(text: str, offsets: list[int]) -> tuple[str, list[int]]:
    """Put the spaces back that a page lost around a visa: "TypesJ1 only", "H-1Bnot"."""
    cuts = [at for m in _GLUED.finditer(text) if 0 < (at := m.end()) < len(text)]
    for at in reversed(cuts):
        text = f"{text[:at]} {text[at:]}"
        offsets = [*offsets[:at], offsets[at], *offsets[at:]]
    return text, offsets


_GLUED = re.compile(
    r"[a-z](?=(?:J-?1|H-?1-?B)(?!\d))|(?<![a-zA-Z])(?:J-?1|H-?1-?B)(?=(?:[a-rt-z]|[A-Z][a-z])[a-z])"
    r"|\b(?:[Oo]nly|[Yy]es|[Nn]o|accepted|sponsored|visas?)(?=[A-Z][a-z])"
    r"|\bvisas?(?=(?:are|is|not|accepted|sponsored)\b)"
)


def _fold(raw: str) -> tuple[str, list[int]]:
    if raw.isascii() and "`" not in raw:
        return raw, list(range(len(raw) + 1))
    offsets: list[int] = []
    out: list[str] = []
    for at, char in enumerate(raw):
        folded = _FOLD.get(char, char)
        out.append(folded)
        offsets.extend([at] * len(folded))
    offsets.append(len(raw))
    return "".join(out), offsets


def _leftmost_longest(hits: list[Hit]) -> list[Hit]:
    hits.sort(key=lambda hit: (hit.start, -hit.end))
    kept: list[Hit] = []
    for hit in hits:
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept
