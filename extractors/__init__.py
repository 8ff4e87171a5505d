"""Page bytes in, policy out. Pure: no network, no clock, no database.

decode -> sieve -> prune -> blocks (or pdf) -> sentences -> scopes -> clauses -> statements, of
which each program that asks gets its policy; what the phrases mean is data in `rules/`.
"""

from extractors.agree import speaks, states_something
from extractors.conditions import AT_DISCRETION, ConditionKind
from extractors.page import classify, page_text, read_page, unreadable
from extractors.policy import policy_for
from extractors.rulebook import rules_version
from extractors.scope import Asker, Scope
from extractors.second import Known
from extractors.second import version as reader_version
from extractors.stated import Statement, with_source
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
READER_VERSION = reader_version()

__all__ = [
    "AT_DISCRETION",
    "READER_VERSION",
    "RULES_VERSION",
    "Asker",
    "Category",
    "Condition",
    "ConditionKind",
    "Evidence",
    "Known",
    "Policy",
    "Scope",
    "Stance",
    "Statement",
    "Visa",
    "categorise",
    "classify",
    "page_text",
    "policy_for",
    "read_page",
    "speaks",
    "states_something",
    "unreadable",
    "with_source",
]
