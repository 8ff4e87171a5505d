"""Scopes in their place: what a sentence takes over from headings, rows and the sentence before.

And what only a change of scope makes readable: "fellows do not", "fellows, the H-1B as well".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from extractors.blocks import CELL_BREAK, Block, BlockKind
from extractors.reading_text import ANY, OTHER, SAME, reading_text
from extractors.readings import STATUSES, Claim, Reading, Strength
from extractors.rulebook import RuleKind
from extractors.scope import RESIDENCY, SIBLING, Said, Scope, marks, pieces, scope_of
from extractors.sieve import names_a_visa
from extractors.values import Stance, Visa

_MAX_LEAD = 300  # characters of a heading
_SHORT = 200  # characters: a sentence without a visa that may say whom the next speaks of
_ONLY_YEAR = re.compile(r"^20\d\d(?:\s*[-–/]\s*(?:20)?\d\d)?$")
_CURRENT = re.compile(r"^(?:current|present|this|now|coming|upcoming|next)\b", re.I)
_REST = re.compile(r"^(?:all )?(?:the )?(?:others?|rest|remaining)\b", re.I)
_LOOSE = re.compile(r"\bresidents?\b", re.I)
_STRICT = re.compile(r"\bresidenc(?:y|ies)\b", re.I)
_ELLIPTICAL = re.compile(
    r"(?:\b(?:do|does|did|will|can|may|are|is|could|have|has)(?P<no>\s?(?:not|n't)\b)?"
    r"|\b(?P<cannot>cannot))(?: (?:also|so|too|now|yet|either|any longer|any more|anymore"
    r"|be|been|as well|choose|chosen))*\W*$",
    re.I,
)
_ENDED = re.compile(r"\b(?:no longer|not) (?:so|the case|true)\b", re.I)
_NONE = re.compile(
    r"^\W*(?:none|no|not? (?:visas?|sponsorship|accepted|sponsored|considered))\b", re.I
)
_SAME_AS = re.compile(
    r"\b(?:the )?(?:same|identical)\b[^.;]{0,30}?\b(?:as|to)\b|\bas (?:in|for)\b", re.I
)
_BOTH_OR_NONE = re.compile(
    r"\b(?:accepts?|sponsors?|supports?|offers?|takes?|files?|considers?) (?:(?P<none>neither|none)"
    r"|both|either)(?: of (?:them|the two|these))?\W*$",
    re.I,
)
_PLAIN_YES = re.compile(r"\W*yes\b", re.I)
_PRONOUN = re.compile(r"^\W*(?:they|these|those|there|it|its|their|such)\b", re.I)
_STILL = re.compile(r"\b(?:also|as well|too|in addition|additionally|besides)\b", re.I)
_SPONSORING = re.compile(
    r"\b(?:sponsor(?:s|ed|ing)?|accept(?:s|ed|ing)?|support(?:s|ed|ing)"
    r"|petition(?:s|ed)? (?:for|to)|file[sd]?|filing|offer(?:s|ed|ing))\b",
    re.I,
)
_WIDE = (RuleKind.INSTITUTION, RuleKind.EVERYONE)
_SPECIFIC = (Visa.J1, Visa.H1B)


class Scopes:
    """Remembers what the next sentence stands under and after."""

    def __init__(self, blocks: Sequence[Block], text: str) -> None:
        self.outer = Scope()
        self._carried = Scope()
        self._both = "fellow" in text.lower()
        self._leads: dict[str, Scope] = {}
        self._rows = _row_labels(blocks)

    def enter(self, number: int, block: Block) -> None:
        """A new block: what its headings and its row's label limit it to."""
        outer = self._rows.get(number, Scope())
        for text in reversed(block.under):
            outer = outer.within(self._lead(text))
        self.outer = outer
        self._carried = Scope()

    def parts(
        self, text: str, spans: Sequence[tuple[int, int]]
    ) -> Iterator[tuple[int, int, Said, bool]]:
        """The sentences of a block, cut where their scope turns, each with its scope.

        The last value is True for a piece that goes on after such a turn.
        """
        for start, end in spans:
            raw = text[start:end]
            if self._carried.breadth == SIBLING and not _PRONOUN.match(raw):
                self._carried = Scope()
            if not (len(raw) < _SHORT or names_a_visa(raw)):
                yield start, end, self._placed(Said(Scope())), False
                continue
            folded = reading_text(raw)
            found = marks(folded)
            cut = pieces(raw, folded, found) if found else []
            if any(m.kind in _WIDE for m in found):
                self._carried = Scope()
            if len(cut) < 2 or raw.endswith("?"):
                said = scope_of(folded, found) if found else Said(Scope())
                yield start, end, self._placed(said), False
                continue
            for number, piece in enumerate(cut):
                first, last = _trim(raw, piece.start, piece.end)
                if self._carried.breadth == SIBLING:
                    self._carried = Scope()
                if first < last:
                    yield start + first, start + last, self._placed(piece.said), number > 0

    def _placed(self, said: Said) -> Said:
        """A scope within that of the sentence before and the headings above."""
        scope = said.scope
        if not (scope.level or scope.specialties or scope.excluded or scope.breadth):
            scope = replace(
                scope,
                level=self._carried.level,
                specialties=self._carried.specialties,
                excluded=self._carried.excluded,
                breadth=self._carried.breadth,
            )
        self._carried = scope
        opposite = said.opposite.within(self.outer) if said.opposite else None
        return Said(scope.within(self.outer), opposite)

    def _lead(self, text: str) -> Scope:
        if text not in self._leads:
            folded = reading_text(text[:_MAX_LEAD])
            scope = scope_of(folded, marks(folded)).scope
            loose = _LOOSE.search(folded.text) and not _STRICT.search(folded.text)
            if scope.level == RESIDENCY and loose and not self._both:
                scope = replace(scope, level="")  # "Residents" where there are no others
            self._leads[text] = scope
        return self._leads[text]


