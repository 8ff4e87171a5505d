"""What the words of policies mean, in a sentence each: for those who use the data elsewhere."""

from __future__ import annotations

from extractors.conditions import ConditionKind
from extractors.values import Category, Stance, Visa

DISCLAIMER = (
    "Read automatically from the programs' own pages; information, not legal advice. "
    "Programs change their policies without notice: confirm with the program."
)

CATEGORIES = {
    Category.J1_ONLY: "A J-1 can be had, and an H-1B is refused.",
    Category.J1_H1B_UNSTATED: "A J-1 can be had; nothing is said of the H-1B, which is no refusal.",
    Category.J1_AND_H1B: "Both the J-1 and the H-1B are sponsored.",
    Category.J1_H1B_CASE_BY_CASE: "A J-1 can be had, and an H-1B where the program agrees to it.",
    Category.H1B_ONLY: "An H-1B can be had; a J-1 is refused, or nothing is said of it.",
    Category.NO_SPONSORSHIP: "Neither a J-1 nor an H-1B is sponsored.",
    Category.UNSTATED: "Pages were read and say nothing of either visa, which is no refusal.",
    Category.CONFLICTING: "Pages say two things at once.",
    Category.UNCLEAR: "One visa is refused, and nothing is said of the other.",
}

STANCES = {
    Stance.SPONSORED: "The program sponsors it, or takes those who have it.",
    Stance.CONDITIONAL: "Only where the program agrees: it may refuse an eligible applicant.",
    Stance.NOT_SPONSORED: "The program refuses it.",
    Stance.UNSTATED: "Nothing is said of it, which is no refusal.",
    Stance.CONFLICTING: "Pages say two things at once.",
}

CONDITIONS = {
    ConditionKind.STEP3_PASSED: "USMLE Step 3 must be passed, perhaps by a date.",
    ConditionKind.ECFMG_CERTIFIED: "An ECFMG certificate is asked for.",
    ConditionKind.APPLICANT_PAYS: "The applicant pays the fees of the visa.",
    ConditionKind.CASE_BY_CASE: "Decided from case to case.",
    ConditionKind.EXCEPTIONAL_ONLY: "In exceptional cases only.",
    ConditionKind.TRANSFER_ONLY: "Only for those who bring the visa with them (transfer).",
    ConditionKind.US_GRADUATES_ONLY: "Only for graduates of schools in the United States.",
    ConditionKind.GME_APPROVAL: "The office of graduate medical education, or a dean, must agree.",
    ConditionKind.PREFERRED_OTHER: "Another visa is preferred; this one is not refused.",
    ConditionKind.PAUSED: "Not sponsored at this time, or paused.",
}

VISAS = {
    Visa.J1: "Exchange visitor; every J-1 physician is sponsored by ECFMG.",
    Visa.H1B: "Worker in a specialty occupation; the program, or its hospital, is the sponsor.",
    Visa.O1: "Person of extraordinary ability.",
    Visa.TN: "Professional from Canada or Mexico.",
    Visa.E3: "Worker in a specialty occupation, from Australia.",
    Visa.F1_OPT: "Student in optional practical training.",
    Visa.EAD: "Holder of an employment authorization document.",
    Visa.PERMANENT_RESIDENT: "Permanent resident: a status that pages list with the visas.",
    Visa.CITIZEN: "Citizen: a status that pages list with the visas.",
}
