"""Statements to the policy of the program that asks (docs/policy.md has the order).

Of a page's statements those count that speak of the asker and of now; the most specific of
them decide, and of these the strongest. Equals that disagree make a visa `conflicting`;
nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from extractors.agree import Accord, Ground, Opinion, accord, opinion
from extractors.blocks import CELL_BREAK
from extractors.conditions import AT_DISCRETION, ConditionKind
from extractors.confidence import REVIEW_BELOW, Basis, confidence
from extractors.demands import NOT_USUALLY
from extractors.readings import LEANT, Strength
from extractors.scope import Asker, applies, closeness
from extractors.second import VISAS
from extractors.stated import NAMED, NOT_ALONE, UNREAD, Statement
from extractors.values import Condition, Policy, Stance, Visa


@dataclass(frozen=True, slots=True)
class _Word:
    """What one page, or all of a level, says to the asker on one visa."""

    stance: Stance
    deciding: tuple[Statement, ...]
    overruled: bool  # a statement that counts less says otherwise
    close: tuple[int, int]
    conditions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    """What both readers say on one visa, and what that rests on; no basis where one reads alone."""

    word: _Word | None
    basis: Basis | None


def policy_for(
    own: Sequence[Sequence[Statement]],
    inherited: Sequence[Sequence[Statement]] = (),
    asker: Asker | None = None,
) -> tuple[Policy, bool]:
    """The policy of the program that asks, of its own pages and its institution's.

    Each page is its statements (`read_page`). Per visa, what the program's own pages state
    wins; the institution's fill in what they leave out. Pages of one level that disagree make
    the visa `conflicting`, with the quotes of both. The second value is True when everything
    stated is inherited.
    """
    asker = asker or Asker()
    ours, theirs = _answers(own, asker), _answers(inherited, asker)
    answers = {visa: _first(ours[visa], theirs[visa]) for visa in Visa}
    stated = [(visa, a.word) for visa, a in answers.items() if a.word is not None]
    sure = confidence(bases(answers))
    policy = Policy(
        tuple((visa, word.stance) for visa, word in stated),
        tuple(c for _, word in stated for c in word.conditions),
        sure,
        sure < REVIEW_BELOW,
        tuple(s.evidence() for _, word in stated for s in _once(word.deciding)),
    )
    return policy, bool(stated) and all(answers[visa] is theirs[visa] for visa, _ in stated)


def bases_for(own: Sequence[Sequence[Statement]], asker: Asker) -> tuple[Policy, list[Basis]]:
    """A policy with what its answers on the J-1 and H-1B rest on (see benchmarks.calibrate)."""
    return policy_for(own, asker=asker)[0], bases(_answers(own, asker))


def bases(answers: Mapping[Visa, _Answer]) -> list[Basis]:
    """What the answers that make the category rest on."""
    return [a.basis for visa in VISAS if (a := answers[visa]).basis is not None]


def _first(ours: _Answer, theirs: _Answer) -> _Answer:
    """The program's own answer, or its institution's where it has none."""
    return theirs if ours.word is None and theirs.word is not None else ours


def _answers(pages: Sequence[Sequence[Statement]], asker: Asker) -> dict[Visa, _Answer]:
    """What both readers together make of the pages of one level, by visa."""
    by_rules = [[s for s in page if not s.chances] for page in pages]
    words = _level(by_rules, asker)
    out = {visa: _Answer(words.get(visa), None) for visa in Visa}
    every = [s for page in by_rules for s in page]
    for visa in VISAS:
        word = words.get(visa)
        ground = _ground(word, any(s.visa is visa and _is_open(s, asker) for s in every))
        second = opinion(
            [
                list(_ranked([s for s in page if s.chances and s.visa is visa], asker))
                for page in pages
            ]
        )
        stance = word.stance if word is not None else Stance.UNSTATED
        how = accord(ground, stance, second)
        apart = stance is Stance.CONFLICTING and not _torn(by_rules, visa, asker)
        if second is not None and _in_a_table(second) and (apart or _rules_know(word, second)):
            how = how if how is Accord.AGREES else Accord.ALONE
        elif apart and how is Accord.DECIDES:
            # Each page is clear by itself: that they disagree is no misreading of one.
            how = Accord.DOUBTS
        of_this = [s for s in every if s.visa is visa and applies(s.scope, asker)]
        if second is not None and _overheard(word, second, of_this):
            how = Accord.DOUBTS if how is Accord.DECIDES else how
        if second is not None and how is Accord.DECIDES:
            word = _second_word(second, of_this)
        out[visa] = _Answer(word, _basis(ground, how, word, second))
    return out


def _basis(ground: Ground, how: Accord, word: _Word | None, second: Opinion | None) -> Basis:
    answer = word.stance if word is not None else Stance.UNSTATED
    if second is None or how is Accord.ALONE:
        return Basis(ground, how, answer)
    instead = second.stance if how is Accord.DOUBTS else None
    return Basis(ground, how, answer, second.chance, instead, second.names)


def _in_a_table(second: Opinion) -> bool:
    """A row is no prose: rules know its cells and headers, the second reader guesses at them."""
    return any(CELL_BREAK in s.quote for s in second.deciding)


def _overheard(word: _Word | None, second: Opinion, about: Sequence[Statement]) -> bool:
    """Whether the second reader hears a refusal in what rules know to be less.

    "Ordinarily not" is heard as "not", and "through ECFMG only" as "the J-1 only".
    """
    if second.stance is not Stance.NOT_SPONSORED:
        return False
    hedged = word is not None and word.stance is Stance.CONDITIONAL
    if hedged and word is not None and any(NOT_USUALLY in s.rules for s in word.deciding):
        return True
    return not second.names and any(NOT_ALONE in s.rules for s in about)


def _torn(pages: Sequence[Sequence[Statement]], visa: Visa, asker: Asker) -> bool:
    """Whether a page disagrees with itself on a visa, by the rules."""
    words = (_level([page], asker).get(visa) for page in pages)
    return any(word is not None and word.stance is Stance.CONFLICTING for word in words)


def _rules_know(word: _Word | None, second: Opinion) -> bool:
    """Whether rules have a word on a row; none where they cannot tell two rows apart."""
    if word is None:
        return not second.names
    return word.stance is not Stance.CONFLICTING


def _ranked(page: Sequence[Statement], asker: Asker) -> Iterator[tuple[tuple[int, int], Statement]]:
    """A page's statements that speak to the asker, and how closely: "for all our residents", alone
    on its page, is as specific as a page that does not say whom."""
    current = _current([s for s in page if applies(s.scope, asker)])
    ranks = [_close(s, asker, 0) for s in current]
    lift = -min(0, max((close for close, _ in ranks), default=0))
    for (close, dated), statement in zip(ranks, current, strict=True):
        yield (close + lift, dated), statement


def _second_word(second: Opinion, about: Sequence[Statement]) -> _Word | None:
    """The second reader's stance, with the conditions that rules found and that fit it."""
    if second.stance is Stance.UNSTATED:
        return None
    put = [c for s in about for c in s.conditions]
    if second.stance is Stance.NOT_SPONSORED:
        put = [c for c in put if c.kind is ConditionKind.PAUSED]
    elif second.stance is Stance.SPONSORED:
        put = [c for c in put if c.kind not in (*AT_DISCRETION, ConditionKind.PAUSED)]
    return _Word(second.stance, second.deciding, False, (0, 0), tuple(_distinct(put)))


