"""The values that extraction passes on: visas, stances, evidence and the policy they make.

A `Policy` is what one page (or several, see `policy_for`) says about visas. It survives a trip
through JSON unchanged: `Policy.from_json(policy.to_json()) == policy`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from extractors.conditions import ConditionKind


class Visa(StrEnum):
    """A visa, or a status that pages list with visas (the last two)."""

    J1 = "J-1"
    H1B = "H-1B"
    O1 = "O-1"
    TN = "TN"
    E3 = "E-3"
    F1_OPT = "F-1 OPT"
    EAD = "EAD"
    PERMANENT_RESIDENT = "permanent_resident"
    CITIZEN = "citizen"


class Stance(StrEnum):
    """What is said of one visa."""

    SPONSORED = "sponsored"
    CONDITIONAL = "conditional"  # the program may refuse an eligible applicant
    NOT_SPONSORED = "not_sponsored"
    UNSTATED = "unstated"  # silence is not a refusal
    CONFLICTING = "conflicting"  # equals disagree


class Category(StrEnum):
    """What an applicant asks first; derived from the J-1 and H-1B stances alone."""

    J1_ONLY = "j1_only"
    J1_H1B_UNSTATED = "j1_h1b_unstated"
    J1_AND_H1B = "j1_and_h1b"
    J1_H1B_CASE_BY_CASE = "j1_h1b_case_by_case"
    H1B_ONLY = "h1b_only"
    NO_SPONSORSHIP = "no_sponsorship"
    UNSTATED = "unstated"
    CONFLICTING = "conflicting"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on one visa; `by` is an ISO date, or the page's words for a relative one."""

    visa: Visa
    kind: ConditionKind
    by: str | None = None


# By value: Visa("J-1") takes three times as long, and lists read thousands of them.
_VISAS = {str(visa): visa for visa in Visa}
_STANCES = {str(stance): stance for stance in Stance}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words that prove one stance.

    `quote` is `text[start:end]` of the page's normalised text, exactly; `context` is the
    whole block it stands in (with its question, heading or table header), for diffs.
    `url`, `fetched_at` (ISO 8601, UTC) and `snapshot` (SHA-256) are not known to a pure
    reading and are filled in by whoever fetched the page.
    """

    visa: Visa
    stance: Stance
    quote: str
    start: int
    end: int
    rules: tuple[str, ...]
    context: str = ""
    url: str | None = None
    fetched_at: str | None = None
    snapshot: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Stances, conditions and evidence of a program (or page).

    `stances` holds what is stated, in the order of `Visa`; a visa that is not there is
    `unstated`. `confidence` runs from 0 to 1; `needs_review` says that it is too low, or
    that the page disagrees with itself, for anyone to rely on without a look.
    """

    stances: tuple[tuple[Visa, Stance], ...] = ()
    conditions: tuple[Condition, ...] = ()
    confidence: float = 1.0
    needs_review: bool = False
    evidence: tuple[Evidence, ...] = ()

    def stance(self, visa: Visa) -> Stance:
        """What is said of `visa`; `UNSTATED` when nothing is."""
        return dict(self.stances).get(visa, Stance.UNSTATED)

    @property
    def category(self) -> Category:
        """The category of the J-1 and H-1B stances, by the table in docs/policy.md.

        >>> Policy(((Visa.J1, Stance.SPONSORED), (Visa.H1B, Stance.NOT_SPONSORED))).category
        <Category.J1_ONLY: 'j1_only'>
        """
        return categorise(self.stance(Visa.J1), self.stance(Visa.H1B))

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`, in the order that the command line prints them."""
        return {
            "category": str(self.category),
            "stances": {str(visa): str(stance) for visa, stance in self.stances},
            "conditions": [_condition_json(c) for c in self.conditions],
            "confidence": self.confidence,
            "needs_review": self.needs_review,
            "evidence": [_evidence_json(e) for e in self.evidence],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Policy:
        """The policy that `to_json` wrote. Raises KeyError or ValueError for anything else."""
        return cls(
            stances=tuple((_VISAS[v], _STANCES[s]) for v, s in data["stances"].items()),
            conditions=tuple(
                Condition(_VISAS[c["visa"]], ConditionKind(c["kind"]), c.get("by"))
                for c in data["conditions"]
            ),
            confidence=float(data["confidence"]),
            needs_review=bool(data["needs_review"]),
            evidence=tuple(
                Evidence(
                    _VISAS[e["visa"]],
                    _STANCES[e["stance"]],
                    e["quote"],
                    e["start"],
                    e["end"],
                    tuple(e["rules"]),
                    e.get("context", ""),
                    e.get("url"),
                    e.get("fetched_at"),
                    e.get("snapshot"),
                )
                for e in data["evidence"]
            ),
        )


@cache
def categorise(j1: Stance, h1b: Stance) -> Category:
    """The category of a J-1 and an H-1B stance (the table in docs/policy.md)."""
    offered = (Stance.SPONSORED, Stance.CONDITIONAL)
    if Stance.CONFLICTING in (j1, h1b):
        return Category.CONFLICTING
    if j1 in offered:
        return {
            Stance.NOT_SPONSORED: Category.J1_ONLY,
            Stance.UNSTATED: Category.J1_H1B_UNSTATED,
            Stance.SPONSORED: Category.J1_AND_H1B,
            Stance.CONDITIONAL: Category.J1_H1B_CASE_BY_CASE,
        }[h1b]
    if h1b in offered:
        return Category.H1B_ONLY
    if j1 == h1b == Stance.NOT_SPONSORED:
        return Category.NO_SPONSORSHIP
    if j1 == h1b == Stance.UNSTATED:
        return Category.UNSTATED
    return Category.UNCLEAR


def _condition_json(condition: Condition) -> dict[str, Any]:
    data: dict[str, Any] = {"visa": str(condition.visa), "kind": str(condition.kind)}
    if condition.by is not None:
        data["by"] = condition.by
    return data


def _evidence_json(evidence: Evidence) -> dict[str, Any]:
    data: dict[str, Any] = {
        "visa": str(evidence.visa),
        "stance": str(evidence.stance),
        "quote": evidence.quote,
        "start": evidence.start,
        "end": evidence.end,
        "rules": list(evidence.rules),
    }
    for name in ("context", "url", "fetched_at", "snapshot"):
        value = getattr(evidence, name)
        if value:
            data[name] = value
    return data
