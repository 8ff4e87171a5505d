"""The phrase rules: read from the TOML files beside, checked, and matched.

The engine knows no phrase and the files know no engine: a rule says in plain words what it
means, and carries sentences in which it must and must not fire. docs/rules.md is the guide.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from functools import cache, lru_cache, wraps
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import re2

from extractors.conditions import ConditionKind
from extractors.specialties import Specialties, Specialty, specialty
from extractors.values import Visa

_SECOND_READER = Path(__file__).parent / "second" / "version.txt"  # a hash of its model
_ENGINE = 4  # raise by hand when the same rules would be read differently
_folder = Path(__file__).parent / "rules"
_FRAGMENT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_MAX_NESTING = 6  # fragments within fragments


class RuleKind(StrEnum):
    """What a rule says of the words it matches."""

    VISA = "visa"  # names a visa or status
    OFFER = "offer"  # "we sponsor", "are accepted"
    MILD_OFFER = "mild_offer"  # "must hold a", "eligible for": offered, without saying so
    UNNAMED = "unnamed"  # "must be sponsored by ECFMG": a J-1, mildly offered
    REFUSE = "refuse"  # "do not sponsor", "are not accepted"
    NEGATION = "negation"  # "not", "neither": turns the next offer, unless a rule has it already
    FOR = "for"  # leans for a visa that no cue claims: "our doors are open to"
    AGAINST = "against"  # leans against one: "steer clear of"
    UNDO = "undo"  # a refusal that is denied: offers, and cancels the cues it covers
    ONLY = "only"  # the visas in the match, and no other
    ALONE = "alone"  # "only", "one visa": the J-1 that it points to, and no other
    EXCEPT = "except"  # "other than the J-1": in a refusal, all but that
    CITIZENS = "citizens"  # citizens (and permanent residents) only
    CONDITION = "condition"  # "case by case", "Step 3 must be passed"
    PSEUDO = "pseudo"  # a longer phrase that cancels the cues it covers
    NOT_ONLY = "not_only"  # an "only" that excludes no visa: "not only", "only if"
    DECOY = "decoy"  # a phrase that cancels the visas it covers, too: "J-1 documents"
    ASIDE = "aside"  # its clause is about something else: moonlighting, waivers
    TELLS_NOTHING = "tells_nothing"  # a title, or the news: nothing of what a program does
    HEADS_NOTHING = "heads_nothing"  # likewise, nor does what stands below it belong to it
    END = "end"  # ends the reach of what stands before: "but", "whereas"
    OTHERS = "others"  # the sentence is about scholars, observers, faculty
    TRAINEES = "trainees"  # the sentence is about residents and fellows
    LEANS_BACK = "leans_back"  # the sentence speaks of what was said before it
    YES = "yes"  # an answer begins with yes
    NO = "no"  # an answer begins with no
    # Whom a sentence speaks of, and when (rules/scope.toml); they say nothing of visas.
    RESIDENTS = "residents"
    FELLOWS = "fellows"
    EVERYONE = "everyone"  # residents and fellows
    INSTITUTION = "institution"
    DEPARTMENT = "department"
    SIBLING = "sibling"  # other programs
    SELF = "self"  # this program
    EXCEPTION = "exception"  # all but those named next
    EXCLUSIVE = "exclusive"  # those named next, and nobody else
    EXCLUSIVE_BACK = "exclusive_back"  # those named before, and nobody else
    PAST = "past"
    PRESENT = "present"
    SEASON = "season"  # one season, by its year
    NO_SCOPE = "no_scope"  # a longer phrase that cancels the scope words it covers


SCOPE_KINDS = frozenset(
    (
        RuleKind.RESIDENTS,
        RuleKind.FELLOWS,
        RuleKind.EVERYONE,
        RuleKind.INSTITUTION,
        RuleKind.DEPARTMENT,
        RuleKind.SIBLING,
        RuleKind.SELF,
        RuleKind.EXCEPTION,
        RuleKind.EXCLUSIVE,
        RuleKind.EXCLUSIVE_BACK,
        RuleKind.PAST,
        RuleKind.PRESENT,
        RuleKind.SEASON,
        RuleKind.NO_SCOPE,
    )
)

EMPTY_KINDS = frozenset((RuleKind.TELLS_NOTHING, RuleKind.HEADS_NOTHING))


class Direction(StrEnum):
    """Where the visas of a cue stand (as in medspaCy's ConText)."""

    FORWARD = "forward"  # "we sponsor >"
    BACKWARD = "backward"  # "< are accepted"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Rule:
    """One phrase, as written in a rule file. The keys of a file are these fields."""

    id: str
    says: str
    kind: RuleKind
    match: str
    source: str  # an address and when it was seen, or a labelled passage: "statement 4", "d012"
    yes: tuple[str, ...]
    no: tuple[str, ...] = ()
    direction: Direction = Direction.BOTH
    visa: str | None = None  # of kinds visa and unnamed: a Visa, "any", "both", "other" or "same"
    condition: ConditionKind | None = None  # of kind condition
    file: str = ""  # where it is written; the loader's, no key of a file


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule's match in a text."""

    rule: Rule
    start: int
    end: int


# Bytes that RE2 may take for a rule, of which there are 200: with 64 KB it reads no slower, but for
# some that is too little. Such have the second, which no rule so far needs.
_RULE_MEMORY, _LONG_RULE_MEMORY = 1 << 17, 12 << 20
_MAX_HITS = 50  # of one rule in a sentence (1,500 characters): more is not prose


_REMEMBERED = 512  # texts
_forgets: list[Callable[[], None]] = []

Read = TypeVar("Read")


class RuleError(ValueError):
    """A rule file that cannot be used; the message names file, rule and fault."""


def _options(memory: int) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = memory
    return options


class Matcher:
    """Rules of some kinds. A Filter looks for words that a rule cannot match without, all in one
    pass, and asks those rules alone of which it found some; each that matches then says where.

    One automaton for all rules would need no second look, but it is another one after each word
    that any of them might go on from: it takes four times as long to read prose that is new.
    """

    def __init__(self, rules: Iterable[Rule], fragments: Mapping[str, str]) -> None:
        self._rules: list[tuple[Rule, Any]] = []  # with its pattern, compiled
        self._filter = re2.Filter()
        for number, rule in enumerate(rules):
            try:
                _add(self._filter, expand(rule.match, fragments))
            except (re2.error, RuleError) as error:
                raise RuleError(f"{rule.file}: rule {rule.id!r}: bad match: {error}") from error
            self._rules.append((rule, self._filter.re(number)))
        if self._rules:
            self._filter.Compile()

    def hits(self, text: str) -> Iterator[Hit]:
        """Every match of every rule, rule by rule; group 1 gives the span where there is one."""
        if not self._rules:
            return
        # RE2 works on bytes, and counts the characters of a str anew at each match.
        data: str | bytes = text.encode() if text.isascii() else text
        for number in self._filter.Match(data) or ():
            rule, pattern = self._rules[number]
            for match in islice(pattern.finditer(data), _MAX_HITS):
                start, end = match.span(1 if pattern.groups and match.group(1) else 0)
                if end > start:
                    yield Hit(rule, start, end)


def _add(to: Any, pattern: str) -> None:
    try:
        to.Add(pattern, _options(_RULE_MEMORY))
    except re2.error:  # it does not say why
        re2.compile(pattern, _options(_LONG_RULE_MEMORY))
        to.Add(pattern, _options(_LONG_RULE_MEMORY))


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All rules: `spellings` run on folded text, the others on text with visas spelled one way.

    `empty` are those of the phrases that tell or head nothing. They alone are asked of the prose
    around a visa, which no page has like another: all phrases would take ten times as long.
    """

    rules: tuple[Rule, ...]
    spellings: Matcher
    phrases: Matcher
    empty: Matcher
    scopes: Matcher
    specialties: Specialties
    words: Mapping[str, frozenset[str]]


@cache
def rulebook() -> Rulebook:
    """The rules that come with the package."""
    return load(_folder)


def use(folder: Path) -> None:
    """Read the rules of another folder in this process: to try a changed copy of them."""
    global _folder
    _folder = folder
    rulebook.cache_clear()
    rules_version.cache_clear()
    for forget in _forgets:
        forget()


def remembered(read: Callable[[str], Read]) -> Callable[[str], Read]:
    """Keeps what `read` made of the last texts with these rules.

    Several steps ask the same of one sentence, and the pages of one institution have the same
    sentences. What is kept is handed to all who ask: nobody may change it.
    """
    keeping = lru_cache(maxsize=_REMEMBERED)(read)
    _forgets.append(keeping.cache_clear)
    return wraps(read)(keeping)


@cache
def rules_version() -> str:
    """A short name for both readers as they are, so that stored readings can be told stale."""
    digest = hashlib.sha256(str(_ENGINE).encode() + _SECOND_READER.read_bytes())
    for path in sorted(_folder.glob("*.toml")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def load(folder: Path) -> Rulebook:
    """Read every rule file of `folder`; raises RuleError for the first fault."""
    fragments: dict[str, str] = {}
    rules: dict[str, Rule] = {}
    words: dict[str, frozenset[str]] = {}
    known: list[Specialty] = []
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise RuleError(f"{folder}: no rule files (*.toml)")
    for path in paths:
        data = _tables(path)
        for name, pattern in data.get("fragments", {}).items():
            if name in fragments:
                raise RuleError(f"{path.name}: fragment {name!r} is defined twice")
            fragments[name] = pattern
        for name, listed in data.get("words", {}).items():
            if name in words:
                raise RuleError(f"{path.name}: words {name!r} are listed twice")
            words[name] = frozenset(listed.split())
        for entry in data.get("specialty", []):
            try:
                known.append(specialty(entry))
            except ValueError as error:
                raise RuleError(f"{path.name}: {error}") from error
        for entry in data.get("rule", []):
            rule = _rule(path.name, entry)
            if rule.id in rules:
                raise RuleError(f"{path.name}: rule {rule.id!r} is defined twice")
            rules[rule.id] = rule
    spellings = Matcher((r for r in rules.values() if r.kind is RuleKind.VISA), fragments)
    spoken = (r for r in rules.values() if r.kind not in (RuleKind.VISA, *SCOPE_KINDS))
    phrases = Matcher(spoken, fragments)
    empty = Matcher((r for r in rules.values() if r.kind in EMPTY_KINDS), fragments)
    scopes = Matcher((r for r in rules.values() if r.kind in SCOPE_KINDS), fragments)
    specialties = Specialties(known, words.get("not_a_specialty", frozenset()))
    return Rulebook(tuple(rules.values()), spellings, phrases, empty, scopes, specialties, words)


def _tables(path: Path) -> dict[str, Any]:
    """What a rule file holds: texts by name, and rules."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise RuleError(f"{path.name}: {error}") from error
    known = {"fragments": dict, "words": dict, "rule": list, "specialty": list}
    for table, content in data.items():
        if table not in known or not isinstance(content, known[table]):
            raise RuleError(f"{path.name}: unknown table {table!r}")
    for table in ("fragments", "words"):
        for name, text in data.get(table, {}).items():
            if not isinstance(text, str):
                raise RuleError(f"{path.name}: {name!r} of {table!r} is not a text")
    for table in ("rule", "specialty"):
        if not all(isinstance(entry, dict) for entry in data.get(table, ())):
            raise RuleError(f"{path.name}: each {table} begins with [[{table}]]")
    return data


def expand(pattern: str, fragments: Mapping[str, str]) -> str:
    """`pattern` with each {name} replaced by its fragment, as a group without capture."""
    for _ in range(_MAX_NESTING):
        if not _FRAGMENT.search(pattern):
            return pattern
        pattern = _FRAGMENT.sub(lambda m: f"(?:{_fragment(m.group(1), fragments)})", pattern)
    raise RuleError(f"fragments nest too deep in {pattern[:80]!r}")


def _fragment(name: str, fragments: Mapping[str, str]) -> str:
    if name not in fragments:
        raise RuleError(f"unknown fragment {{{name}}}")
    return fragments[name]


def _rule(file: str, entry: Mapping[str, Any]) -> Rule:
    """A checked rule; the allowed keys are the fields of `Rule`."""
    where = f"{file}: rule {entry.get('id', '?')!r}"
    allowed = {f.name: f for f in fields(Rule) if f.name != "file"}
    for key, value in entry.items():
        if key not in allowed:
            raise RuleError(f"{where}: unknown key {key!r}; known: {', '.join(allowed)}")
        form, called = (list, "a list of texts") if key in ("yes", "no") else (str, "a text")
        if not isinstance(value, form) or not all(isinstance(v, str) for v in value):
            raise RuleError(f"{where}: {key!r} is not {called}")
    for name, field in allowed.items():
        if field.default is MISSING and not entry.get(name):
            raise RuleError(f"{where}: {name!r} is missing or empty")
    try:
        rule = Rule(
            id=entry["id"],
            says=entry["says"],
            kind=RuleKind(entry["kind"]),
            match=entry["match"],
            source=entry["source"],
            yes=tuple(entry["yes"]),
            no=tuple(entry.get("no", ())),
            direction=Direction(entry.get("direction", "both")),
            visa=entry.get("visa"),
            condition=ConditionKind(entry["condition"]) if "condition" in entry else None,
            file=file,
        )
    except ValueError as error:
        raise RuleError(f"{where}: {error}") from error
    if (rule.kind in (RuleKind.VISA, RuleKind.UNNAMED)) != (rule.visa is not None):
        raise RuleError(f"{where}: 'visa' goes with kinds 'visa' and 'unnamed', and only them")
    if rule.visa not in (None, "any", "both", "other", "same", *Visa):
        raise RuleError(f"{where}: no visa is called {rule.visa!r}")
    if (rule.kind is RuleKind.CONDITION) != (rule.condition is not None):
        raise RuleError(f"{where}: 'condition' goes with kind 'condition', and only with it")
    return rule
