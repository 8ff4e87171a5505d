"""The specialties of US training, by all the names that pages give them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import re2


@dataclass(frozen=True, slots=True)
class Specialty:
    """One specialty (an entry of rules/specialties.toml)."""

    name: str
    under: str = ""  # the department that a subspecialty belongs to
    parts: tuple[str, ...] = ()  # the trainings that a combined one holds
    also: tuple[str, ...] = ()  # in any case
    short: tuple[str, ...] = ()  # as they are written


@dataclass(frozen=True, slots=True)
class Named:
    """A specialty that a text names, and where."""

    name: str
    start: int
    end: int


def specialty(entry: Mapping[str, Any]) -> Specialty:
    """A checked entry; raises ValueError, which names the fault."""
    name = entry.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError("a specialty has no 'name'")
    lists = ("parts", "also", "short")
    for key, value in entry.items():
        if key not in ("name", "under", *lists):
            raise ValueError(f"specialty {name!r}: unknown key {key!r}")
        form = list if key in lists else str
        if not isinstance(value, form) or not all(isinstance(v, str) and v for v in value):
            raise ValueError(f"specialty {name!r}: {key!r} is not {form.__name__} of texts")
    parts, also, short = (tuple(entry.get(key, ())) for key in lists)
    return Specialty(name, entry.get("under", ""), parts, also, short)


class Specialties:
    """All specialties, findable in a text."""

    def __init__(self, known: Sequence[Specialty], decoys: frozenset[str]) -> None:
        self._by_name = {s.name: s for s in known}
        self._names: dict[str, str] = {}
        short: dict[str, str] = {}
        for one in known:
            for name in (one.name, *one.also):
                self._names.setdefault(name.lower(), one.name)
            short.update(dict.fromkeys(one.short, one.name))
        self._short = short
        spelled = sorted(self._names, key=len, reverse=True)
        options = re2.Options()
        options.max_mem = 64 << 20
        words = "|".join(map(re.escape, spelled)) or r"\z\b"
        shorts = "|".join(map(re.escape, sorted(short, key=len, reverse=True))) or r"\z\b"
        no = "|".join(map(re.escape, sorted(decoys))) or r"\z\b"
        self._find = re2.compile(
            rf"\b(?:(?P<decoy>(?i:(?:{no})s? (?:of|in) (?:\w+ )?(?:{words})|(?:{words}) (?:{no})))"
            rf"|(?P<name>(?i:{words}))|(?P<short>{shorts}))\b",
            options,
        )

    def named(self, text: str) -> Iterator[Named]:
        """The specialties that `text` names, in order; the longest name counts.

        >>> from extractors.rulebook import rulebook
        >>> [n.name for n in rulebook().specialties.named("OB/GYN and cardiology fellows")]
        ['Obstetrics and Gynecology', 'Cardiovascular Disease']
        """
        for match in self._find.finditer(text):
            if match.group("decoy"):
                continue
            name = match.group("name")
            known = self._names[name.lower()] if name else self._short[match.group("short")]
            yield Named(known, match.start(), match.end())

    def called(self, name: str) -> frozenset[str]:
        """What an asker's specialty stands for: itself, with the parts of a combined one."""
        plain = re.sub(r"\s*\([^)]*\)", "", name).strip()
        if not plain:
            return frozenset()
        known = self._names.get(plain.lower()) or self._short.get(plain)
        found = [known] if known else [n.name for n in self.named(plain)]
        if not found:
            return frozenset((plain.lower(),))
        return frozenset(p for f in found for p in (f, *self._by_name[f].parts))

    def departments(self, names: frozenset[str]) -> frozenset[str]:
        """The departments that these belong to."""
        known = (self._by_name[name] for name in names if name in self._by_name)
        return frozenset(s.under for s in known if s.under)
