"""What a page states of visas: sentences read in their place.

A sentence often says half: "No." under "Do you sponsor H-1B visas?", "J-1" under "Visas
accepted", "this is decided case by case" after a sentence on the H-1B. Here each gets what
it stands under and after.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from extractors.blocks import CELL_BREAK, Block, BlockKind
from extractors.clauses import Claim, Reading, Strength, read_sentence
from extractors.conditions import AT_DISCRETION, ConditionKind
from extractors.dates import due
from extractors.reading_text import ANY, OTHER
from extractors.sentences import sentence_spans
from extractors.sieve import may_speak_of_visas
from extractors.values import Condition, Stance, Visa

_ANSWER_BLOCKS = 3  # how far below its question an answer may stand
_STATUSES = (Visa.CITIZEN, Visa.PERMANENT_RESIDENT)


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence's word on one visa; `start` and `end` are offsets in the page's text."""

    visa: Visa
    stance: Stance
    strength: Strength
    start: int
    end: int
    rules: tuple[str, ...]
    block: int  # its number on the page
    conditions: tuple[Condition, ...] = ()


@dataclass(slots=True)
class _Question:
    reading: Reading
    start: int
    end: int
    block: int
    answered: bool = False


@dataclass(slots=True)
class _Place:
    """Where the walk stands: the question above, what was named before."""

    question: _Question | None = None
    named: tuple[str, ...] = ()  # visas of the sentence before, in the same block
    named_on_page: set[str] = field(default_factory=set)


def page_text(blocks: Sequence[Block]) -> str:
    """The normalised text of a page: its blocks, a line each."""
    return "\n".join(block.text for block in blocks)


def statements(blocks: Sequence[Block]) -> list[Statement]:
    """All statements of a page, in reading order."""
    found: list[Statement] = []
    place = _Place()
    leads = _Leads()
    offset = 0
    for number, block in enumerate(blocks):
        place.named = place.named if block.kind is BlockKind.ITEM else ()
        _read_block(block, number, offset, place, leads, found)
        offset += len(block.text) + 1
    return found


class _Leads:
    """Headings and lead-ins, each read once."""

    def __init__(self) -> None:
        self._readings: dict[str, Reading] = {}

    def read(self, text: str) -> Reading:
        if text not in self._readings:
            self._readings[text] = read_sentence(text[:500])
        return self._readings[text]


def _read_block(
    block: Block,
    number: int,
    offset: int,
    place: _Place,
    leads: _Leads,
    found: list[Statement],
) -> None:
    under = [leads.read(text) for text in block.under if may_matter(text)]
    about_others = _about_others(under)
    question = place.question
    if question and (block.kind is BlockKind.HEADING or number - question.block > _ANSWER_BLOCKS):
        place.question = question = None
    spans = _row_spans(block.text) if block.kind is BlockKind.ROW else sentence_spans(block.text)
    row_visas: tuple[str, ...] = ()
    for position, (start, end) in enumerate(spans):
        raw = block.text[start:end]
        is_question = raw.endswith("?") or (
            block.kind is BlockKind.QUESTION and position == len(spans) - 1
        )
        waiting = question is not None and not question.answered
        in_play = waiting or is_question or row_visas or may_matter(raw)
        if not in_play and not (place.named and may_qualify(raw)):
            continue
        reading = read_sentence(raw)
        if is_question:
            question = place.question = _Question(reading, offset + start, offset + end, number)
            continue
        if reading.trainees:
            about_others = False
        if (reading.others and not reading.trainees) or (about_others and not reading.trainees):
            if question:
                question.answered = True
            continue
        claims = list(reading.claims)
        begin = offset + start
        label, value = _label_and_value(raw)
        if block.kind is BlockKind.ROW and position == 0 and not value:
            row_visas = tuple(v for v in reading.visas if v in (Visa.J1, Visa.H1B))
        if row_visas and position:
            claims += _row_cell(value or raw, row_visas, claims)
        elif value and not any(c.strength > Strength.MILD for c in claims):
            claims += _labelled(label, value, claims)
        if _points_to_a_list(raw):
            claims = [c for c in claims if c.visa != ANY]
        if question and not question.answered:
            answers = _answers(question.reading, reading, claims)
            if answers:
                begin = question.start
                claims += answers
            question.answered = True
        claims += _in_place(reading, claims, under, question, block)
        if reading.citizens and not _admits(claims):
            claims += _citizens_only(reading)
        _emit(reading, claims, place, begin, offset + end, number, found)
        if reading.visas:
            place.named = reading.visas
            place.named_on_page.update(reading.visas)