def _row_labels(blocks: Sequence[Block]) -> dict[int, Scope]:
    """The scope of each table row by its first cell; a table of departments has no other rows."""
    out: dict[int, Scope] = {}
    numbered = enumerate(blocks)
    for is_row, run in groupby(numbered, key=lambda pair: pair[1].kind is BlockKind.ROW):
        if not is_row:
            continue
        labels: dict[int, tuple[str, Scope, bool]] = {}
        for number, block in run:
            label = block.text.partition(CELL_BREAK)[0][:_MAX_LEAD]
            if CELL_BREAK not in block.text:
                label = block.text.partition(": ")[0][:_MAX_LEAD]
            folded = reading_text(label)
            scope = scope_of(folded, marks(folded)).scope
            if _ONLY_YEAR.match(label.strip()):
                scope = replace(scope, season=_last_year(label))
            labels[number] = (label.strip(), scope, bool(folded.mentions))
        last = max((scope.season for _, scope, _ in labels.values()), default=0)
        if last:  # "2025", "2026", "Current cycle"
            labels |= {
                number: (label, replace(scope, season=last + 1), visas)
                for number, (label, scope, visas) in labels.items()
                if not scope.season and _CURRENT.match(label)
            }
        named = (name for _, scope, _ in labels.values() for name in scope.specialties)
        listed = tuple(dict.fromkeys(named))
        for number, (label, scope, visas) in labels.items():
            if listed and _REST.match(label):
                scope = Scope(excluded=listed)
            elif listed and scope == Scope() and label and not visas:
                scope = Scope(specialties=(label.lower(),))
            if scope != Scope():
                out[number] = scope
    return out


def _last_year(label: str) -> int:
    digits = re.findall(r"\d+", label)
    last = digits[-1]
    return int(last) if len(last) == 4 else int(digits[0][:2] + last)


def _trim(raw: str, start: int, end: int) -> tuple[int, int]:
    while start < end and raw[start] in " ,;":
        start += 1
    while end > start and raw[end - 1] in " ,;":
        end -= 1
    return start, end


