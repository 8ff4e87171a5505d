"""Conditions: which visa each is put on, and what it does to the visa's stance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from extractors.conditions import AT_DISCRETION, ConditionKind
from extractors.reading_text import ANY, OTHER, SAME, Mention
from extractors.readings import Claim, Clause, Demand, Reading, Strength
from extractors.rulebook import Hit
from extractors.values import Stance, Visa

OF_H1B = (
    ConditionKind.STEP3_PASSED,
    ConditionKind.TRANSFER_ONLY,
    ConditionKind.US_GRADUATES_ONLY,
)
_FURTHER = {Visa.O1, Visa.TN, Visa.E3}
_SOFTENS_A_REFUSAL = (
    ConditionKind.EXCEPTIONAL_ONLY,
    ConditionKind.CASE_BY_CASE,
    ConditionKind.GME_APPROVAL,
)


def read_demands(reading: Reading, live: Sequence[Hit], clauses: Sequence[Clause]) -> None:
    """Add the demands of a sentence, and soften or refuse what they are put on."""
    for hit in live:
        kind = hit.rule.condition
        if kind is None:
            continue
        at = next((n for n, c in enumerate(clauses) if c.start <= hit.start < c.end), None)
        if at is None:
            continue
        visas = _demanded(kind, hit, clauses, at, reading.text.text)
        reading.demands.append(Demand(kind, visas, hit.rule.id, hit.start, hit.end))
        if kind is ConditionKind.STEP3_PASSED:
            _offered_with_step3(reading, clauses, hit)
        if kind in AT_DISCRETION or kind is ConditionKind.PAUSED:
            _soften(reading, kind, visas, clauses, hit)


def _demanded(
    kind: ConditionKind, hit: Hit, clauses: Sequence[Clause], at: int, text: str
) -> tuple[str, ...]:
    """The visas that a condition is put on: those nearest to it, or of the clause before."""
    if kind is ConditionKind.ECFMG_CERTIFIED:
        anywhere = {m.visa for c in clauses for m in c.mentions}
        return (Visa.J1,) if anywhere & {Visa.J1, ANY, SAME} else ()
    if kind is ConditionKind.PREFERRED_OTHER:
        named = [m for m in clauses[at].mentions if m.visa in (Visa.J1, Visa.H1B)]
        after = [
            m for m in named if m.start >= hit.end and not text[hit.start : hit.end].endswith("ed")
        ]
        near = after[:1] or sorted(named, key=lambda m: abs(m.end - hit.start))[:1]
        if not near:  # "J-1 (preferred)"
            named = [m for c in clauses[:at] for m in c.mentions if m.visa in (Visa.J1, Visa.H1B)]
            near = named[-1:]
        return tuple(v for m in near for v in (Visa.J1, Visa.H1B) if v != m.visa)
    here = {m.visa for m in clauses[at].mentions}
    if here & _FURTHER and not here & {Visa.J1, Visa.H1B}:
        return ()  # "An O-1 needs the approval of the DIO; ..."
    for clause in (clauses[at], *reversed(clauses[:at]), *clauses[at + 1 : at + 2]):
        named = [m for m in clause.mentions if m.visa in (Visa.J1, Visa.H1B, OTHER, SAME)]
        if kind in OF_H1B:
            named = [m for m in named if m.visa in (Visa.H1B, OTHER, SAME)]
        if named:
            nearest = min(named, key=lambda m: max(m.start - hit.end, hit.start - m.end))
            return _group(nearest, named, text)
    return ()


def _group(mention: Mention, named: Sequence[Mention], text: str) -> tuple[str, ...]:
    """The visa with those listed beside it: "J-1 and H-1B", "J-1, O-1 or H-1B", but not
    "unlike the J-1, H-1B ..."."""
    groups: list[list[Mention]] = [[named[0]]]
    commas: list[Mention] = []  # joined by a comma, so far only
    for before, after in pairwise(named):
        between = text[before.end : after.start].strip(" ,")
        if between in _JOINERS:
            groups[-1] += [*commas, after]
            commas = []
        elif not between:
            commas.append(after)
        else:
            groups += [[m] for m in (*commas, after)]
            commas = []
    groups += [[m] for m in commas]
    group = next(g for g in groups if mention in g)
    return tuple(dict.fromkeys(m.visa for m in group))


_JOINERS = frozenset(("and", "or", "and/or", "/", "&", "as well as", "plus", "and the", "or the"))


def _soften(
    reading: Reading,
    kind: ConditionKind,
    visas: tuple[str, ...],
    clauses: Sequence[Clause],
    hit: Hit,
) -> None:
    """Sponsorship that may be refused is conditional; a pause refuses."""
    clause = next(c for c in clauses if c.start <= hit.start < c.end)
    last = next((c for c in clauses if c.start < hit.end <= c.end), clause)
    for visa in visas:
        own = [c for c in reading.claims if c.visa == visa]
        refused = any(
            c.stance is Stance.NOT_SPONSORED and c.strength is Strength.EXPLICIT for c in own
        )
        named_here = any(m.visa == visa for m in clause.mentions)
        if kind is ConditionKind.PAUSED:
            stance = Stance.NOT_SPONSORED
        elif refused and named_here and kind not in _SOFTENS_A_REFUSAL:
            continue  # "we do not sponsor H-1B transfers"
        elif (
            not own
            and kind not in _SOFTENS_A_REFUSAL
            and not _for_some(reading)
            and not any(_restricts(reading, c) for c in (clause, last))
        ):
            continue  # "H-1B holders from another program ..." offers nothing
        else:
            stance = Stance.CONDITIONAL
        rules = tuple(dict.fromkeys([*(r for c in own for r in c.rules), hit.rule.id]))
        reading.claims = [c for c in reading.claims if c.visa != visa]
        reading.claims.append(Claim(visa, stance, Strength.EXPLICIT, rules))
        reading.unclaimed = [m for m in reading.unclaimed if m.visa != visa]


def _offered_with_step3(reading: Reading, clauses: Sequence[Clause], hit: Hit) -> None:
    """ "No H-1B without Step 3", "H-1B applicants must have passed Step 3": offered with it."""
    text = reading.text.text.lower()
    here = next(c for c in clauses if c.start <= hit.start < c.end)
    named = any(m.visa is Visa.H1B or m.visa == Visa.H1B for m in here.mentions)
    if not named or reading.others:
        return
    own = [c for c in reading.claims if c.visa == Visa.H1B]
    lacking = any(w in text[max(0, hit.start - 45) : hit.start] for w in _LACKING)
    demanded = any(w in text[here.start : here.end] for w in _DEMANDING)
    refused = any(c.stance is Stance.NOT_SPONSORED for c in own)
    if (refused and lacking) or (not own and demanded):
        reading.claims = [c for c in reading.claims if c.visa != Visa.H1B]
        strength = Strength.EXPLICIT if refused else Strength.MILD
        reading.claims.append(Claim(Visa.H1B, Stance.SPONSORED, strength, (hit.rule.id,)))
        reading.unclaimed = [m for m in reading.unclaimed if m.visa != Visa.H1B]


_LACKING = ("without", "unless", "until", "lack", "not passed", "not taken", "not yet", "before")
_DEMANDING = ("applicant", "candidate", "resident", "fellow", "those", "anyone", "for h-1b", "you")


def _for_some(reading: Reading) -> bool:
    """ "H-1B sponsorship is for graduates of American schools": offered to them."""
    return _FOR_SOME.search(reading.text.text) is not None


_FOR_SOME = re.compile(r"\b(?:is|are) for\b|\b(?:may|can) (?:ask|apply|stay|be|have|keep)\b", re.I)


def _restricts(reading: Reading, clause: Clause) -> bool:
    """True for a clause that lets somebody through: "unless ...", "only ..."."""
    words = reading.text.text[clause.start : clause.end].lower()
    return any(w in words for w in _LIMITING) or words.lstrip(" ,;").startswith(
        ("unless", "except")
    )


_LIMITING = ("only", "limited to", "restricted to", "reserved for", "solely", "exclusively")
