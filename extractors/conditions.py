"""The closed list of conditions that a statement can put on a visa.

Most leave a stance as it is (every J-1 physician needs an ECFMG certificate); those in
`AT_DISCRETION` say that the program may refuse an eligible applicant, which makes a
sponsored visa `conditional`.
"""

from __future__ import annotations

from enum import StrEnum


class ConditionKind(StrEnum):
    """What a statement asks for, or keeps to itself, before a visa is sponsored."""

    STEP3_PASSED = "step3_passed"  # "USMLE Step 3 must be passed by February 1"
    ECFMG_CERTIFIED = "ecfmg_certified"  # "a valid ECFMG certificate is required"
    APPLICANT_PAYS = "applicant_pays"  # "fees are the applicant's"
    CASE_BY_CASE = "case_by_case"  # "considered on a case-by-case basis"
    EXCEPTIONAL_ONLY = "exceptional_only"  # "in exceptional circumstances only"
    TRANSFER_ONLY = "transfer_only"  # "transfer of an existing H-1B only"
    US_GRADUATES_ONLY = "us_graduates_only"  # "H-1B for graduates of US schools only"
    GME_APPROVAL = "gme_approval"  # "with the approval of the GME office, DIO or dean"
    PREFERRED_OTHER = "preferred_other"  # "J-1 is preferred": another visa is not refused
    PAUSED = "paused"  # "H-1B sponsorship is paused at this time"


AT_DISCRETION = frozenset(
    {
        ConditionKind.CASE_BY_CASE,
        ConditionKind.EXCEPTIONAL_ONLY,
        ConditionKind.TRANSFER_ONLY,
        ConditionKind.US_GRADUATES_ONLY,
        ConditionKind.GME_APPROVAL,
    }
)