def elliptical(reading: Reading, named: Sequence[str]) -> list[Claim]:
    """ "Surgery does not.": what was said before is denied or said of somebody else."""
    match = _ELLIPTICAL.search(reading.text.text)
    if (two := _BOTH_OR_NONE.search(reading.text.text)) and set(_SPECIFIC) <= set(named):
        no = two["none"] or reading.stance is Stance.NOT_SPONSORED
        stance = Stance.NOT_SPONSORED if no else Stance.SPONSORED
        if not reading.mentions and not reading.demands:
            return [Claim(v, stance, Strength.EXPLICIT, ("said-before",)) for v in _SPECIFIC]
    ended = _ENDED.search(reading.text.text)
    if not (match or ended) or reading.mentions or reading.demands:
        return []
    refused = (
        ended
        or (match and (match.group("no") or match.group("cannot")))
        or "nor " in reading.text.text.lower()
    )
    stance = Stance.NOT_SPONSORED if refused else Stance.SPONSORED
    return [
        Claim(v, stance, Strength.EXPLICIT, ("said-before",))
        for v in named
        if v not in (ANY, OTHER, SAME, *STATUSES)
    ]


def goes_on(reading: Reading) -> bool:
    """ "We now sponsor the H-1B as well": beside what was offered before."""
    return reading.stance is Stance.SPONSORED and bool(_STILL.search(reading.text.text))


def speaks_of_sponsoring(reading: Reading) -> bool:
    """Whether a sentence has words of sponsoring, whatever it says of it."""
    return _SPONSORING.search(reading.text.text) is not None


def carried_on(reading: Reading, before: Stance | None) -> list[Claim]:
    """ "... fellows the J-1 or the H-1B": the verb stands before the turn."""
    if before is None or reading.claims or reading.stance is not None:
        return []
    return [
        Claim(m.visa, before, Strength.EXPLICIT, (m.rule, "said-before"))
        for m in reading.unclaimed
        if m.visa in _SPECIFIC
    ]


def under_a_scope(
    label: str, value: Reading, claims: Sequence[Claim], named: Sequence[str]
) -> list[Claim]:
    """ "Fellows: J-1, H-1B" and "Surgery: none": the label says whom, the value what."""
    folded = reading_text(label)
    found = [m for m in marks(folded) if m.kind is not RuleKind.SELF]
    if not found or folded.mentions or claims:
        return []
    if _NONE.match(value.text.text) and value.leftover <= 1:
        return [Claim(v, Stance.NOT_SPONSORED, Strength.GENERAL, ("label",)) for v in _SPECIFIC]
    if _PLAIN_YES.match(value.text.text) and value.leftover <= 1 and not value.mentions:
        return [
            Claim(v, Stance.SPONSORED, Strength.EXPLICIT, ("said-before",))
            for v in named
            if v in _SPECIFIC
        ]
    if value.leftover > 1 or value.stance is not None:
        return []
    return [
        Claim(m.visa, Stance.SPONSORED, Strength.EXPLICIT, (m.rule, "label"))
        for m in value.mentions
        if m.visa in _SPECIFIC
    ]


def opposite(claims: Sequence[Claim]) -> list[Claim]:
    """What "only for fellows" says of the others."""
    turned = {
        Stance.SPONSORED: Stance.NOT_SPONSORED,
        Stance.CONDITIONAL: Stance.NOT_SPONSORED,
        Stance.NOT_SPONSORED: Stance.SPONSORED,
    }
    return [
        Claim(c.visa, turned[c.stance], Strength.IMPLIED, (*c.rules, "others"))
        for c in claims
        if c.strength in (Strength.EXPLICIT, Strength.MILD) and c.visa in _SPECIFIC
    ]


def same_as(text: str) -> tuple[Scope, Scope] | None:
    """ "Transitional year: the same as Medicine." gives both scopes."""
    match = _SAME_AS.search(text) if len(text) < _SHORT else None
    if match is None:
        return None
    folded = reading_text(text)
    found = marks(folded)
    target = scope_of(folded, [m for m in found if m.end <= match.end()]).scope
    source = scope_of(folded, [m for m in found if m.start >= match.end()]).scope
    if folded.mentions or not (target.specialties and source.specialties):
        return None
    return target, source
