"""All evidence on a program to one policy, by the table of weights. docs/sources.md has the rules.

Pure, and blind to the order in which evidence comes. Per visa:

1. Of one channel the newest says what the channel says; of residents, the two newest that are
   not from one person must agree, or a maintainer stand for the newest.
2. What a maintainer decided against, and has not changed since, is set aside.
3. Of the channels, the one that weighs most decides. All others that count agree or disagree;
   when one disagrees the visa is `disputed` and the policy needs a review.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import prod

from extractors import AT_DISCRETION, Condition, ConditionKind, Policy, Stance, Visa
from extractors import Evidence as Quote
from sources.values import Age, Channel, Evidence, Fused, Role, Side
from sources.weights import Table, Weights, age, table

_OFFERED = (Stance.SPONSORED, Stance.CONDITIONAL)
_DECIDING_VISAS = (Visa.J1, Visa.H1B)  # which make the category
COUNTING = (Role.DECIDES, Role.AGREES, Role.DISAGREES)


def fuse(evidence: Iterable[Evidence], today: date, weights: Table | None = None) -> Fused:
    """The policy that all evidence on one program comes to on a day, with all sides."""
    weights = weights or table()
    known = [_said(e, today, weights[e.channel]) for e in sorted(set(evidence), key=_order)]
    spoken = {v: [s for s in known if s.stance(v) is not Stance.UNSTATED] for v in Visa}
    answers = [_answer(visa, said, weights) for visa, said in spoken.items() if said]
    stated = [answer for answer in answers if answer.stance is not Stance.UNSTATED]
    sides = tuple(side for answer in answers for side in answer.sides)
    deciding = [a.confidence for a in stated if a.visa in _DECIDING_VISAS]
    policy = Policy(
        stances=tuple((a.visa, a.stance) for a in stated),
        conditions=tuple(c for a in stated for c in a.conditions),
        # Of a chain that is as strong as its weakest link: agreeing evidence never lowers it.
        confidence=round(min(deciding or [a.confidence for a in stated], default=1.0), 4),
        needs_review=any(answer.doubtful for answer in answers),
        evidence=tuple(_quote(side) for side in sides if side.role in COUNTING),
    )
    return Fused(policy, sides, tuple(a.visa for a in answers if a.disputed))


@dataclass(frozen=True, slots=True, eq=False)
class _Said:
    """A piece of evidence on the day. Each is there once, so one is told from others as it is."""

    evidence: Evidence
    age: Age
    weight: float  # 0: it does not count

    def stance(self, visa: Visa) -> Stance:
        """What it says of `visa`."""
        return self.evidence.stance(visa)


def _said(evidence: Evidence, today: date, weights: Weights) -> _Said:
    old = age(evidence, today, weights)
    return _Said(evidence, old, weights.of(old))


@dataclass(frozen=True, slots=True)
class _Position:
    """What one channel says on one visa."""

    channel: Channel
    stance: Stance
    newest: tuple[_Said, ...]  # several when they are equally new
    begun: str  # since when it says so
    weight: float
    chance: float  # that it is right


@dataclass(frozen=True, slots=True)
class _Answer:
    visa: Visa
    stance: Stance
    sides: tuple[Side, ...]
    conditions: tuple[Condition, ...] = ()
    confidence: float = 1.0
    disputed: bool = False
    doubtful: bool = False


def _answer(visa: Visa, said: Sequence[_Said], weights: Table) -> _Answer:
    by_channel: dict[Channel, list[_Said]] = {channel: [] for channel in Channel}
    for one in said:
        if one.weight > 0:
            by_channel[one.evidence.channel].append(one)
    found = (_position(visa, channel, its) for channel, its in by_channel.items() if its)
    positions = [position for position in found if position is not None]
    standing = [p for p in positions if not _set_aside(p, positions, weights)]
    aside = [p for p in positions if p not in standing]
    roles: dict[_Said, Role] = {s: Role.SET_ASIDE for p in aside for s in p.newest}
    if not standing:
        return _Answer(visa, Stance.UNSTATED, _sides(visa, said, roles))
    first = max(standing, key=lambda p: p.weight)
    others = [p for p in standing if p is not first]
    agreeing = [p for p in others if _agrees(first.stance, p, weights)]
    against = [p for p in others if p not in agreeing]
    roles |= dict.fromkeys(first.newest, Role.DECIDES)
    roles |= {s: Role.AGREES for p in agreeing for s in p.newest}
    roles |= {s: Role.DISAGREES for p in against for s in p.newest}
    side_by_side = [first, *sorted(agreeing, key=lambda p: -p.weight)]
    conditions, dates_differ = _conditions(visa, first.stance, side_by_side)
    disputed = bool(against) or dates_differ or first.stance is Stance.CONFLICTING
    alone = not any(weights[p.channel].last_word for p in agreeing)
    doubtful = alone and (
        not weights[first.channel].last_word or any(s.evidence.doubtful for s in first.newest)
    )
    return _Answer(
        visa,
        first.stance,
        _sides(visa, said, roles),
        conditions,
        _confidence(side_by_side, against),
        disputed,
        disputed or doubtful,
    )


def _position(visa: Visa, channel: Channel, said: Sequence[_Said]) -> _Position | None:
    """What a channel says on a visa; None when it says nothing that counts."""
    if channel is Channel.RESIDENT:
        newest, counting = _verified(visa, said), list(said)
    else:
        counting = [s for s in said if s.evidence.confirmed]
        last = max((_when(s.evidence) for s in counting), default=None)
        newest = [s for s in counting if _when(s.evidence) == last]
    if not newest:
        return None
    stances = {s.stance(visa) for s in newest}
    stance = stances.pop() if len(stances) == 1 else Stance.CONFLICTING
    same = [s for s in counting if s.stance(visa) is stance] or newest
    chances = [s.weight * s.evidence.confidence for s in same]
    return _Position(
        channel,
        stance,
        tuple(newest),
        begun=max(s.evidence.begun for s in same),
        weight=newest[0].weight,
        # Two that are equally new and disagree are no surer than the less sure of them.
        chance=max(chances) if same is not newest else min(chances),
    )


def _verified(visa: Visa, reports: Sequence[_Said]) -> list[_Said]:
    """The newest reports of residents, when they are to be believed.

    Two that agree and are not from one person are, and one that a maintainer stands for. Of each
    person the last report counts, but where it agrees with one that a maintainer stands for: that
    one stands then, as a report cannot tell "sponsored" from "case by case".
    """
    by_person: dict[str, list[_Said]] = {}
    for report in reports:  # which are in the order of time: the last to speak comes last
        its = by_person.pop(report.evidence.who, [])
        by_person[report.evidence.who] = [*its, report]
    if not by_person:
        return []
    *others, mine = by_person.values()
    first = mine[-1]
    if others and others[-1][-1].stance(visa) is first.stance(visa):
        return [first, others[-1][-1]]
    stood_for = [s for s in mine if s.evidence.confirmed]
    if any(s.stance(visa) is first.stance(visa) for s in stood_for):
        return [first]
    offered = [s for s in stood_for if {s.stance(visa), first.stance(visa)} <= {*_OFFERED}]
    return offered[-1:]


def _set_aside(position: _Position, all_of_them: Sequence[_Position], weights: Table) -> bool:
    """Whether a maintainer knew of it when they decided otherwise."""
    return any(
        p.channel is Channel.MAINTAINER
        and p is not position
        and p.stance is not Stance.CONFLICTING
        and not _agrees(p.stance, position, weights)
        and position.begun <= p.begun
        for p in all_of_them
    )


def _agrees(stance: Stance, other: _Position, weights: Table) -> bool:
    if stance is other.stance:
        return True
    return weights[other.channel].coarse and stance in _OFFERED and other.stance in _OFFERED


def _confidence(agreeing: Sequence[_Position], against: Sequence[_Position]) -> float:
    """The chance that not all who agree are wrong, less the weight of who says otherwise."""
    right = 1 - prod(1 - p.chance for p in agreeing)
    return right * prod(1 - p.chance / 2 for p in against)


def _conditions(
    visa: Visa, stance: Stance, agreeing: Sequence[_Position]
) -> tuple[tuple[Condition, ...], bool]:
    """The conditions of all who agree, and whether two of them name different dates for one.

    Of two dates, that of the channel that weighs more stands.
    """
    found: dict[ConditionKind, set[str | None]] = {}
    differ = False
    for position in agreeing:
        put: dict[ConditionKind, set[str | None]] = defaultdict(set)
        for condition in (c for s in position.newest for c in s.evidence.conditions):
            if condition.visa is visa and _fits(condition.kind, stance):
                put[condition.kind].add(condition.by)
        for kind, dates in put.items():
            if found.get(kind, {None}) == {None}:
                found[kind] = dates
            elif dates - {None} and not dates & found[kind]:
                differ = True
    conditions = (
        Condition(visa, kind, by)
        for kind in ConditionKind
        for by in sorted(found.get(kind, ()), key=str)
    )
    return tuple(conditions), differ


def _fits(kind: ConditionKind, stance: Stance) -> bool:
    """Whether a stance can have a condition: what is refused has none but a pause."""
    if stance is Stance.NOT_SPONSORED:
        return kind is ConditionKind.PAUSED
    return stance is not Stance.SPONSORED or kind not in AT_DISCRETION


def _sides(visa: Visa, said: Sequence[_Said], roles: Mapping[_Said, Role]) -> tuple[Side, ...]:
    """All that was said on a visa, what weighs most first; `said` is in the order of time."""

    def role(s: _Said) -> Role:
        if s in roles:
            return roles[s]
        if s.age is Age.AHEAD:
            return Role.AHEAD
        if not s.weight:
            return Role.HISTORY
        return Role.SUPERSEDED if _overtaken(s.evidence, said) else Role.UNVERIFIED

    sides = [Side(visa, s.stance(visa), s.evidence, s.age, s.weight, role(s)) for s in said]
    sides.sort(key=lambda side: side.weight)
    return tuple(reversed(sides))  # of one weight, the newest first


def _overtaken(evidence: Evidence, said: Sequence[_Said]) -> bool:
    """Whether the same source has said something since; of residents, the same person."""
    return any(
        other.channel is evidence.channel
        and (other.confirmed or evidence.channel is Channel.RESIDENT)
        and (evidence.channel is not Channel.RESIDENT or other.who == evidence.who)
        and _when(other) > _when(evidence)
        for other in (s.evidence for s in said)
    )


def _when(evidence: Evidence) -> tuple[int, str, int]:
    return evidence.season, evidence.at, evidence.turn


def _order(evidence: Evidence) -> tuple[object, ...]:
    """Sorts evidence by its time; what is equally old, in some order that is always the same."""
    return (
        *_when(evidence),
        evidence.channel,
        evidence.who,
        evidence.confirmed,
        evidence.stances,
        evidence.quote,
        evidence.link,
        evidence.id,
        evidence.begun,
        evidence.confidence,
        evidence.doubtful,
        str(evidence.conditions),
    )


def _quote(side: Side) -> Quote:
    """Evidence as a policy has it; its rule names the channel.

    How a maintainer found out is for maintainers: a policy is public, and has none of it.
    """
    e = side.evidence
    words = "" if e.channel is Channel.MAINTAINER else e.quote
    return Quote(
        side.visa,
        side.stance,
        words,
        0,
        len(words),
        (channel_rule(e.channel),),
        url=e.link or None,
        fetched_at=e.at,
    )


def channel_rule(channel: Channel) -> str:
    """What stands for a channel where a policy's evidence names the rules that fired."""
    return f"channel:{channel}"
