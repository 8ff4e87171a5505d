"""Sentences that say half: the other half is the question, label or heading above.

"No." under "Do you sponsor H-1B visas?", "J-1" under "Visas accepted", "Visa status: J-1",
"Yes" in the column "H-1B".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from extractors.blocks import Block, BlockKind
from extractors.clauses import read_sentence
from extractors.conditions import AT_DISCRETION, ConditionKind
from extractors.dates import due
from extractors.leaning import is_against, is_for
from extractors.reading_text import ANY, OTHER, SAME
from extractors.readings import STATUSES, Claim, Reading, Strength
from extractors.rulebook import RuleKind
from extractors.sieve import names_a_visa
from extractors.values import Stance, Visa

_MAX_LABEL = 90  # characters
_SHORT = 4  # words beside the visa: more of them say something of their own


def label_and_value(raw: str) -> tuple[str, str]:
    for mark in (": ", " - ", " – ", " — "):
        label, found, value = raw.partition(mark)
        if found and len(label) < _MAX_LABEL:
            return label, value.strip()
    return "", ""


def answers_its_label(value: str) -> bool:
    """ "No" in "Accepts H-1B visas: No", which then says the opposite of its words."""
    told = read_sentence(value)
    return told.answer is not None and not told.text.mentions and told.leftover <= 1


def labelled(label: str, value: str, claims: Sequence[Claim]) -> list[Claim]:
    """ "Visa types accepted: J-1", "H-1B: No": the label asks, the value answers."""
    asked = read_sentence(label)
    if asked.others or asked.aside:
        return []
    out: list[Claim] = []
    for part in _parts(value):
        out += _labelled(asked, read_sentence(part), [*claims, *out])
    return out


def _parts(value: str) -> list[str]:
    """The items of "J-1; H-1B (case by case)", where each names a visa."""
    for mark in (r";\s*|\s/\s", r",\s*(?![^()]*\))"):
        parts = [part for part in re.split(mark, value) if part]
        if len(parts) > 1 and all(names_a_visa(part) for part in parts):
            return parts
    return [value]


def _labelled(asked: Reading, told: Reading, claims: Sequence[Claim]) -> list[Claim]:
    if not asked.mentions:  # "Accepted: J-1"
        if asked.stance is None or asked.leftover > 1 or told.leftover > _SHORT:
            return []
        return [
            Claim(m.visa, asked.stance, Strength.EXPLICIT, (m.rule, "label"))
            for m in told.mentions
            if m.visa not in (ANY, OTHER, SAME, *STATUSES)
        ]
    answer = told_of(told)
    if told.aside:
        return []
    if answer and told.leftover <= _SHORT:
        visas = [v for v in asked.visas if v not in STATUSES]
        specific = [v for v in visas if v != ANY]
        return [
            Claim(
                v,
                answer,
                Strength.EXPLICIT if specific else Strength.GENERAL,
                ("label", answer),
            )
            for v in (specific or visas)
            if not any(c.visa == v for c in (*told.claims, *claims))
        ]
    refused = any(c.stance is Stance.NOT_SPONSORED for c in asked.claims)
    stance = Stance.NOT_SPONSORED if refused else Stance.SPONSORED
    done = {c.visa for c in (*claims, *told.claims) if c.strength > Strength.MILD}
    if told.leftover > _SHORT:
        return []
    return [
        Claim(m.visa, stance, Strength.EXPLICIT, (m.rule, "label"))
        for m in told.mentions
        if m.visa not in done and m.visa not in (ANY, OTHER, SAME, *STATUSES)
    ]


def told_of(told: Reading) -> Stance | None:
    """What an answer, a cell or a line under a heading says of the visa that it does not name."""
    if told.mentions:
        return told.answer
    if told.aside:
        return None
    if told.answer is _NO and _lacks_a_hurdle(told):
        return None  # "No Step 3 needed", "no extra approval"
    if any(d.kind in AT_DISCRETION for d in told.demands) and told.stance is not _NO:
        return Stance.CONDITIONAL
    if any(d.kind is ConditionKind.PAUSED for d in told.demands):
        return _NO
    return told.answer or firm_stance(told) or (_NO if is_against(told) else None)


def _lacks_a_hurdle(told: Reading) -> bool:
    """Whether the "no" is of what is asked for, and not of the visa."""
    if any(d.kind is ConditionKind.STEP3_PASSED for d in told.demands):
        return True
    return _NO_APPROVAL.match(told.text.text) is not None


_NO_APPROVAL = re.compile(
    r"\W*no (?:[a-z]+ ){0,2}(?:approvals?|permission|consent|sign-?offs?|authori[sz]ation"
    r"|later|earlier|sooner|[a-z]+ (?:is |are )?(?:needed|required|necessary|asked))\b",
    re.I,
)


def firm_stance(reading: Reading) -> Stance | None:
    """Yes or no, by the cues that say so in so many words."""
    kinds = {h.rule.kind for h in reading.live}
    if RuleKind.REFUSE in kinds:
        return Stance.NOT_SPONSORED
    return Stance.SPONSORED if RuleKind.OFFER in kinds else None


_NO = Stance.NOT_SPONSORED


def row_cell(value: str, visas: Sequence[str], claims: Sequence[Claim]) -> list[Claim]:
    """ "J-1 | Sponsored: Yes": the row names the visa, the cell answers."""
    told = read_sentence(value)
    answer = told_of(told)
    if answer is None or told.mentions or claims:
        return []
    return [Claim(v, answer, Strength.EXPLICIT, ("row", f"answer-{answer}")) for v in visas]


def points_to_a_list(raw: str) -> bool:
    """ "The following visas are not accepted:": its items say which."""
    return raw.endswith(":")


def answers(asked: Reading, told: Reading, claims: Sequence[Claim]) -> list[Claim]:
    """What yes or no to a question says of the visas it asks for."""
    answer = told_of(told)
    if answer is None and _ASKS_WHEN.search(asked.text.text) and due(told.text.text):
        return [  # "When must Step 3 be passed for an H-1B?" "By March 1."
            Claim(v, Stance.SPONSORED, Strength.EXPLICIT, ("asked-when",))
            for v in asked.visas
            if any(v in demand.visas for demand in asked.demands) and not told.mentions
        ]
    if answer is None or asked.others:
        return []
    if _OBSTACLE.search(asked.text.text) and answer is _NO:
        return [  # "Is a J-1 a problem?" "Not in the least."
            Claim(v, Stance.SPONSORED, Strength.EXPLICIT, ("answer-no-problem",))
            for v in asked.visas
            if v in (Visa.J1, Visa.H1B)
        ]
    said = {c.visa for c in claims}
    if said & {Visa.J1, Visa.H1B} and not (answer is _NO and _PLAIN_NO.match(told.text.text)):
        return []  # "We do not sponsor the H-1B visa" says nothing of the others
    if answer is Stance.NOT_SPONSORED and _ONLY.search(asked.text.text.lower()):
        return [  # "Is the J-1 the only visa?" "No."
            Claim(v, Stance.SPONSORED, Strength.EXPLICIT, ("not-the-only",))
            for v in asked.visas
            if v in (Visa.J1, Visa.H1B) and v not in said
        ]
    offered = {c.visa: c for c in asked.claims if c.strength > Strength.MILD}
    if not offered and (asked.leftover == 0 or _asks_yes_or_no(asked)):
        offered = {
            m.visa: Claim(m.visa, Stance.SPONSORED, Strength.EXPLICIT, (m.rule,))
            for m in asked.mentions
        }
    out = []
    for visa, claim in offered.items():
        if visa in said or visa in STATUSES:
            continue
        strength = Strength.GENERAL if visa == ANY else Strength.EXPLICIT
        out.append(Claim(visa, answer, strength, (*claim.rules, f"answer-{answer}")))
    return out


def answers_in_turn(
    before: Sequence[Reading], asked: Reading, told: Reading, claims: Sequence[Claim]
) -> list[Claim]:
    """What an answer says of the last question, or "both", or "the first" and "the second"."""
    words = told.text.text.lower()
    if before and _BOTH.search(words):
        return [c for q in (*before, asked) for c in answers(q, told, claims)]
    parts = _ORDINAL.findall(words)
    if before and parts:
        questions = [*before, asked]
        out: list[Claim] = []
        for yes_or_no, ordinal in parts:
            number = ("first", "second", "third").index(ordinal)
            if number < len(questions):
                out += answers(questions[number], read_sentence(yes_or_no), claims)
        return out
    return answers(asked, told, claims)


_ONLY = re.compile(r"\b(?:only|sole|just|exclusively)\b")


def _asks_yes_or_no(asked: Reading) -> bool:
    """ "Can I train with you on a J-1?", "Is H-1B an option?", but not "Which visas ...?"."""
    words = asked.text.text.lower()
    offers = is_for(asked) or "apply" in words
    return bool(_ASKS.search(words)) and offers and not is_against(asked)


_ASKS_WHEN = re.compile(
    r"\b(?:when|by (?:what|which)|how (?:soon|early|late)|until when|deadline)\b[^?]{0,60}"
    r"\b(?:must|needs?|needed|due|required|have to|has to|should|for)\b(?!.*\b(?:usual|typical)ly)",
    re.I,
)
_ASKS = re.compile(
    r"^\W*(?:q\W+)?(?:[^?]{0,60}[,.;] ?)?(?:and |so |but )?(?:can|could|may|do|does|will|would|is"
    r"|are|am|should|has|have|what about|how about|any|what if)\b"
)
_OBSTACLE = re.compile(
    r"\b(?:an? (?:problem|obstacle|issue|barrier|deal-?breaker)|rule me out|exclude me)\b", re.I
)
_PLAIN_NO = re.compile(r"\W*(?:A\W+)?(?:no|none)\b(?! longer)", re.I)
_BOTH = re.compile(r"\b(?:both|each|all (?:of them|three)|neither|either)\b")
_ORDINAL = re.compile(r"\b(yes|no)\b[^.;,]{0,30}?\b(first|second|third)\b")


_LEADS_AWAY = re.compile(r"\W*(?:all |more )?(?:about|on|see|read|facts)\b", re.I)


def in_place(
    reading: Reading,
    claims: Sequence[Claim],
    under: Sequence[Reading],
    question: Reading | None,
    block: Block,
) -> list[Claim]:
    """Visas named with no verb of their own, offered or refused by what they stand under."""
    said = {c.visa for c in claims}
    left = [m for m in reading.unclaimed if m.visa not in (ANY, OTHER) and m.visa not in said]
    if not left or _LEADS_AWAY.match(reading.text.text):
        return []
    pointing = under[-1] if under else None
    if pointing and pointing.stance and not pointing.mentions and reading.leftover <= _SHORT:
        # "We do not sponsor:", and a list of visas.
        return [
            Claim(m.visa, pointing.stance, Strength.EXPLICIT, (m.rule, "under"))
            for m in left
            if m.visa not in STATUSES and _opens(pointing)
        ]
    sources = [*([question] if question else []), *reversed(under)]
    for source in sources:
        general = [c for c in source.claims if c.visa == ANY and c.strength > Strength.MILD]
        if general and reading.leftover <= _SHORT:
            stance = general[-1].stance
            return [
                Claim(m.visa, stance, Strength.EXPLICIT, (m.rule, *general[-1].rules, "under"))
                for m in left
                if m.visa not in STATUSES
            ]
    topic = any(s.mentions or s.trainees for s in sources) or block.kind is BlockKind.ITEM
    if reading.leftover == 0 and topic:
        return [
            Claim(m.visa, Stance.SPONSORED, Strength.MILD, (m.rule, "bare"))
            for m in left
            if m.visa in (Visa.J1, Visa.H1B)
        ]
    return []


def _opens(lead: Reading) -> bool:
    """ "Not accepted:", or "Not accepted" on a line of its own."""
    return lead.text.text.endswith(":") or lead.leftover == 0


def under_a_refusal(reading: Reading, under: Sequence[Reading]) -> list[Claim]:
    """ "Please do not apply if you:", and an item "need an H-1B"."""
    lead = under[-1] if under else None
    if lead is None or lead.mentions or not _turns_away(lead):
        return []
    return [
        Claim(
            m.visa,
            Stance.NOT_SPONSORED,
            Strength.GENERAL if m.visa == ANY else Strength.EXPLICIT,
            (m.rule, "under"),
        )
        for m in reading.mentions
        if m.visa in (ANY, Visa.J1, Visa.H1B)
        and not any(c.strength > Strength.MILD for c in reading.claims)
    ]


def _turns_away(lead: Reading) -> bool:
    """ "Please do not apply if you:", "Reasons for which files are rejected"."""
    words = lead.text.text
    return (words.endswith(":") and is_against(lead)) or _REASONS.search(words) is not None


_REASONS = re.compile(
    r"\b(?:reasons?|grounds|causes?|what leads to)\b[^.;]{0,40}\b(?:reject|refus|declin|disqualif"
    r"|ineligib|turn(?:ed)? (?:down|away)|(?:screen|filter)ed out|not (?:rank|interview|invit)ed"
    r"|(?:an?|our|automatic) \W?no\b)",
    re.I,
)


def nothing_else(reading: Reading, named: Sequence[str]) -> list[Claim]:
    """ "There are no other options.", after a sentence that names the J-1, or citizens, alone."""
    hit = next((h for h in reading.live if h.rule.kind is RuleKind.ALONE), None)
    if hit is None or reading.mentions or not named or Visa.H1B in named or ANY in named:
        return []
    if not _ELSE.search(reading.text.text[hit.start : hit.end]):
        return []
    shut = [Visa.H1B] if Visa.J1 in named else [Visa.J1, Visa.H1B]
    return [Claim(v, Stance.NOT_SPONSORED, Strength.IMPLIED, (hit.rule.id,)) for v in shut]


_ELSE = re.compile(r"\b(?:else|more|others?|further|additional)\b", re.I)


def under_a_visa(reading: Reading, under: Sequence[Reading]) -> list[Claim]:
    """ "Sponsored through ECFMG." under the heading "J-1": the heading is the subject."""
    stance = told_of(reading)
    if reading.text.mentions or stance is None or not under:
        return []
    heading = under[-1]
    if heading.visas in ((ANY,), (OTHER,)) and not heading.others:
        # "Not available" under "Visa sponsorship", or under "Other visas"
        if heading.stance is None and heading.leftover <= 1 and reading.leftover <= _SHORT:
            general = heading.mentions[0]
            return [Claim(general.visa, stance, Strength.GENERAL, (general.rule, "under"))]
        return []
    visas = [v for v in heading.visas if v not in (ANY, OTHER, SAME, *STATUSES)]
    if heading.leftover or len(visas) != 1:
        return []
    strength = Strength.EXPLICIT if reading.answer else Strength.MILD
    return [Claim(visas[0], stance, strength, (heading.mentions[0].rule, "under"))]


def admits(claims: Sequence[Claim]) -> bool:
    return any(c.visa not in STATUSES and c.stance is not Stance.NOT_SPONSORED for c in claims)


def citizens_only(reading: Reading) -> list[Claim]:
    refused = [
        Claim(v, Stance.NOT_SPONSORED, Strength.GENERAL, reading.citizens)
        for v in (Visa.J1, Visa.H1B)
    ]
    admitted = [
        Claim(v, Stance.SPONSORED, Strength.EXPLICIT, reading.citizens)
        for v in STATUSES
        if v in reading.visas
    ]
    return refused + admitted
