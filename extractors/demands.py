"""Conditions: which visa each is put on, and what it does to the visa's stance."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from extractors.conditions import AT_DISCRETION, ConditionKind
from extractors.reading_text import ANY, BOTH, OTHER, SAME, Mention
from extractors.readings import Claim, Clause, Demand, Reading, Strength
from extractors.rulebook import Hit
from extractors.values import Stance, Visa

OF_H1B = (
    ConditionKind.STEP3_PASSED,
    ConditionKind.TRANSFER_ONLY,
    ConditionKind.US_GRADUATES_ONLY,
)
FACTS = (
    ConditionKind.STEP3_PASSED,
    ConditionKind.ECFMG_CERTIFIED,
    ConditionKind.APPLICANT_PAYS,
)  # asked of whoever is offered the visa: no stance hangs on them
_FURTHER = {Visa.O1, Visa.TN, Visa.E3}
_SOFTENS_A_REFUSAL = (
    ConditionKind.EXCEPTIONAL_ONLY,
    ConditionKind.CASE_BY_CASE,
    ConditionKind.GME_APPROVAL,
)


def read_demands(reading: Reading, live: Sequence[Hit], clauses: Sequence[Clause]) -> None:
    """Add the demands of a sentence, and soften or refuse what they are put on."""
    approvals = [h for h in live if h.rule.condition is ConditionKind.GME_APPROVAL]
    for hit in live:
        kind = hit.rule.condition
        if kind is None:
            continue
        within = any(a.start <= hit.start and hit.end <= a.end for a in approvals)
        if kind is ConditionKind.CASE_BY_CASE and within:
            continue  # "at the discretion of the DIO"
        at = next((n for n, c in enumerate(clauses) if c.start <= hit.start < c.end), None)
        if at is None:
            if kind in FACTS:
                visas = _beside(reading, hit)
                reading.demands.append(Demand(kind, visas, hit.rule.id, hit.start, hit.end))
            continue
        visas = _demanded(kind, hit, clauses, at, reading.text.text)
        reading.demands.append(Demand(kind, visas, hit.rule.id, hit.start, hit.end))
        if kind in (ConditionKind.STEP3_PASSED, ConditionKind.ECFMG_CERTIFIED):
            _offered_with_it(reading, clauses, hit, visas or (Visa.H1B,))
        if kind in AT_DISCRETION or kind is ConditionKind.PAUSED:
            _soften(reading, kind, visas, clauses, hit)
    told = [d for d in reading.demands if d.kind in AT_DISCRETION and d.rule != NOT_USUALLY]
    if told:  # "not usually, unless the DIO agrees": the exception is the DIO's, no other
        reading.demands = [d for d in reading.demands if d.rule != NOT_USUALLY]


NOT_USUALLY = "not-usually"


def _demanded(
    kind: ConditionKind, hit: Hit, clauses: Sequence[Clause], at: int, text: str
) -> tuple[str, ...]:
    """The visas that a condition is put on: those nearest to it, or of the clause before."""
    if kind is ConditionKind.PREFERRED_OTHER:
        named = [m for m in clauses[at].mentions if m.visa in (Visa.J1, Visa.H1B)]
        points_back = (
            text[hit.start : hit.end].endswith("ed")
            or _WHAT_WE.search(text[: hit.start])
            or _RATHER_THAN.match(text[max(0, hit.start - 3) : hit.end + 5])
        )
        after = [m for m in named if m.start >= hit.end and not points_back]
        near = after[:1] or sorted(named, key=lambda m: abs(m.end - hit.start))[:1]
        if not near:  # "J-1 (preferred)", "Preferred visa: J-1"
            said = [m for c in clauses[:at] for m in c.mentions if m.visa in (Visa.J1, Visa.H1B)]
            next_ = [m for c in clauses[at + 1 :] for m in c.mentions]
            near = said[-1:] or [m for m in next_ if m.visa in (Visa.J1, Visa.H1B)][:1]
        return tuple(v for m in near for v in (Visa.J1, Visa.H1B) if v != m.visa)
    here = {m.visa for m in clauses[at].mentions}
    if here & _FURTHER and not here & {Visa.J1, Visa.H1B}:
        return ()  # "An O-1 needs the approval of the DIO; ..."
    for clause in (clauses[at], *reversed(clauses[:at]), *clauses[at + 1 : at + 2]):
        named = [m for m in clause.mentions if m.visa in (Visa.J1, Visa.H1B, OTHER, SAME)]
        if not named and (kind is ConditionKind.PAUSED or "sponsor" in text.lower()):
            named = [m for m in clause.mentions if m.visa in (ANY, BOTH)]
        if kind in OF_H1B:
            named = [m for m in named if m.visa in (Visa.H1B, OTHER, SAME)]
        if named:
            return _group(_nearest(hit, named, text), named, text)
    return ()


def _nearest(hit: Hit, named: Sequence[Mention], text: str) -> Mention:
    """The visa nearest to a demand; of one in brackets the visa before them."""
    opened = text.rfind("(", 0, hit.start)
    if opened >= 0 and ")" not in text[opened : hit.end]:
        before = [m for m in named if m.end <= opened]
        if before and not any(opened <= m.start < hit.end for m in named):
            return before[-1]
    return min(named, key=lambda m: max(m.start - hit.end, hit.start - m.end))


def _group(mention: Mention, named: Sequence[Mention], text: str) -> tuple[str, ...]:
    """The visa with those listed beside it: "J-1 and H-1B", "J-1, O-1 or H-1B", but not
    "unlike the J-1, H-1B ..."."""
    groups: list[list[Mention]] = [[named[0]]]
    commas: list[Mention] = []  # joined by a comma, so far only
    for before, after in pairwise(named):
        between = text[before.end : after.start].strip(" ,")
        if _JOINER.fullmatch(between):
            groups[-1] += [*commas, after]
            commas = []
        elif not between:
            commas.append(after)
        else:
            groups += [[m] for m in (*commas, after)]
            commas = []
    if commas and text[: groups[-1][0].start].endswith("(") and text[commas[-1].end :][:1] == ")":
        groups[-1] += commas  # "Visas (J-1, H-1B)"
    else:
        groups += [[m] for m in commas]
    group = next(g for g in groups if mention in g)
    return tuple(dict.fromkeys(m.visa for m in group))


_JOINER = re.compile(r"(?:and|or|and/or|nor|/|&|as well as|plus|as for)(?: the| an?| for the)?")
_RATHER_THAN = re.compile(r".{0,3}preference over|in preference to", re.I)
_WHAT_WE = re.compile(r"\b(?:what|that|which|one|visas?) we $", re.I)


def _beside(reading: Reading, hit: Hit) -> tuple[str, ...]:
    """The visa beside a demand in a clause that is otherwise about something else: fees, papers."""
    named = [m for m in reading.mentions if m.visa in (Visa.J1, Visa.H1B)]
    if not named:
        return ()
    return _group(_nearest(hit, named, reading.text.text), named, reading.text.text)


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


def _offered_with_it(
    reading: Reading, clauses: Sequence[Clause], hit: Hit, visas: Sequence[str]
) -> None:
    """ "No H-1B without Step 3", "H-1B applicants must have passed Step 3": offered with it."""
    text = reading.text.text.lower()
    here = next(c for c in clauses if c.start <= hit.start < c.end)
    if reading.others:
        return
    lacking = any(w in text[max(0, hit.start - 45) : hit.start] for w in _LACKING)
    demanded = any(w in text[here.start : here.end] for w in _DEMANDING)
    for visa in visas:
        named = any(m.visa == visa for m in (reading.mentions if lacking else here.mentions))
        own = [c for c in reading.claims if c.visa == visa]
        refused = any(c.stance is Stance.NOT_SPONSORED for c in own)
        step3 = hit.rule.condition is ConditionKind.STEP3_PASSED
        if named and ((refused and lacking) or (not own and demanded and step3)):
            reading.claims = [c for c in reading.claims if c.visa != visa]
            strength = Strength.EXPLICIT if refused else Strength.MILD
            reading.claims.append(Claim(visa, Stance.SPONSORED, strength, (hit.rule.id,)))
            reading.unclaimed = [m for m in reading.unclaimed if m.visa != visa]


_LACKING = ("without", "unless", "until", "lack", "not passed", "not taken", "not yet", "before")
_DEMANDING = ("applicant", "candidate", "resident", "fellow", "those", "anyone", "for h-1b", "you")


def _for_some(reading: Reading) -> bool:
    """ "H-1B sponsorship is for graduates of American schools": offered to them."""
    return _FOR_SOME.search(reading.text.text) is not None


_FOR_SOME = re.compile(
    r"\b(?:is|are) for\b|\b(?:may|can) (?:ask|apply|stay|be|have|keep)\b",
    re.I,
)


def _restricts(reading: Reading, clause: Clause) -> bool:
    """True for a clause that lets somebody through: "unless ...", "only ..."."""
    words = reading.text.text[clause.start : clause.end].lower()
    return _LIMITING.search(words) is not None or words.lstrip(" ,;").startswith(
        ("unless", "except")
    )


_LIMITING = re.compile(
    r"only|solely|exclusively|\balone\b|reserved for"
    r"|\b(?:limit|restrict)(?:s|ed)?(?: [a-z0-9-]+){0,4} to\b"
)


def asked_for(question: Reading, answer: Reading) -> list[Demand]:
    """What a question asks to be asked for, when its answer does not deny it: "Is Step 3 needed?
    For the H-1B, yes."."""
    if _WITHOUT.search(question.text.text) or _WITHOUT.search(answer.text.text):
        return []
    told = {demand.kind for demand in answer.demands}
    return [d for d in question.demands if d.kind in FACTS and d.kind not in told]


_WITHOUT = re.compile(r"\b(?:without|lack\w*|no|not|n't|never|haven't|isn't)\b", re.I)
