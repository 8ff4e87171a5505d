"""What differs between two policies of a program, and how much it matters. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from extractors import Category, ConditionKind, Policy, Stance, Visa


class ChangeKind(StrEnum):
    """What happened to a program's policy."""

    POLICY_CHANGED = "policy_changed"  # a stance or a condition is another one
    STATEMENT_ADDED = "statement_added"  # a visa is spoken of that was not
    STATEMENT_WITHDRAWN = "statement_withdrawn"  # a visa is no longer spoken of
    PAGE_GONE = "page_gone"  # the page is gone, and no other was found
    CONFLICT = "conflict"  # the pages now contradict each other
    WORDING_CHANGED = "wording_changed"  # the same policy in other words


class Severity(StrEnum):
    """How much a change matters, the most severe first."""

    CRITICAL = "critical"  # who may apply changed: a stance, of whatever visa or status
    MAJOR = "major"  # a condition changed
    MINOR = "minor"  # wording only


@dataclass(frozen=True, slots=True)
class Difference:
    """What kind of change leads from one policy to another, and its severity."""

    kind: ChangeKind
    severity: Severity


def difference(before: Policy, after: Policy) -> Difference | None:
    """The change from `before` to `after`; None when they say the same in the same words."""
    touched = {visa for visa in Visa if before.stance(visa) != after.stance(visa)}
    if not touched and set(before.conditions) == set(after.conditions):
        if wording(before) == wording(after):
            return None
        return Difference(ChangeKind.WORDING_CHANGED, Severity.MINOR)

    severity = Severity.CRITICAL if touched else Severity.MAJOR
    if after.category == Category.CONFLICTING != before.category:
        kind = ChangeKind.CONFLICT
    elif touched and all(_silent(before, visa) for visa in touched):
        kind = ChangeKind.STATEMENT_ADDED
    elif touched and all(_silent(after, visa) for visa in touched):
        kind = ChangeKind.STATEMENT_WITHDRAWN
    else:
        kind = ChangeKind.POLICY_CHANGED
    return Difference(kind, severity)


def news(before: Policy, after: Policy) -> Difference | None:
    """The change that sources beside the pages make; None when it is not worth telling.

    Other words of other people are no news, nor is an ECFMG certificate, which all who train on a
    visa have: FREIDA names it wherever it names the J-1.
    """
    found = difference(_without_certificate(before), _without_certificate(after))
    return None if found is None or found.kind is ChangeKind.WORDING_CHANGED else found


def _without_certificate(policy: Policy) -> Policy:
    kept = (c for c in policy.conditions if c.kind is not ConditionKind.ECFMG_CERTIFIED)
    return replace(policy, conditions=tuple(kept))


def wording(policy: Policy) -> frozenset[str]:
    """The policy's quotes, without what no reader would call a change of wording.

    Case, spacing and punctuation are dropped: `J 1 visas.` and `J-1 visas` are the same.
    """
    return frozenset(re.sub(r"\W+", "", e.quote.casefold()) for e in policy.evidence)


def same_words(before: Policy, after: Policy) -> bool:
    """Whether both rest on the same statements, wherever on the site these stand."""
    return wording(before) == wording(after)


def _silent(policy: Policy, visa: Visa) -> bool:
    return policy.stance(visa) is Stance.UNSTATED
