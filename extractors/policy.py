"""Statements to the policy of the program that asks (docs/policy.md has the order).

Of a page's statements those count that speak of the asker and of now; the most specific of
them decide, and of these the strongest. Equals that disagree make a visa `conflicting`;
nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from extractors.conditions import ConditionKind
from extractors.confidence import REVIEW_BELOW, Ground, Kind, confidence, kind_of
from extractors.readings import LEANT, Strength
from extractors.scope import Asker, applies, closeness
from extractors.stated import NAMED, UNREAD, Statement
from extractors.values import Condition, Policy, Stance, Visa


@dataclass(frozen=True, slots=True)
class _Word:
    """What one page, or all of a level, says to the asker on one visa."""

    stance: Stance
    deciding: tuple[Statement, ...]
    overruled: bool  # a statement that counts less says otherwise
    close: tuple[int, int]
    conditions: tuple[Condition, ...] = ()


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
    ours, theirs = _level(own, asker), _level(inherited, asker)
    words = {visa: ours.get(visa) or theirs.get(visa) for visa in Visa}
    stated = [(visa, word) for visa, word in words.items() if word is not None]
    kind = _kind([*own, *inherited], words, asker)
    sure = confidence(kind)
    policy = Policy(
        tuple((visa, word.stance) for visa, word in stated),
        tuple(c for _, word in stated for c in word.conditions),
        sure,
        kind is Kind.CONFLICT or sure < REVIEW_BELOW,
        tuple(s.evidence() for _, word in stated for s in _once(word.deciding)),
    )
    return policy, bool(stated) and not ours


def kind_for(own: Sequence[Sequence[Statement]], asker: Asker) -> tuple[Policy, Kind]:
    """A policy with the kind that its confidence is that of (see benchmarks.calibrate)."""
    words: dict[Visa, _Word | None] = dict.fromkeys(Visa)
    words |= _level(own, asker)
    return policy_for(own, asker=asker)[0], _kind(own, words, asker)


def _kind(
    pages: Sequence[Sequence[Statement]], words: Mapping[Visa, _Word | None], asker: Asker
) -> Kind:
    open_ends = [s for page in pages for s in page if _is_open(s, asker)]
    j1, h1b = (
        _ground(words[visa], [s for s in open_ends if s.visa is visa])
        for visa in (Visa.J1, Visa.H1B)
    )
    return kind_of(j1, h1b, spoken=any(pages))


def _is_open(statement: Statement, asker: Asker) -> bool:
    """Whether a sentence names a visa to the asker, and leaves open what of it."""
    scope = statement.scope
    unread = UNREAD in statement.rules or NAMED in statement.rules
    return unread and not scope.past and applies(scope, asker)


def _ground(word: _Word | None, open_ends: Sequence[Statement]) -> Ground:
    named = bool(open_ends)
    sponsoring = any(UNREAD in s.rules for s in open_ends)
    if word is None:
        return Ground(named=named, sponsoring=sponsoring)
    strength = max(s.strength for s in word.deciding)
    leant = all(LEANT in s.rules for s in word.deciding)
    return Ground(word.stance, strength, word.overruled, named, leant, sponsoring)


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
        dated = statement.scope.onward or (latest and statement.scope.season == latest)
        return closeness(statement.scope, asker), int(bool(dated))

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