def _is_open(statement: Statement, asker: Asker) -> bool:
    """Whether a sentence names a visa to the asker, and leaves open what of it."""
    scope = statement.scope
    unread = UNREAD in statement.rules or NAMED in statement.rules
    return unread and not scope.past and applies(scope, asker)


def _ground(word: _Word | None, named: bool) -> Ground:
    if word is None:
        return Ground.NAMED if named else Ground.NOT_NAMED
    if word.stance is Stance.CONFLICTING:
        return Ground.CONFLICT
    if all(LEANT in s.rules for s in word.deciding):
        return Ground.LEANT
    if word.overruled:
        return Ground.OVERRULED
    return Ground[max(s.strength for s in word.deciding).name]


def _level(pages: Sequence[Sequence[Statement]], asker: Asker) -> dict[Visa, _Word]:
    """What the pages of one level say, by visa."""
    if not any(pages):
        return {}
    current = [_current([s for s in page if applies(s.scope, asker)]) for page in pages]
    latest = max((s.scope.season for page in current for s in page), default=0)
    out: dict[Visa, _Word] = {}
    for visa in Visa:
        words = [
            word for page in current if (word := _page_word(page, visa, latest, asker)) is not None
        ]
        if words:
            out[visa] = _agree(words)
    return out


def _current(page: Sequence[Statement]) -> list[Statement]:
    """The statements that speak of now: no history, and of dated ones the latest season's."""
    present = [s for s in page if not s.scope.past]
    latest = max((s.scope.season for s in present), default=0)
    return [s for s in present if s.scope.season in (0, latest) or s.scope.onward]


