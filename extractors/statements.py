"""What a page states of visas: sentences read in their place.

A sentence often says half: "No." under "Do you sponsor H-1B visas?", "J-1" under "Visas
accepted", "this is decided case by case" after a sentence on the H-1B. Here each gets what
it stands under and after.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from extractors.alone import excludes_nothing
from extractors.blocks import Block, BlockKind
from extractors.clauses import read_sentence
from extractors.conditions import AT_DISCRETION, ConditionKind
from extractors.dates import due
from extractors.demands import OF_H1B, asked_for
from extractors.former import in_turn
from extractors.halves import (
    admits,
    answers_in_turn,
    answers_its_label,
    citizens_only,
    in_place,
    label_and_value,
    labelled,
    nothing_else,
    points_to_a_list,
    row_cell,
    told_of,
    under_a_refusal,
    under_a_visa,
)
from extractors.leaning import leanings
from extractors.places import (
    about_others,
    beside_the_point,
    cell_spans,
    context,
    opens_on_others,
)
from extractors.reading_text import ANY, BOTH, OTHER, SAME
from extractors.readings import STATUSES, Claim, Reading, Strength
from extractors.scope import Said, Scope
from extractors.scoped import (
    Scopes,
    carried_on,
    elliptical,
    goes_on,
    opposite,
    same_as,
    speaks_of_sponsoring,
    under_a_scope,
)
from extractors.sentences import sentence_spans
from extractors.sieve import names_a_visa, which_name_a_visa
from extractors.stated import NAMED, NOT_ALONE, UNREAD, Statement
from extractors.values import Condition, Stance, Visa

_ANSWER_BLOCKS = 3  # how far below its question an answer may stand
_MAX_READ = 2000  # sentences about visas; a page with more of them was made to stop us
_MAX_LEAD = 500  # characters of a heading that are read
# A line of a table of contents; a definition.
_TELLS_NOTHING = re.compile(
    r"\.{5}|\b(?:is|are) an? (?:[\w-]+ ){0,4}(?:status|category|classification)\b"
)


@dataclass(slots=True)
class _Question:
    """A question that waits for its answer, which is the next sentence."""

    reading: Reading
    start: int
    block: int
    said: Said
    answered: bool = False
    before: tuple[_Question, ...] = ()  # questions that wait for the same answer


def page_text(blocks: Sequence[Block]) -> str:
    """The normalised text of a page: its blocks, a line each."""
    return "\n".join(block.text for block in blocks)


def statements(blocks: Sequence[Block]) -> list[Statement]:
    """All statements of a page, in reading order."""
    return _Reader(blocks).run(blocks)


class _Reader:
    """One pass over the blocks, remembering what a later sentence can lean on."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self.found: list[Statement] = []
        self._question: _Question | None = None
        self._named: tuple[str, ...] = ()  # visas of the sentence before, in the same block
        self._above: tuple[str, ...] = ()  # visas of the nearest heading that names one
        self._named_on_page: set[str] = set()
        self._left = _MAX_READ
        self._leads: dict[str, Reading] = {}  # headings and lead-ins, each read once
        self._text = page_text(blocks)
        self._scopes = Scopes(blocks, self._text)
        self._before: Stance | None = None  # of the cues of the sentence before
        self._prior = 0  # where the statements of the sentence before begin
        self._context = ""
        self._said = Said(Scope())
        self._number = 0

    def run(self, blocks: Sequence[Block]) -> list[Statement]:
        offset = 0
        speaking = which_name_a_visa(tuple(block.text for block in blocks))
        spoken = {blocks[number].text for number in speaking}
        for number, block in enumerate(blocks):
            if self._left < 0 or len(self.found) >= _MAX_READ:
                break
            self._named = ()
            in_play = self._answers(block, number) or number in speaking
            below = bool(block.under) and block.under[-1] in spoken
            if (in_play or below) and block.kind is not BlockKind.HEADER:
                self._read_block(block, number, offset)
            elif 0 < len(self.found) < _MAX_READ:  # each such block may double what was found
                self._read_same(block, number, offset)
            offset += len(block.text) + 1
        # A page that names no visa puts no condition on one.
        named = self._named_on_page
        return [s for s in self.found if named or s.stance is not Stance.UNSTATED]

    def _answers(self, block: Block, number: int) -> bool:
        """True for a question, and for what may answer one."""
        question = self._question
        far = question and number - question.block > _ANSWER_BLOCKS
        if question and (far or block.kind is BlockKind.HEADING):
            self._question = question = None
        return (question is not None and not question.answered) or block.text.endswith("?")

    def _read_block(self, block: Block, number: int, offset: int) -> None:
        under = [self._lead(text) for text in block.under]
        self._above = tuple(
            next((r.visas for r in reversed(under) if _SPECIFIC & set(r.visas)), ())
        )
        topic = bool(under) and under[-1].visas == (ANY,)
        # "Transfers only." below the heading "H-1B".
        bare = bool(under) and set(under[-1].visas) <= _SPECIFIC and under[-1].leftover == 0
        others, beside = about_others(under), beside_the_point(under)
        is_row = block.kind is BlockKind.ROW
        spans = cell_spans(block.text) if is_row else sentence_spans(block.text)
        if is_row and spans:  # "Professors | J-1: no"
            others = others or opens_on_others(read_sentence(block.text[slice(*spans[0])]))
        row_visas: tuple[str, ...] = ()
        row_label = ""
        self._before, self._prior = None, len(self.found)
        self._scopes.enter(number, block)
        parts = self._scopes.parts(block.text, spans)
        raw = ""
        for position, (start, end, said, cut) in enumerate(parts):
            asked_of = self._question.reading.visas if self._question else ()
            before, raw = (
                raw,
                in_turn(block.text[start:end], self._named or asked_of or self._above),
            )
            asks = raw.endswith("?") or (block.kind is BlockKind.QUESTION and end == spans[-1][1])
            question = self._question
            waiting = question is not None and not question.answered
            leans = bool(self._named or row_visas or (position == 0 and (self._above or topic)))
            if not (asks or waiting or leans or names_a_visa(raw)):
                continue
            self._left -= 1
            if self._left < 0 or len(self.found) >= _MAX_READ:
                return
            reading = read_sentence(raw)
            if asks:
                same = (*question.before, question) if waiting and question else ()
                self._question = _Question(reading, offset + start, number, said, before=same[-3:])
                self._said, self._number = said, number
                self._context = context(block, start, end)
                self._leave_open(reading, (offset + start, offset + end), set())
                continue
            answered = None
            if waiting and question:
                # "Thanks for asking." is no answer yet.
                question.answered = bool(reading.mentions) or told_of(reading) is not None
                if not reading.mentions:
                    answered, self._named = question, question.reading.visas
            others = others and not reading.trainees
            if others or beside or (reading.others and not reading.trainees):
                continue
            if reading.visas == (ANY,) and position and read_sentence(before).aside:
                continue  # "Moonlighting is permitted. Visa holders are not eligible."
            claims = list(reading.claims)
            claims += elliptical(reading, self._named)
            if cut:
                claims += carried_on(reading, self._before)
            label, value = label_and_value(raw)
            if is_row and position == 0 and not value:
                row_visas = tuple(
                    v for v in reading.visas if v not in (ANY, OTHER, SAME, *STATUSES)
                )
            if is_row and position == 0 and not value and reading.visas == (ANY,):
                row_label = raw
            if row_visas and position:
                claims += row_cell(value or raw, row_visas, claims)
            elif is_row and position and row_label:
                claims += labelled(row_label, value or raw, claims)
            elif value and answers_its_label(value):
                held = [c for c in claims if c.stance is Stance.CONDITIONAL]
                claims = held + labelled(label, value, held)
            elif value and (
                any(m.visa in _SPECIFIC for m in reading.unclaimed)
                or not any(c.visa != ANY and c.strength > Strength.MILD for c in claims)
            ):
                claims += labelled(label, value, claims)
            if value:
                claims += under_a_scope(label, read_sentence(value), claims, self._named)
            if points_to_a_list(raw):
                claims = [c for c in claims if c.visa != ANY]
            begin = offset + start
            if waiting and question:
                asked = [q.reading for q in question.before]
                told = answers_in_turn(asked, question.reading, reading, claims)
                claims += told
                begin = question.start if told else begin
            claims += under_a_visa(reading, under)
            claims += in_place(
                reading, claims, under, question.reading if question else None, block
            )
            claims += under_a_refusal(reading, under)
            claims += nothing_else(reading, self._named)
            if not _TELLS_NOTHING.search(reading.text.text):
                claims += leanings(reading, claims)
            if reading.citizens and not admits(claims):
                claims += citizens_only(reading)
            leans_back = (
                reading.leans_back
                or answered is not None
                or bool(row_visas and position)
                or (bare and not reading.mentions)
            )
            if waiting and question and told_of(reading) is not Stance.NOT_SPONSORED:
                demands = [*reading.demands, *asked_for(question.reading, reading)]
                reading = replace(reading, demands=demands)
            if answered and reading.demands:
                begin = answered.start
            if (answered or waiting) and question:
                said = Said(said.scope.within(question.said.scope), said.opposite)
            self._said, self._number = said, number
            self._context = context(block, start, end)
            prior, self._prior = self._prior, len(self.found)
            self._emit(reading, claims, (begin, offset + end), leans_back)
            # A condition alone says nothing of whether the visa is offered.
            spoken_of = {s.visa for s in self.found[self._prior :] if s.stance is not _SILENT}
            self._leave_open(reading, (begin, offset + end), spoken_of)
            if goes_on(reading):
                self._go_on(self.found[prior : self._prior], offset + end)
            self._before = reading.stance or self._before
            if set(reading.visas) - {SAME}:
                self._named = reading.visas
                self._named_on_page.update(reading.visas)

    def _lead(self, text: str) -> Reading:
        if text not in self._leads:
            self._leads[text] = read_sentence(text[:_MAX_LEAD])
        return self._leads[text]

    def _emit(
        self,
        reading: Reading,
        claims: Sequence[Claim],
        span: tuple[int, int],
        leans_back: bool,
    ) -> None:
        """Statements of the claims, and of conditions on what was named before."""
        conditions: dict[Visa, list[Condition]] = {}
        hanging: list[Claim] = []
        for demand in reading.demands:
            visas = self._resolve(demand.visas, reading)
            named = self._named or self._above
            if not visas and named and leans_back:
                before = self._resolve(named, reading)
                visas = [v for v in before if v is Visa.H1B or demand.kind not in OF_H1B]
                stance = Stance.CONDITIONAL if demand.kind in AT_DISCRETION else None
                if demand.kind is ConditionKind.PAUSED:
                    stance = Stance.NOT_SPONSORED
                if stance:
                    rules = (demand.rule, "said-before")
                    hanging += [Claim(v, stance, Strength.EXPLICIT, rules) for v in visas]
            if not visas and demand.kind is ConditionKind.STEP3_PASSED:
                visas = [Visa.H1B]
            if not visas and demand.kind is ConditionKind.ECFMG_CERTIFIED:
                # Of international graduates in general: for each visa that they are offered.
                visas = self._resolve(self._above, reading) or [Visa.J1, Visa.H1B]
            if not visas and demand.kind is ConditionKind.APPLICANT_PAYS:
                visas = self._resolve(self._named, reading)
            by = due(reading.text.text) if demand.kind is ConditionKind.STEP3_PASSED else None
            for visa in visas:
                conditions.setdefault(visa, []).append(Condition(visa, demand.kind, by))
        stated: set[Visa] = set()
        told = [(claim, self._said.scope) for claim in (*claims, *hanging)]
        if self._said.opposite is not None:
            told += [(claim, self._said.opposite) for claim in opposite(claims)]
        for claim, scope in told:
            if claim.visa in STATUSES and (claim.stance, claim.strength) != _ADMITTED:
                continue
            general = claim.visa in (ANY, OTHER)
            if general and claim.stance is Stance.SPONSORED:
                continue  # visas of no kind: which, is not said
            strength = Strength.GENERAL if general else claim.strength
            fired = tuple(dict.fromkeys(claim.rules))
            for visa in self._resolve((claim.visa,), reading):
                stated.add(visa)
                put = conditions.get(visa, ())
                self._state(visa, claim.stance, strength, span, fired, put, scope, reading)
        for visa, listed in conditions.items():
            if visa not in stated:
                self._state(
                    visa, _SILENT, Strength.MILD, span, (), listed, self._said.scope, reading
                )

    def _state(
        self,
        visa: Visa,
        stance: Stance,
        strength: Strength,
        span: tuple[int, int],
        rules: tuple[str, ...],
        conditions: Sequence[Condition],
        scope: Scope,
        reading: Reading,
    ) -> None:
        self.found.append(
            Statement(
                visa,
                stance,
                strength,
                self._text[slice(*span)],
                *span,
                rules,
                self._number,
                tuple(dict.fromkeys(conditions)),
                scope,
                self._context,
                reading.leftover,
            )
        )

    def _leave_open(self, reading: Reading, span: tuple[int, int], told: set[Visa]) -> None:
        """Notes the visas that a sentence names, and of which no rule knows what it says."""
        if _TELLS_NOTHING.search(reading.text.text):
            return
        visas = {m.visa for m in reading.text.mentions} & _SPECIFIC
        if visas == {Visa.J1} and Visa.H1B not in told and excludes_nothing(reading):
            scope = self._said.scope
            self._state(Visa.H1B, _SILENT, Strength.MILD, span, (NOT_ALONE,), (), scope, reading)
        rule = UNREAD if speaks_of_sponsoring(reading) else NAMED
        for visa in self._resolve(sorted(visas), reading):
            if visa not in told:
                self._state(
                    visa, _SILENT, Strength.MILD, span, (rule,), (), self._said.scope, reading
                )

    def _go_on(self, before: Sequence[Statement], end: int) -> None:
        """ "We now sponsor the H-1B as well": what was offered to others is offered here too."""
        self.found += [
            replace(
                one,
                strength=Strength.MILD,
                quote=self._text[one.start : end],
                end=end,
                scope=self._said.scope,
                rules=(*one.rules, "also"),
            )
            for one in before
            if one.stance in (Stance.SPONSORED, Stance.CONDITIONAL)
            and one.scope != self._said.scope
        ]

    def _read_same(self, block: Block, number: int, offset: int) -> None:
        """ "Transitional year: the same as Medicine." repeats what was said of another."""
        both = same_as(block.text)
        if both is None:
            return
        target, source = both
        span = (offset, offset + len(block.text))
        self.found += [
            replace(
                statement,
                scope=replace(statement.scope, specialties=target.specialties),
                quote=block.text,
                start=span[0],
                end=span[1],
                block=number,
                context=context(block, 0, len(block.text)),
                rules=(*statement.rules, "same-as"),
            )
            for statement in list(self.found)
            if set(source.specialties) & set(statement.scope.specialties)
        ]

    def _resolve(self, visas: Sequence[str], reading: Reading) -> list[Visa]:
        """The visas meant by names, by "visas" (both) and "other visas" (not yet named)."""
        out: list[Visa] = []
        named = {*self._named_on_page, *reading.visas}
        for visa in visas:
            if visa in (ANY, BOTH):
                out += [Visa.J1, Visa.H1B]
            elif visa == SAME:
                before = self._named or self._above
                out += [Visa(v) for v in before if v in _SPECIFIC]
            elif visa == OTHER:
                if Visa.J1 in named and Visa.H1B not in named:
                    out.append(Visa.H1B)
            else:
                out.append(Visa(visa))
        return list(dict.fromkeys(out))


_SPECIFIC = frozenset({Visa.J1, Visa.H1B})
_SILENT = Stance.UNSTATED
_ADMITTED = (Stance.SPONSORED, Strength.EXPLICIT)
