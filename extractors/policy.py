"""Statements to a policy, and several pages' policies to one.

The strongest kind of statement decides a visa's stance (docs/policy.md): explicit, implied
by "only", general ("no visas"), mild ("must hold a J-1"). Equals that disagree make it
`conflicting`; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from extractors.blocks import Block
from extractors.conditions import ConditionKind
from extractors.readings import Strength
from extractors.statements import Statement
from extractors.values import Condition, Evidence, Policy, Stance, Visa

REVIEW_BELOW = 0.7

_CONFIDENCE = {
    Strength.EXPLICIT: 0.95,
    Strength.IMPLIED: 0.93,
    Strength.GENERAL: 0.88,
    Strength.MILD: 0.75,
}
_DISAGREEMENT = 0.1  # off, when a weaker statement says otherwise
_CONFLICT = 0.4
_SILENT_WITH_VISA_WORDS = 0.8


def policy_of(statements: Sequence[Statement], blocks: Sequence[Block], text: str) -> Policy:
    """The policy of one page."""
    stances: list[tuple[Visa, Stance]] = []
    conditions: list[Condition] = []
    evidence: list[Evidence] = []
    confidence = 0.99
    for visa in Visa:
        said = [s for s in statements if s.visa is visa and s.stance is not Stance.UNSTATED]
        if not said:
            continue
        stance, deciding, sure = _decide(said)
        stances.append((visa, stance))
        if visa in (Visa.J1, Visa.H1B):
            confidence = min(confidence, sure)
        if stance is not Stance.NOT_SPONSORED:
            put = [c for s in statements if s.visa is visa for c in s.conditions]
        else:
            put = [c for s in deciding for c in s.conditions if c.kind is ConditionKind.PAUSED]
        conditions += _distinct(put)
        evidence += [_evidence(s, blocks, text) for s in _once(deciding)]
    if not stances:
        confidence = _SILENT_WITH_VISA_WORDS
    conflicting = any(s is Stance.CONFLICTING for _, s in stances)
    return Policy(
        tuple(stances),
        tuple(conditions),
        round(confidence, 2),
        conflicting or confidence < REVIEW_BELOW,
        tuple(evidence),
    )


def _decide(said: Sequence[Statement]) -> tuple[Stance, list[Statement], float]:
    """The stance, the statements that decide it, and how sure that is."""
    top = max(s.strength for s in said)
    deciding = [s for s in said if s.strength is top]
    if top is Strength.EXPLICIT:
        # "Only J-1" in one block and "we sponsor H-1B" in another are equals that disagree.
        blocks = {s.block for s in deciding}
        deciding += [s for s in said if s.strength is Strength.IMPLIED and s.block not in blocks]
    sure = _CONFIDENCE[top]
    kinds = {s.stance for s in deciding}
    if Stance.CONDITIONAL in kinds:
        # "Considered case by case" tells more than yes or no, and agrees with either.
        return (
            Stance.CONDITIONAL,
            [s for s in deciding if s.stance is Stance.CONDITIONAL],
            sure - (_DISAGREEMENT if Stance.NOT_SPONSORED in kinds else 0),
        )
    if len(kinds) > 1:
        return Stance.CONFLICTING, deciding, _CONFLICT
    if any(s.stance is not deciding[0].stance for s in said if s.strength is not Strength.GENERAL):
        sure -= _DISAGREEMENT
    return deciding[0].stance, deciding, sure


def _distinct(conditions: Sequence[Condition]) -> list[Condition]:
    """Each kind once; one with a date goes before the same without."""
    kept: dict[ConditionKind, Condition] = {}
    for condition in conditions:
        if condition.kind not in kept or (kept[condition.kind].by is None and condition.by):
            kept[condition.kind] = condition
    return list(kept.values())


def _once(statements: Sequence[Statement]) -> list[Statement]:
    kept: dict[tuple[int, int, Stance], Statement] = {}
    for statement in statements:
        kept.setdefault((statement.start, statement.end, statement.stance), statement)
    return list(kept.values())


def _evidence(statement: Statement, blocks: Sequence[Block], text: str) -> Evidence:
    block = blocks[statement.block]
    return Evidence(
        statement.visa,
        statement.stance,
        text[statement.start : statement.end],
        statement.start,
        statement.end,
        statement.rules,
        "\n".join((*block.under, block.text)),
    )


def merge(own: Sequence[Policy], inherited: Sequence[Policy]) -> tuple[Policy, bool]:
    """One policy of a program's own pages and its institution's.

    Per visa, what the program's own pages state wins; the institution's fill in what they
    leave out. Pages of one level that disagree make the visa `conflicting`, with the quotes
    of both. The second value is True when everything stated is inherited.
    """
    ours, theirs = _agree(own), _agree(inherited)
    stated = {visa for visa, _ in ours.stances}
    filled = [(visa, stance) for visa, stance in theirs.stances if visa not in stated]
    stances = sorted((*ours.stances, *filled), key=lambda pair: list(Visa).index(pair[0]))
    taken = {visa for visa, _ in filled}
    used = [p for p, any_used in ((ours, ours.stances), (theirs, filled)) if any_used]
    merged = Policy(
        tuple(stances),
        ours.conditions + tuple(c for c in theirs.conditions if c.visa in taken),
        min((p.confidence for p in used), default=min(ours.confidence, theirs.confidence)),
        any(p.needs_review for p in used),
        ours.evidence + tuple(e for e in theirs.evidence if e.visa in taken),
    )
    return merged, bool(filled) and not ours.stances


def _agree(policies: Sequence[Policy]) -> Policy:
    """One policy of pages of the same level."""
    stating = [p for p in policies if p.stances]
    if len(stating) <= 1:
        return stating[0] if stating else next(iter(policies), Policy())
    stances: list[tuple[Visa, Stance]] = []
    for visa in Visa:
        said = {p.stance(visa) for p in stating} - {Stance.UNSTATED}
        if not said:
            continue
        if Stance.CONFLICTING in said:
            stance = Stance.CONFLICTING
        elif said == {Stance.SPONSORED, Stance.CONDITIONAL}:
            stance = Stance.CONDITIONAL  # the page that says more
        else:
            stance = said.pop() if len(said) == 1 else Stance.CONFLICTING
        stances.append((visa, stance))
    conflicting = any(s is Stance.CONFLICTING for _, s in stances)
    conditions = dict.fromkeys(c for p in stating for c in p.conditions)
    return Policy(
        tuple(stances),
        tuple(conditions),
        _CONFLICT if conflicting else min(p.confidence for p in stating),
        conflicting or any(p.needs_review for p in stating),
        tuple(dict.fromkeys(e for p in stating for e in p.evidence)),
    )


def with_source(policy: Policy, *, url: str, fetched_at: str, snapshot: str) -> Policy:
    """`policy` with the page, time and snapshot that its evidence was read from."""
    return replace(
        policy,
        evidence=tuple(
            replace(e, url=url, fetched_at=fetched_at, snapshot=snapshot) for e in policy.evidence
        ),
    )
