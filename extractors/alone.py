"""One visa and no other: "only", "no visa but", "nothing else".

A rule of kind `only` holds the visa in its match. Those of kinds `alone` ("only", "one visa") and
`except` ("other than the J-1") are words that stand somewhere in the sentence: here it is decided
whether they shut the H-1B out. The wider reach is for the J-1 alone, which is what most programs
limit themselves to; "H-1B only" is nearly always "only if" or "only for".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from extractors.reading_text import ANY, OTHER, SAME, Mention
from extractors.readings import STATUSES, Claim, Clause, Reading, Strength
from extractors.rulebook import Hit, RuleKind, rulebook
from extractors.values import Stance, Visa

_NEGATIVE = (RuleKind.AGAINST, RuleKind.NEGATION, RuleKind.REFUSE)
_REACH = 80  # characters between "only" and the visa
_ONE_SPONSOR = "by-one-sponsor"  # a rule
_MAX_UNKNOWN = 1  # words in between that are about something else
_NOBODY_ELSE = re.compile(r"(?:no ?one|nobody|nothing|none|not any\w*) (?:else|other)", re.I)
_WORD = re.compile(r"[a-z0-9-]+")


def read_only(reading: Reading, clauses: Sequence[Clause]) -> None:
    """ "Only J-1": the J-1 is offered, the H-1B by that refused."""
    only = [h for h in reading.live if h.rule.kind is RuleKind.ONLY]
    for hit in only:
        named = [m.visa for m in reading.mentions if hit.start <= m.start and m.end <= hit.end]
        named = [v for v in named if v not in (ANY, OTHER, SAME, *STATUSES)]
        if any(c.start <= hit.start < c.end for c in clauses):
            _shut_out(reading, named, hit)
    if not only:
        _read_alone(reading, clauses)


def excludes_nothing(reading: Reading) -> bool:
    """Whether an "only" is there that is said of a sponsor: "through ECFMG only"."""
    return any(h.rule.id == _ONE_SPONSOR for h in reading.hits) and not any(
        h.rule.kind in (RuleKind.ONLY, RuleKind.ALONE) for h in reading.live
    )


def _read_alone(reading: Reading, clauses: Sequence[Clause]) -> None:
    named = {m.visa for m in reading.mentions}
    if named and named <= set(STATUSES):
        reading.citizens += tuple(
            h.rule.id
            for h in reading.live
            if h.rule.kind is RuleKind.ALONE
            and any(_points(reading.text.text, h, m) for m in reading.mentions)
        )
    if named & {Visa.J1, Visa.H1B} != {Visa.J1}:
        return
    mentions = [m for c in clauses for m in c.mentions if m.visa == Visa.J1]
    if not mentions:
        return
    citizens = [h for h in reading.live if h.rule.kind is RuleKind.CITIZENS]
    for hit in reading.live:
        if any(c.start <= hit.start < c.end for c in citizens):
            continue  # "citizens only"
        if hit.rule.kind is RuleKind.EXCEPT:
            inside = any(hit.start <= m.start < hit.end for m in mentions)
            if inside and _refused_elsewhere(reading, hit):
                _shut_out(reading, [Visa.J1], hit)
                return
        elif hit.rule.kind is RuleKind.ALONE and any(
            _points(reading.text.text, hit, m) for m in mentions
        ):
            _shut_out(reading, [Visa.J1], hit)
            return


def _refused_elsewhere(reading: Reading, hit: Hit) -> bool:
    return any(
        h.rule.kind in _NEGATIVE
        and not (hit.start <= h.start and h.end <= hit.end)
        and not (h.start <= hit.start and h.end == hit.end)
        for h in reading.hits
    )


def _points(text: str, hit: Hit, mention: Mention) -> bool:
    """Whether nothing stands between the word and the visa that "only" could mean instead."""
    if hit.start <= mention.start < hit.end:
        return True
    gap = (hit.end, mention.start) if hit.start < mention.start else (mention.end, hit.start)
    between = text[slice(*gap)].lower()
    if _NOBODY_ELSE.match(text[hit.start : hit.end]):
        return True
    if len(between) > _REACH or ";" in between:
        return False
    words = rulebook().words
    known = words["small"] | words["between"] | words["around_only"]
    return sum(1 for w in _WORD.findall(between) if w not in known) <= _MAX_UNKNOWN


def _shut_out(reading: Reading, named: Sequence[str], hit: Hit) -> None:
    if not {Visa.J1, Visa.H1B} & set(named):
        return
    for visa in dict.fromkeys(named):
        _claim(reading, visa, Stance.SPONSORED, Strength.EXPLICIT, hit)
    for visa in (Visa.J1, Visa.H1B):
        if visa not in named:
            _claim(reading, visa, Stance.NOT_SPONSORED, Strength.IMPLIED, hit)


def _claim(reading: Reading, visa: str, stance: Stance, strength: Strength, hit: Hit) -> None:
    reading.claims.append(Claim(visa, stance, strength, (hit.rule.id,)))
