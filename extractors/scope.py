"""Whom a statement speaks of: residents or fellows, a specialty, an institution; and when.

The words are in rules/scope.toml, the specialties in rules/specialties.toml.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any

from extractors.reading_text import ReadingText
from extractors.rulebook import RuleKind, remembered, rulebook

RESIDENCY, FELLOWSHIP, EVERYONE = "residency", "fellowship", "all"
INSTITUTION, DEPARTMENT, SIBLING = "institution", "department", "sibling"


@dataclass(frozen=True, slots=True)
class Asker:
    """The program that asks what a page says to it; what is empty is not known."""

    level: str = ""  # residency | fellowship
    specialty: str = ""
    institution: str = ""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whom and when a statement speaks of; what is empty is not limited."""

    level: str = ""  # residency | fellowship | all
    specialties: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()  # "all departments except ..."
    breadth: str = ""  # institution | department | sibling
    season: int = 0  # the Match's year, or that of the academic year's end
    onward: bool = False  # from that season on
    past: bool = False

    def within(self, outer: Scope) -> Scope:
        """This scope, limited further by the one that it stands in."""
        if outer == _EVERYWHERE:
            return self
        free = not self.specialties and not self.excluded and not self.breadth
        return replace(
            self,
            level=self.level or outer.level,
            specialties=outer.specialties if free else self.specialties,
            excluded=outer.excluded if free else self.excluded,
            breadth=outer.breadth if free else self.breadth,
            season=self.season or outer.season,
            onward=self.onward if self.season else outer.onward,
            past=self.past or (outer.past and not self.season and not self.onward),
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values, without what is empty."""
        found: dict[str, Any] = {}
        for name in ("level", "specialties", "excluded", "breadth", "season", "onward", "past"):
            value = getattr(self, name)
            if value:
                found[name] = list(value) if isinstance(value, tuple) else value
        return found

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Scope:
        """The scope that `to_json` wrote."""
        lists = {name: tuple(data.get(name, ())) for name in ("specialties", "excluded")}
        return cls(**{**data, **lists})


_EVERYWHERE = Scope()


@lru_cache(maxsize=4096)
def _asked(specialty: str) -> tuple[frozenset[str], frozenset[str]]:
    """A specialty's names, and the departments it belongs to."""
    known = rulebook().specialties
    names = known.called(specialty)
    return names, known.departments(names)


def applies(scope: Scope, asker: Asker) -> bool:
    """Whether a statement of this scope speaks of the program that asks."""
    if scope.breadth == SIBLING:
        return False
    if scope.level in (RESIDENCY, FELLOWSHIP) and asker.level not in ("", scope.level):
        return False
    names, departments = _asked(asker.specialty)
    if not names:
        return True
    if names & set(scope.excluded):
        return False
    if not scope.specialties or names & set(scope.specialties):
        return True
    whole = scope.breadth == DEPARTMENT or scope.level == FELLOWSHIP
    return whole and bool(departments & set(scope.specialties))


def closeness(scope: Scope, asker: Asker) -> int:
    """How specifically a statement that applies speaks of the program that asks."""
    names, _ = _asked(asker.specialty)
    close = 0
    if names and (scope.specialties or scope.excluded):
        close += 4 if names & set(scope.specialties) else 2
    elif scope.breadth == INSTITUTION:
        close -= 1
    if scope.level == FELLOWSHIP and asker.level == FELLOWSHIP:
        close += 2
    return close


@dataclass(frozen=True, slots=True)
class Mark:
    """A word that says whom or when; `value` is a level, a specialty or a year."""

    kind: RuleKind | None  # None for a specialty
    start: int
    end: int
    value: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """The scope of a stretch of text; those left out by it are told the opposite."""

    scope: Scope
    opposite: Scope | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sentence that speaks of one scope; offsets in the raw sentence."""

    start: int
    end: int
    said: Said


_LEVELS = {
    RuleKind.RESIDENTS: RESIDENCY,
    RuleKind.FELLOWS: FELLOWSHIP,
    RuleKind.EVERYONE: EVERYONE,
}
_TIMES = (RuleKind.PAST, RuleKind.PRESENT, RuleKind.SEASON)
_SEPARATOR = re.compile(
    r";|,? ?\b(?:while|whereas|but|although|though|however|and|yet|with)\b|,| - |\. |/"
)
_CONTRAST = re.compile(r";|,? ?\b(?:while|whereas|but|although|though|however)\b")
_LEADING = 30  # characters: "All programs of the hospital ..." is about the hospital
_YEAR = re.compile(r"(20\d\d)(?:[-/](?:20)?(\d\d))?")
_ONWARD = re.compile(
    r"\b(?:starting|beginning|effective|from|as of|commencing|since)\b[^.;]{0,20}$", re.I
)
_ALONE = re.compile(
    r"(?: \w+)? (?:only|alone|exclusively)\b(?! if\b| when\b| after\b| for\b)", re.I
)
_ADJACENT = re.compile(r"[\s,]*(?:the |our |those in |in |for |residents in |fellows in )*$", re.I)


def marks(text: ReadingText) -> tuple[Mark, ...]:
    """The scope words of a text, in order."""
    return _marks(text.text)


@remembered
def _marks(text: str) -> tuple[Mark, ...]:
    hits = list(rulebook().scopes.hits(text))
    cancels = [h for h in hits if h.rule.kind is RuleKind.NO_SCOPE]
    wide = [h for h in hits if h.rule.kind is RuleKind.EVERYONE]
    found: list[Mark] = []
    for hit in hits:
        kind = hit.rule.kind
        if kind is RuleKind.NO_SCOPE or any(c.start <= hit.start < c.end for c in cancels):
            continue
        if kind in (RuleKind.RESIDENTS, RuleKind.FELLOWS) and any(
            w.start <= hit.start and hit.end <= w.end for w in wide
        ):
            continue
        value = _LEVELS.get(kind, "")
        if kind is RuleKind.SEASON:
            value = str(_year(text[hit.start : hit.end]))
        found.append(Mark(kind, hit.start, hit.end, value))
    past = [m for m in found if m.kind is RuleKind.PAST]
    found = [
        m
        for m in found
        if m.kind not in (RuleKind.SEASON, RuleKind.PRESENT)
        or not any(p.start <= m.start < p.end for p in past)
    ]
    for named in rulebook().specialties.named(text):
        if not any(c.start <= named.start < c.end for c in cancels):
            found.append(Mark(None, named.start, named.end, named.name))
    return tuple(sorted(found, key=lambda m: (m.start, m.end)))


def _year(text: str) -> int:
    match = _YEAR.search(text)
    if match is None:
        return 0
    year = int(match.group(1))
    return year - year % 100 + int(match.group(2)) if match.group(2) else year


def scope_of(text: ReadingText, found: Sequence[Mark], start: int = 0) -> Said:
    """What marks, of one stretch of a text that begins at `start`, limit its words to."""
    kinds = {m.kind for m in found}
    named, left_out = _split(text, found)
    levels = {m.value for m in named if m.kind in _LEVELS}
    not_levels = {m.value for m in left_out if m.kind in _LEVELS}
    level = next(iter(levels)) if len(levels) == 1 else EVERYONE if levels else ""
    if len(not_levels) == 1 and not levels - {EVERYONE}:
        level = _other(next(iter(not_levels)))
    specialties = tuple(dict.fromkeys(m.value for m in named if m.kind is None))
    excluded = tuple(dict.fromkeys(m.value for m in left_out if m.kind is None))
    breadth = ""
    if RuleKind.SIBLING in kinds and RuleKind.SELF not in kinds and not specialties:
        breadth = SIBLING
    elif specialties and RuleKind.DEPARTMENT in kinds:
        breadth = DEPARTMENT
    elif not specialties and any(
        m.kind is RuleKind.INSTITUTION and m.start - start < _LEADING for m in found
    ):
        breadth = INSTITUTION
    seasons = [m for m in found if m.kind is RuleKind.SEASON and m.value != "0"]
    season = max((int(m.value) for m in seasons), default=0)
    onward = any(_ONWARD.search(text.text[: m.start]) for m in seasons)
    past = RuleKind.PAST in kinds and RuleKind.PRESENT not in kinds and not season
    scope = Scope(level, specialties, excluded, breadth, season, onward, past)
    return Said(scope, _opposite(scope, text, found))


def _split(text: ReadingText, found: Sequence[Mark]) -> tuple[list[Mark], list[Mark]]:
    """The marks that are meant, and those named after "except"."""
    named: list[Mark] = []
    left_out: list[Mark] = []
    exception: Mark | None = None
    for mark in found:
        if mark.kind is RuleKind.EXCEPTION:
            exception = mark
        elif exception is not None and not _visa_between(text, exception.end, mark.start):
            left_out.append(mark)
        else:
            named.append(mark)
    return named, left_out


def _visa_between(text: ReadingText, start: int, end: int) -> bool:
    return any(start <= m.start < end for m in text.mentions)


def _opposite(scope: Scope, text: ReadingText, found: Sequence[Mark]) -> Scope | None:
    """Those to whom the opposite is told by "only for", "except"."""
    if scope.excluded:
        return replace(scope, specialties=scope.excluded, excluded=())
    if any(m.kind is RuleKind.EXCEPTION for m in found) and scope.level in (RESIDENCY, FELLOWSHIP):
        return replace(scope, level=_other(scope.level))
    alone = any(m.kind is RuleKind.EXCLUSIVE_BACK for m in found) or any(
        _ALONE.match(text.text[m.end :]) for m in found if m.kind is None or m.kind in _LEVELS
    )
    for mark in found:
        if mark.kind is RuleKind.EXCLUSIVE:
            alone = alone or any(
                m.start >= mark.end
                and (m.kind is None or m.kind in _LEVELS)
                and _ADJACENT.match(text.text[mark.end : m.start])
                for m in found
            )
    if not alone:
        return None
    if scope.specialties:
        return replace(scope, specialties=(), excluded=scope.specialties, breadth="")
    if scope.level in (RESIDENCY, FELLOWSHIP):
        return replace(scope, level=_other(scope.level))
    return None


def _other(level: str) -> str:
    return {RESIDENCY: FELLOWSHIP, FELLOWSHIP: RESIDENCY}.get(level, level)


def pieces(raw: str, text: ReadingText, found: Sequence[Mark]) -> list[Piece]:
    """A sentence, cut where it turns from one scope to another.

    "Residents on the J-1 only, fellows on the H-1B too" says two things to two programs.
    """
    cuts = sorted({cut for a, b in _turns(text, found) if (cut := _cut(text, a, b)) is not None})
    starts = [0, *(end for _, end in cuts)]
    ends = [*(start for start, _ in cuts), len(text.text)]
    out: list[Piece] = []
    for start, end in zip(starts, ends, strict=True):
        inside = [m for m in found if start <= m.start < end]
        first = text.origin[start] if start else 0
        last = text.origin[end] if end < len(text.text) else len(raw)
        out.append(Piece(first, last, scope_of(text, inside, start)))
    return out


def _turns(text: ReadingText, found: Sequence[Mark]) -> Iterable[tuple[Mark, Mark]]:
    """Neighbouring marks that say different things, with a visa between or on both sides."""
    for group in (
        [m for m in found if m.kind in _LEVELS],
        [m for m in found if m.kind is None],
        [m for m in found if m.kind in _TIMES],
        [m for m in found if m.kind in (RuleKind.SIBLING, RuleKind.SELF)],
        [m for m in found if m.kind in (RuleKind.INSTITUTION, RuleKind.SELF)],
        [m for m in found if m.kind is RuleKind.INSTITUTION or m.kind is None],
    ):
        for a, b in pairwise(group):
            differ = a.value != b.value if a.value and b.value else a.kind != b.kind
            if a.kind in (RuleKind.PRESENT, RuleKind.SEASON) and b.kind in (
                RuleKind.PRESENT,
                RuleKind.SEASON,
            ):
                differ = bool(a.value and b.value) and a.value != b.value
            around = _visa_between(text, 0, a.start) and _visa_between(text, b.end, len(text.text))
            if differ and (around or _visa_between(text, a.end, b.start)):
                yield a, b


def _cut(text: ReadingText, a: Mark, b: Mark) -> tuple[int, int] | None:
    """The separator where the sentence turns from one mark to the next."""
    mixed = _visa_between(text, a.end, b.start)
    # "The J-1 for residents and fellows, the H-1B ..." does not turn at its "and".
    separator = _SEPARATOR if mixed else _CONTRAST
    between = list(separator.finditer(text.text, a.end, b.start))
    if not between:
        return None
    leads = not _visa_between(text, between[-1].end(), b.start)
    return (between[-1] if leads else between[0]).span()