def may_matter(text: str) -> bool:
    """True for a sentence that the sieve lets through, or that names Step 3."""
    return may_speak_of_visas(text.replace("<", " "))


def may_qualify(text: str) -> bool:
    """True for a sentence that may put a condition on what was said before it."""
    reading = read_sentence(text)
    return bool(reading.demands) or reading.answer is not None


def _row_spans(text: str) -> list[tuple[int, int]]:
    spans, start = [], 0
    for part in text.split(CELL_BREAK):
        if part:
            spans.append((start, start + len(part)))
        start += len(part) + len(CELL_BREAK)
    return spans


def _about_others(under: Sequence[Reading]) -> bool:
    """The nearest heading that says whom it is about decides."""
    for reading in reversed(under):
        if reading.trainees:
            return False
        if reading.others:
            return True
    return False


def _label_and_value(raw: str) -> tuple[str, str]:
    label, colon, value = raw.partition(": ")
    if colon and len(label) < 90:
        return label, value.strip()
    return "", ""


def _labelled(label: str, value: str, claims: Sequence[Claim]) -> list[Claim]:
    """ "Visa types accepted: J-1", "H-1B: No": the label asks, the value answers."""
    asked, told = read_sentence(label), read_sentence(value)
    if not asked.mentions or asked.others:
        return []
    if told.answer and told.leftover <= 4:
        visas = [v for v in asked.visas if v not in _STATUSES]
        specific = [v for v in visas if v != ANY]
        return [
            Claim(
                v,
                told.answer,
                Strength.EXPLICIT if specific else Strength.GENERAL,
                ("label", told.answer),
            )
            for v in (specific or visas)
            if not any(c.visa == v for c in told.claims)
        ]
    refused = any(c.stance is Stance.NOT_SPONSORED for c in asked.claims)
    stance = Stance.NOT_SPONSORED if refused else Stance.SPONSORED
    done = {c.visa for c in claims if c.strength > Strength.MILD}
    if told.leftover > 4:
        return []
    return [
        Claim(m.visa, stance, Strength.EXPLICIT, (m.rule, "label"))
        for m in told.mentions
        if m.visa not in done and m.visa not in (ANY, OTHER, *_STATUSES)
    ]


def _row_cell(value: str, visas: Sequence[Visa], claims: Sequence[Claim]) -> list[Claim]:
    """ "J-1 | Sponsored: Yes": the row names the visa, the cell answers."""
    told = read_sentence(value)
    if told.answer is None or told.mentions or claims:
        return []
    return [
        Claim(v, told.answer, Strength.EXPLICIT, ("row", f"answer-{told.answer}")) for v in visas
    ]


def _points_to_a_list(raw: str) -> bool:
    """ "The following visas are not accepted:": its items say which."""
    return raw.endswith(":")


def _answers(asked: Reading, told: Reading, claims: Sequence[Claim]) -> list[Claim]:
    """What yes or no to a question says of the visas it asks for."""
    if told.answer is None or asked.others:
        return []
    said = {c.visa for c in claims}
    if told.answer is Stance.SPONSORED and said & {Visa.J1, Visa.H1B}:
        return []
    offered = {c.visa: c for c in asked.claims if c.strength > Strength.MILD}
    out = []
    for visa, claim in offered.items():
        if visa in said or visa in _STATUSES:
            continue
        strength = Strength.GENERAL if visa == ANY else Strength.EXPLICIT
        out.append(Claim(visa, told.answer, strength, (*claim.rules, f"answer-{told.answer}")))
    return out


def _in_place(
    reading: Reading,
    claims: Sequence[Claim],
    under: Sequence[Reading],
    question: _Question | None,
    block: Block,
) -> list[Claim]:
    """Visas named with no verb of their own, offered or refused by what they stand under."""
    said = {c.visa for c in claims}
    left = [m for m in reading.unclaimed if m.visa not in (ANY, OTHER) and m.visa not in said]
    if not left:
        return []
    sources = [*([question.reading] if question else []), *reversed(under)]
    for source in sources:
        general = [c for c in source.claims if c.visa == ANY and c.strength > Strength.MILD]
        if general and reading.leftover <= 4:
            stance = general[-1].stance
            return [
                Claim(m.visa, stance, Strength.EXPLICIT, (m.rule, *general[-1].rules, "under"))
                for m in left
                if m.visa not in _STATUSES
            ]
    topic = any(s.mentions or s.trainees for s in sources) or block.kind is BlockKind.ITEM
    if reading.leftover == 0 and topic:
        return [
            Claim(m.visa, Stance.SPONSORED, Strength.MILD, (m.rule, "bare"))
            for m in left
            if m.visa in (Visa.J1, Visa.H1B)
        ]
    return []


