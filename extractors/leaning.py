"""What a sentence leans to on a visa that no phrase rule claims.

Pages say yes and no in more ways than anyone lists. Where a visa is named in a clause about
training here, and no cue points to it, the clause's own words tell: a word of refusal in it
leans against the visa, a word of taking leans for it. Claims made so are mild: any statement in
so many words overrules them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from extractors.reading_text import Mention
from extractors.readings import LEANT, Claim, Reading, Strength, stretches
from extractors.rulebook import Hit, RuleKind
from extractors.values import Stance, Visa

_LEANED = (Visa.J1, Visa.H1B)
_SUPPOSED = re.compile(r"\b(?:if|when|once|whether|should you)\b", re.I)  # "if you are on a J-1"
_AGAINST = (RuleKind.AGAINST, RuleKind.REFUSE)
_FOR = (RuleKind.FOR, RuleKind.OFFER, RuleKind.NOT_ONLY, RuleKind.UNDO)
_CANCELS = (RuleKind.PSEUDO, RuleKind.DECOY, RuleKind.UNDO, RuleKind.NOT_ONLY)


def leanings(reading: Reading, claims: Sequence[Claim]) -> list[Claim]:
    """Claims on the visas that were left open, by the words of their stretch of the sentence."""
    said = {claim.visa for claim in claims}
    open_ones = [m for m in reading.unclaimed if m.visa in _LEANED and m.visa not in said]
    if not open_ones:
        return []
    words = _words(reading)
    out: list[Claim] = []
    for clause in reading.clauses:
        wanted = [m for m in clause.mentions if m in open_ones]
        if not wanted:
            continue
        parts = dict(zip(clause.mentions, stretches(reading.text.text, clause), strict=True))
        for mention in wanted:
            start, end = parts[mention]
            near = [h for h in words if start <= h.start and h.end <= end]
            if _SUPPOSED.search(reading.text.text[start : mention.start]):
                near = [h for h in near if h.rule.kind in _AGAINST]
            claim = _lean(mention, near)
            if claim is not None:
                out.append(claim)
    return out


def is_against(reading: Reading) -> bool:
    """Whether a sentence that names no visa says no, in whatever words."""
    return any(h.rule.kind in (*_AGAINST, RuleKind.NEGATION) for h in _words(reading))


def is_for(reading: Reading) -> bool:
    """Whether a sentence has a word of taking, whomever it is said of."""
    return any(h.rule.kind in _FOR for h in _words(reading))


def _words(reading: Reading) -> list[Hit]:
    """The words for and against that no longer phrase covers."""
    cancels = [h for h in reading.hits if h.rule.kind in _CANCELS]
    return [
        h
        for h in reading.hits
        if h.rule.kind in (*_AGAINST, *_FOR, RuleKind.NEGATION)
        and not any(c.start <= h.start < c.end for c in cancels if c is not h)
    ]


def _lean(mention: Mention, near: Sequence[Hit]) -> Claim | None:
    for kinds, stance in ((_AGAINST, Stance.NOT_SPONSORED), (_FOR, Stance.SPONSORED)):
        hit = next((h for h in near if h.rule.kind in kinds), None)
        if hit is not None:
            return Claim(mention.visa, stance, Strength.MILD, (mention.rule, hit.rule.id, LEANT))
    return None