def _page_word(page: Sequence[Statement], visa: Visa, latest: int, asker: Asker) -> _Word | None:
    about = [s for s in page if s.visa is visa]
    said = [s for s in about if s.stance is not Stance.UNSTATED]
    if not said:
        return None

    def close(statement: Statement) -> tuple[int, int]:
        return _close(statement, asker, latest)

    # The most specific decide; if they only hint, together with those less specific.
    plain = [close(s) for s in said if s.strength > Strength.MILD]
    least = max(plain, default=max(close(s) for s in said))
    heard = [s for s in said if close(s) >= least]
    stance, deciding = _decide(heard)
    overruled = any(s.stance is not stance for s in said if s.strength >= Strength.IMPLIED)
    if stance is not Stance.NOT_SPONSORED:
        put = [
            c
            for s in about
            if close(s) >= least or s.stance in (Stance.UNSTATED, Stance.SPONSORED, stance)
            for c in s.conditions
        ]
    else:
        put = [c for s in deciding for c in s.conditions if c.kind is ConditionKind.PAUSED]
    return _Word(stance, tuple(deciding), overruled, least, tuple(_distinct(put)))


def _close(statement: Statement, asker: Asker, latest: int) -> tuple[int, int]:
    """How specifically a statement speaks to the asker, and whether of the latest season."""
    dated = statement.scope.onward or (latest and statement.scope.season == latest)
    return closeness(statement.scope, asker), int(bool(dated))


def _decide(said: Sequence[Statement]) -> tuple[Stance, list[Statement]]:
    """The stance, and the statements that decide it."""
    top = max(s.strength for s in said)
    deciding = [s for s in said if s.strength is top]
    if top is Strength.EXPLICIT:
        # "Only J-1" in one block and "we sponsor H-1B" in another are equals that disagree.
        blocks = {s.block for s in deciding}
        deciding += [s for s in said if s.strength is Strength.IMPLIED and s.block not in blocks]
    kinds = {s.stance for s in deciding}
    if Stance.CONDITIONAL in kinds:
        # "Considered case by case" tells more than yes or no, and agrees with either.
        return Stance.CONDITIONAL, [s for s in deciding if s.stance is Stance.CONDITIONAL]
    if len(kinds) > 1:
        return Stance.CONFLICTING, deciding
    return deciding[0].stance, deciding


def _agree(words: Sequence[_Word]) -> _Word:
    """One word of several pages of the same level: the most specific, if they agree."""
    # "For all our residents", on one page, is as specific as a page that does not say whom.
    ranks = [(max(0, word.close[0]), word.close[1]) for word in words]
    close = max(ranks)
    everything = words
    words = [word for word, rank in zip(words, ranks, strict=True) if rank == close]
    kinds = {word.stance for word in words}
    if kinds == {Stance.SPONSORED, Stance.CONDITIONAL}:
        stance = Stance.CONDITIONAL  # the page that says more
    else:
        stance = kinds.pop() if len(kinds) == 1 else Stance.CONFLICTING
    return _Word(
        stance,
        tuple(s for word in words for s in word.deciding),
        any(word.overruled for word in words),
        close,
        # A page that is less specific, and of the same mind, may have a condition of its own.
        tuple(
            _distinct(
                [
                    c
                    for word in everything
                    if word in words or word.stance is stance
                    for c in word.conditions
                ]
            )
        ),
    )


def _distinct(conditions: Sequence[Condition]) -> list[Condition]:
    """Each kind and date once; what has a date goes before the same without."""
    dated = {c.kind for c in conditions if c.by}
    return [c for c in dict.fromkeys(conditions) if c.by or c.kind not in dated]


def _once(statements: Sequence[Statement]) -> list[Statement]:
    kept: dict[tuple[int, int, Stance, str | None], Statement] = {}
    for one in statements:
        kept.setdefault((one.start, one.end, one.stance, one.url), one)
    return list(kept.values())