def _admits(claims: Sequence[Claim]) -> bool:
    return any(c.visa not in _STATUSES and c.stance is not Stance.NOT_SPONSORED for c in claims)


def _citizens_only(reading: Reading) -> list[Claim]:
    refused = [
        Claim(v, Stance.NOT_SPONSORED, Strength.GENERAL, reading.citizens)
        for v in (Visa.J1, Visa.H1B)
    ]
    admitted = [
        Claim(v, Stance.SPONSORED, Strength.EXPLICIT, reading.citizens)
        for v in _STATUSES
        if v in reading.visas
    ]
    return refused + admitted


def _emit(
    reading: Reading,
    claims: Sequence[Claim],
    place: _Place,
    start: int,
    end: int,
    number: int,
    found: list[Statement],
) -> None:
    """Statements of the claims, and of conditions on what was named before."""
    raw = reading.text.text
    conditions: dict[Visa, list[Condition]] = {}
    hanging: list[tuple[ConditionKind, str]] = []
    for demand in reading.demands:
        visas = _resolve(demand.visas, place, reading)
        if not visas and place.named:
            visas = [v for v in _resolve(place.named, place, reading) if _takes(demand.kind, v)]
            if demand.kind in AT_DISCRETION:
                hanging += [(demand.kind, demand.rule)] if visas else []
        if not visas and demand.kind is ConditionKind.STEP3_PASSED:
            visas = [Visa.H1B]
        by = due(raw) if demand.kind is ConditionKind.STEP3_PASSED else None
        for visa in visas:
            conditions.setdefault(visa, []).append(Condition(visa, demand.kind, by))
            if (demand.kind, demand.rule) in hanging:
                claims = [*claims, _hanging(visa, demand.rule)]
    stated: set[Visa] = set()
    for claim in claims:
        if claim.visa in _STATUSES and claim.strength is not Strength.EXPLICIT:
            continue
        if claim.visa in _STATUSES and claim.stance is not Stance.SPONSORED:
            continue
        strength = claim.strength
        if claim.visa in (ANY, OTHER):
            if claim.stance is Stance.SPONSORED:
                continue  # visas of no kind: which, is not said
            strength = Strength.GENERAL
        for visa in _resolve((claim.visa,), place, reading):
            stated.add(visa)
            found.append(
                Statement(
                    visa,
                    claim.stance,
                    strength,
                    start,
                    end,
                    tuple(dict.fromkeys(claim.rules)),
                    number,
                    tuple(dict.fromkeys(conditions.get(visa, ()))),
                )
            )
    for visa, listed in conditions.items():
        if visa not in stated:
            found.append(
                Statement(
                    visa, Stance.UNSTATED, Strength.MILD, start, end, (), number,
                    tuple(dict.fromkeys(listed)),
                )
            )  # fmt: skip


def _hanging(visa: Visa, rule: str) -> Claim:
    return Claim(visa, Stance.CONDITIONAL, Strength.EXPLICIT, (rule, "said-before"))


def _takes(kind: ConditionKind, visa: Visa) -> bool:
    only_h1b = (
        ConditionKind.STEP3_PASSED,
        ConditionKind.TRANSFER_ONLY,
        ConditionKind.US_GRADUATES_ONLY,
    )
    return visa is Visa.H1B if kind in only_h1b else visa in (Visa.J1, Visa.H1B)


def _resolve(visas: Sequence[str], place: _Place, reading: Reading) -> list[Visa]:
    """The visas meant by names, "visas" (both) and "other visas" (those not yet named)."""
    out: list[Visa] = []
    named = {*place.named_on_page, *reading.visas}
    for visa in visas:
        if visa == ANY:
            out += [Visa.J1, Visa.H1B]
        elif visa == OTHER:
            if Visa.J1 in named and Visa.H1B not in named:
                out.append(Visa.H1B)
        else:
            out.append(Visa(visa))
    return list(dict.fromkeys(out))
