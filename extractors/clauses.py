"""What one sentence claims of visas, from the rules that fire in it and where they stand.

Cues point: "we sponsor >" to the visas after it, "< are accepted" to those before, and none
past a turn ("but", ";", a bracket). Each visa takes the nearest cue that points to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from extractors.alone import read_only
from extractors.demands import read_demands
from extractors.reading_text import ANY, Mention, ReadingText, reading_text
from extractors.readings import STATUSES, Claim, Clause, Reading, Strength, stretches
from extractors.rulebook import Direction, Hit, RuleKind, remembered, rulebook
from extractors.spans import Spans
from extractors.values import Stance, Visa

_REACH = 110  # characters between a cue and a visa it speaks of
_NEGATION_REACH = 50  # characters
_WIDE_REACH = 200  # characters
_WHOLE_CLAUSE = re.compile(
    r"(?:under|at|in|on|by) no\b|none of|not (?:one of|our|the|a|its|hospital|something)\b"
    r"|neither (?:the|our)\b",
    re.I,
)
_OR_REACH = 25  # characters
_EXCLUSIVE = (RuleKind.ONLY, RuleKind.ALONE)
_CANCELS = (RuleKind.PSEUDO, RuleKind.DECOY, RuleKind.UNDO)
_STRONG = (RuleKind.OFFER, RuleKind.REFUSE)
_MILD = (RuleKind.MILD_OFFER,)
_POLAR = (*_STRONG, *_MILD)


def tells_nothing(sentence: str) -> bool:
    """Whether it is a link, the title of a page, or news of the world, and not of a program.

    >>> tells_nothing("About the H-1B"), tells_nothing("H-1B: more than welcome")
    (True, False)
    """
    return bool(_emptiness(sentence))


def heads_nothing(heading: str) -> bool:
    """Whether it is a link to another page, or a date, and what stands below it no part of it.

    >>> heads_nothing("More on the H-1B"), heads_nothing("About the H-1B")
    (True, False)
    """
    return RuleKind.HEADS_NOTHING in _emptiness(heading)


@remembered
def _emptiness(sentence: str) -> frozenset[RuleKind]:
    hits = rulebook().empty.hits(reading_text(sentence).text)
    return frozenset(hit.rule.kind for hit in hits)


@remembered
def read_sentence(raw: str) -> Reading:
    """Apply the rules to one sentence of the page.

    >>> for claim in read_sentence("We take J1, but no H1B visas.").claims:
    ...     print(claim.visa, claim.stance)
    J-1 sponsored
    H-1B not_sponsored
    """
    text = reading_text(raw)
    hits = list(rulebook().phrases.hits(text.text))
    reading = Reading(text, hits=hits)
    kinds = {hit.rule.kind for hit in hits}
    reading.others = RuleKind.OTHERS in kinds
    others = [h for h in hits if h.rule.kind is RuleKind.OTHERS]
    reading.trainees = any(
        h.rule.kind is RuleKind.TRAINEES and not _covered(h, others) for h in hits
    )
    reading.leans_back = RuleKind.LEANS_BACK in kinds
    if RuleKind.NO in kinds:
        reading.answer = Stance.NOT_SPONSORED
    elif RuleKind.YES in kinds:
        reading.answer = Stance.SPONSORED
    decoys = [h for h in hits if h.rule.kind is RuleKind.DECOY]
    reading.mentions = [m for m in text.mentions if not _covered(m, decoys)]
    live = reading.live = _negated(text, hits, _live(hits))
    cues = [h for h in live if h.rule.kind in _POLAR]
    if cues:
        refuses = any(h.rule.kind is RuleKind.REFUSE for h in cues)
        reading.stance = Stance.NOT_SPONSORED if refuses else Stance.SPONSORED
    clauses = reading.clauses = _clauses(text, hits, reading.mentions, cues)
    reading.leftover = _leftover(text.text, reading.mentions, hits)
    read_only(reading, clauses)
    for clause in clauses:
        _read_clause(reading, clause)
    _read_both(reading)
    for hit in live:
        if hit.rule.kind is RuleKind.UNNAMED and not reading.mentions:
            _claim(reading, str(hit.rule.visa), Stance.SPONSORED, Strength.MILD, hit)
    _read_citizens(reading, live)
    read_demands(reading, live, clauses)
    return reading


def fired(raw: str) -> frozenset[str]:
    """The ids of the rules that fire in a sentence, after cancelling (what the tests ask)."""
    text = reading_text(raw)
    hits = list(rulebook().phrases.hits(text.text))
    silent = (h for h in hits if h.rule.kind in _SILENT)
    scopes = rulebook().scopes.hits(text.text)
    return frozenset(
        [*(m.rule for m in text.mentions), *(h.rule.id for h in (*_live(hits), *silent, *scopes))]
    )


def _live(hits: Sequence[Hit]) -> list[Hit]:
    """The cues that no longer phrase cancels; a refusal swallows the offer within it."""
    cancels = [h for h in hits if h.rule.kind in _CANCELS]
    not_only = Spans(h for h in hits if h.rule.kind is RuleKind.NOT_ONLY)
    live = [h for h in hits if h.rule.kind not in _SILENT and not _covered(h, cancels)]
    live += [
        replace(h, rule=replace(h.rule, kind=RuleKind.OFFER))
        for h in hits
        if h.rule.kind is RuleKind.UNDO
    ]
    live = [h for h in live if h.rule.kind not in _EXCLUSIVE or not not_only.overlap(h)]
    refusals = Spans(h for h in live if h.rule.kind is RuleKind.REFUSE)
    offers = (RuleKind.OFFER, RuleKind.MILD_OFFER)
    return [h for h in live if h.rule.kind not in offers or not refusals.overlap(h)]


def _negated(text: ReadingText, hits: Sequence[Hit], live: Sequence[Hit]) -> list[Hit]:
    """`live` with an offer turned into a refusal by a negation before it that no phrase has
    claimed ("do not have the ability to sponsor"), and without the second half of one
    ("cannot sponsor or support")."""
    claimed = Spans(
        h
        for h in (*live, *hits)
        if h.rule.kind in (*_CANCELS, RuleKind.REFUSE, RuleKind.NOT_ONLY, RuleKind.ONLY)
    )
    negations = [
        h
        for h in hits
        if h.rule.kind is RuleKind.NEGATION and (_denies(text, h) or not claimed.overlap(h))
    ]
    refusals = [h for h in live if h.rule.kind is RuleKind.REFUSE]
    out: list[Hit] = []
    for hit in live:
        if hit.rule.kind in (RuleKind.OFFER, RuleKind.MILD_OFFER):
            if any(_joined(text, r, hit) for r in refusals):
                continue
            negation = next((n for n in negations if _reaches(text, hits, n, hit)), None)
            if negation and hit.rule.kind is RuleKind.MILD_OFFER and not _denies(text, negation):
                continue  # "does not have"
            if negation is not None:
                rule = replace(negation.rule, kind=RuleKind.REFUSE, direction=Direction.BOTH)
                hit = Hit(rule, hit.start, hit.end)
        out.append(hit)
    return out


def _joined(text: ReadingText, refusal: Hit, offer: Hit) -> bool:
    between = text.text[refusal.end : offer.start].strip() + " "
    return (
        refusal.end <= offer.start
        and len(between) < _OR_REACH
        and between.startswith(("or ", "nor ", "and/or "))
        and not any(refusal.end <= m.start < offer.start for m in text.mentions)
    )


def _denies(text: ReadingText, negation: Hit) -> bool:
    """Whether it denies its whole clause: "under no circumstances", "it is not our practice"."""
    return _WHOLE_CLAUSE.match(text.text, negation.start) is not None


def _reaches(text: ReadingText, hits: Sequence[Hit], negation: Hit, offer: Hit) -> bool:
    gap = offer.start - negation.end
    between = (negation.end, offer.start)
    ends = [h.start for h in hits if h.rule.kind is RuleKind.END]
    if _denies(text, negation):
        return 0 <= gap <= _WIDE_REACH and not any(between[0] <= e < between[1] for e in ends)
    if not 0 <= gap <= _NEGATION_REACH:
        return False
    if " and " in text.text[slice(*between)]:
        return False
    stops = [*(m.start for m in text.mentions), *ends]
    return not any(between[0] <= stop < between[1] for stop in stops)


_SILENT = (
    RuleKind.PSEUDO,
    RuleKind.NOT_ONLY,
    RuleKind.NEGATION,
    RuleKind.DECOY,
    RuleKind.END,
    RuleKind.OTHERS,
    RuleKind.TRAINEES,
    RuleKind.LEANS_BACK,
    RuleKind.YES,
    RuleKind.NO,
    RuleKind.ASIDE,
    RuleKind.UNDO,
    RuleKind.FOR,
    RuleKind.AGAINST,
)


def _covered(inner: Hit | Mention, covers: Sequence[Hit]) -> bool:
    return any(c.start <= inner.start and inner.end <= c.end for c in covers)


def _clauses(
    text: ReadingText, hits: Sequence[Hit], mentions: Sequence[Mention], cues: Sequence[Hit]
) -> list[Clause]:
    """The clauses between turns, without those that are about something else."""
    unbroken = Spans([*cues, *(h for h in hits if h.rule.kind is RuleKind.PSEUDO)])
    ends = sorted(
        (h for h in hits if h.rule.kind is RuleKind.END and not unbroken.overlap(h)),
        key=lambda h: h.start,
    )
    demanded = [h for h in hits if h.rule.kind is RuleKind.CONDITION]
    asides = [
        h
        for h in hits
        if h.rule.kind is RuleKind.ASIDE
        and not _covered(h, demanded)  # "with a waiver of the dean", "the SEVIS fee is yours"
        and not _ON_ACCOUNT.search(text.text[: h.start])
    ]
    cut_off = [
        (b.start(), b.end())
        for b in _BRACKET.finditer(text.text)
        if not any(b.start() <= m.start < b.end() for m in mentions)
        and not any(b.start() <= c.start < b.end() for c in cues)
    ]
    ends = [e for e in ends if not any(start <= e.start < end for start, end in cut_off)]
    others = [h for h in hits if h.rule.kind is RuleKind.OTHERS]
    trainees = [
        h.start for h in hits if h.rule.kind is RuleKind.TRAINEES and not _covered(h, others)
    ]
    label = ends[0] if ends and text.text[ends[0].start : ends[0].end] == ": " else None
    if label and any(h.end <= label.start for h in asides):
        return []  # "Moonlighting: not open to J-1 holders"
    bounds = [0, *(h.start for h in ends), len(text.text)]
    clauses = []
    for start, end in pairwise(bounds):
        if any(start <= h.start < end for h in asides):
            continue
        about_others = any(start <= h.start < end for h in others)
        if about_others and trainees and not any(start <= at < end for at in trainees):
            continue  # "residents on J-1 only; attending physicians on H-1B"
        clauses.append(
            Clause(
                start,
                end,
                tuple(m for m in mentions if start <= m.start < end),
                tuple(sorted((c for c in cues if start <= c.start < end), key=lambda c: c.start)),
            )
        )
    return clauses


def _claim(reading: Reading, visa: str, stance: Stance, strength: Strength, hit: Hit) -> None:
    reading.claims.append(Claim(visa, stance, strength, (hit.rule.id,)))


def _read_clause(reading: Reading, clause: Clause) -> None:
    explicit = {c.visa for c in reading.claims if c.strength is Strength.EXPLICIT}
    specific = any(m.visa not in (ANY, *STATUSES) for m in clause.mentions)
    parts = stretches(reading.text.text, clause)
    for mention, part in zip(clause.mentions, parts, strict=True):
        if mention.visa in explicit or (mention.visa == ANY and specific):
            continue
        cue = _cue_of(mention, clause, part, reading.text.text)
        if cue is None:
            reading.unclaimed.append(mention)
            continue
        stance = Stance.SPONSORED
        if cue.rule.kind is RuleKind.REFUSE:
            stance = Stance.NOT_SPONSORED
        mild = cue.rule.kind is RuleKind.MILD_OFFER
        strength = Strength.MILD if mild else Strength.EXPLICIT
        reading.claims.append(Claim(mention.visa, stance, strength, (mention.rule, cue.rule.id)))
    listed = any(m.visa in STATUSES for m in clause.mentions)
    if listed and not any(c.rule.kind is RuleKind.REFUSE for c in clause.cues):
        for mention in list(reading.unclaimed):
            if mention in clause.mentions and mention.visa in (Visa.J1, Visa.H1B):
                reading.unclaimed.remove(mention)
                rules = (mention.rule, "listed-with-citizens")
                reading.claims.append(Claim(mention.visa, Stance.SPONSORED, Strength.MILD, rules))


def _cue_of(mention: Mention, clause: Clause, part: tuple[int, int], text: str) -> Hit | None:
    """The nearest cue that points to the visa; a mild one only where there is no other."""
    own = [c for c in clause.cues if part[0] <= c.start < part[1]]
    others = [c for c in clause.cues if not part[0] <= c.start < part[1]]
    for cues, kinds in ((own, _STRONG), (own, _MILD), (others, _STRONG), (others, _MILD)):
        best: tuple[int, int, Hit] | None = None
        for cue in cues:
            if cue.rule.kind not in kinds:
                continue
            distance = _distance(mention, cue, clause)
            if distance and cue.end <= mention.start and _has_object(text, cue, clause):
                continue
            if distance is not None and (best is None or distance < best[:2]):
                best = (*distance, cue)
        if best is not None:
            return best[2]
    return None


def _has_object(text: str, cue: Hit, clause: Clause) -> bool:
    """True when the verb speaks of something else: "we do not offer *housing* to J-1 families"."""
    if cue.rule.direction is Direction.BACKWARD:
        return False
    first = min(m.start for m in clause.mentions if m.start >= cue.end)
    between = _WORD.findall(text[cue.end : first].lower())
    words = rulebook().words
    known = words["small"] | words["between"]
    unknown = [n for n, word in enumerate(between) if word not in known]
    if len(unknown) > _MAX_UNKNOWN:
        return True
    return any(n + 1 < len(between) and between[n + 1] in _PREPOSITIONS for n in unknown)


def _distance(mention: Mention, cue: Hit, clause: Clause) -> tuple[int, int] | None:
    """(other visas in between, characters in between), or None when it does not point here."""
    if cue.start <= mention.start < cue.end:
        return (0, 0)
    after = mention.start >= cue.end
    gap = mention.start - cue.end if after else cue.start - mention.end
    if gap > _REACH:
        return None
    direction = cue.rule.direction
    passed = STATUSES if mention.visa == ANY else (ANY, *STATUSES)
    others = [m for m in clause.mentions if m.visa not in passed]
    mild = cue.rule.kind is RuleKind.MILD_OFFER
    # "Visas that we sponsor" turns a verb round; "J-1 residents need a car" does not.
    later = mild or any(m.end > cue.start for m in others)
    if direction is Direction.FORWARD and not after and later:
        return None
    if direction is Direction.BACKWARD and after and any(m.end <= cue.start for m in others):
        return None
    low, high = (cue.end, mention.start) if after else (mention.end, cue.start)
    between = sum(1 for m in others if low <= m.start and m.end <= high)
    # An active verb with visas after it speaks of those first.
    against = direction is Direction.BOTH and not after and any(m.start >= cue.end for m in others)
    return (between + (1 if against else 0), gap)


_BOTH = re.compile(
    r"\b(?:both|either|these|those|all|each)(?: (?:of|the|these|two|kinds of))* $", re.I
)


def _read_both(reading: Reading) -> None:
    """ "J-1 and H-1B: both visas are sponsored" says it of the two that were named."""
    for claim in [c for c in reading.claims if c.visa == ANY and c.stance is Stance.SPONSORED]:
        generals = [m for m in reading.mentions if m.visa == ANY]
        if any(_BOTH.search(reading.text.text[: m.start]) for m in generals):
            named = [m for m in reading.unclaimed if m.visa in (Visa.J1, Visa.H1B)]
            reading.claims += [replace(claim, visa=m.visa) for m in named]
            reading.unclaimed = [m for m in reading.unclaimed if m not in named]


def _read_citizens(reading: Reading, live: Sequence[Hit]) -> None:
    """ "Citizens only" refuses every visa, unless the sentence goes on to admit one."""
    hits = [h for h in live if h.rule.kind is RuleKind.CITIZENS]
    if not hits:
        return
    refused = {c.visa for c in reading.claims if c.stance is Stance.NOT_SPONSORED}
    if all(v in refused or v in (ANY, *STATUSES) for v in reading.visas):
        reading.citizens = tuple(dict.fromkeys(h.rule.id for h in hits))


_WORD = re.compile(r"[a-z0-9-]+")
_MAX_UNKNOWN = 3  # words between a verb and the visa it takes
_PREPOSITIONS = frozenset(("to", "for", "about", "on", "with", "regarding", "of", "in"))


def _leftover(text: str, mentions: Sequence[Mention], hits: Sequence[Hit]) -> int:
    """How many words are left beside visas, conditions, asides in brackets and small words."""
    known = [(m.start, m.end) for m in mentions]
    known += [(h.start, h.end) for h in hits if h.rule.kind is RuleKind.CONDITION]
    known += [
        (b.start(), b.end())
        for b in _BRACKET.finditer(text)
        if not any(b.start() <= m.start < b.end() for m in mentions)
    ]
    kept = list(text)
    for start, end in known:
        kept[start:end] = " " * (end - start)
    words = _ALPHANUMERIC.findall("".join(kept).lower())
    small = rulebook().words["small"]
    return sum(1 for w in words if len(w) > 1 and w not in small and not w.isdigit())


_ALPHANUMERIC = re.compile(r"[^\W_]+")


# "Because of the proclamation, ...": news is the reason, not the subject.
_ON_ACCOUNT = re.compile(
    r"\b(?:in response to|because of|due to|given|following|in (?:the )?light of|owing to|until"
    r"|in view of|pending|since|as a result of|under)\b[^,;.]{0,80}$"
    r"|, (?:or |and )?(?:even|who|whose|which|including|regardless|whether)\b[^,;.]{0,80}$",
    re.I,
)
_BRACKET = re.compile(r"\([^()]{0,200}\)")
