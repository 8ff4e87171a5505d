"""Page bytes in, policy out. Pure: no network, no clock, no database.

decode -> sieve -> prune -> blocks (or pdf) -> sentences -> clauses -> statements -> policy;
what the phrases mean is data in `rules/`.
"""

from extractors.conditions import AT_DISCRETION, ConditionKind
from extractors.page import classify, page_text
from extractors.policy import merge, with_source
from extractors.rulebook import rules_version
from extractors.values import (
    Category,
    Condition,
    Evidence,
    Policy,
    Stance,
    Visa,
    categorise,
)

RULES_VERSION = rules_version()

__all__ = [
    "AT_DISCRETION",
    "RULES_VERSION",
    "Category",
    "Condition",
    "ConditionKind",
    "Evidence",
    "Policy",
    "Stance",
    "Visa",
    "categorise",
    "classify",
    "merge",
    "page_text",
    "with_source",
]
