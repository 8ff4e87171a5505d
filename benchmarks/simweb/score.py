"""Compares what was flagged and shown with what was due: misses, false alarms, wrong policies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.simweb.truth import Due
from benchmarks.simweb.values import SimProgram, World
from benchmarks.simweb.waves import FEWEST, Wave, planned
from benchmarks.simweb.words import Meaning

SOON = 2  # nights in which a page that a wave has reached can be seen, if it ever joins
LATEST = 7  # nights after which a change that was flagged counts as missed


@dataclass(frozen=True, slots=True)
class Flag:
    """One change that the monitor flagged, but for mere wording."""

    program: str
    night: int
    kind: str
    before: str  # the quotes
    after: str
    wave: int | None = None  # the wave that it was told as part of


@dataclass(frozen=True, slots=True)
class Wrong:
    """A policy that was shown and is not the program's."""

    program: str
    night: int
    shown: str
    expected: str


@dataclass(slots=True)
class Score:
    """What a run came to."""

    due: int = 0
    on_time: int = 0
    late: list[tuple[Due, Flag]] = field(default_factory=list)
    missed: list[Due] = field(default_factory=list)
    false: list[Flag] = field(default_factory=list)
    doubles: list[Flag] = field(default_factory=list)
    shown: int = 0
    wrong: list[Wrong] = field(default_factory=list)
    told: list[tuple[Due, Flag]] = field(default_factory=list)
    waves: int = 0  # that reached enough institutions to be told as one ...
    torn: list[int] = field(default_factory=list)  # ... and were not, or not wholly
    false_waves: list[int] = field(default_factory=list)  # told, and nothing was planned
    offices: int = 0  # nights of an institution in which a rule of its office changed several ...
    scattered: list[tuple[str, int]] = field(default_factory=list)  # ... told more than once
    misread: int = 0  # of the errors: those of programs of which a page is misread by itself
    wordings: int = 0  # minor changes: the same policy in other words
    seconds: float = 0.0

    @property
    def recall(self) -> float:
        """The share of true changes that were flagged."""
        return 1 - len(self.missed) / self.due if self.due else 1.0

    @property
    def punctual(self) -> float:
        """The share of true changes that were flagged when they were due."""
        return self.on_time / self.due if self.due else 1.0

    @property
    def precision(self) -> float:
        """The share of alarms that were true changes, told for the first time."""
        right = self.on_time + len(self.late)
        alarms = right + len(self.false) + len(self.doubles)
        return right / alarms if alarms else 1.0

    @property
    def accuracy(self) -> float:
        """The share of right policies, of reachable programs, over all nights."""
        return 1 - len(self.wrong) / self.shown if self.shown else 1.0

    @property
    def whole(self) -> float:
        """The share of waves that were told as one, with all of their members."""
        return 1 - len(self.torn) / self.waves if self.waves else 1.0

    def row(self) -> dict[str, str]:
        """The figures, for a table."""
        return {
            "changes": str(self.due),
            "recall": f"{self.recall:.4f}",
            "on time": f"{self.punctual:.4f}",
            "precision": f"{self.precision:.4f}",
            "late": str(len(self.late)),
            "missed": str(len(self.missed)),
            "false": str(len(self.false)),
            "doubles": str(len(self.doubles)),
            "policies": f"{self.accuracy:.5f}",
            "waves": f"{self.waves - len(self.torn)}/{self.waves}",
            "offices": f"{self.offices - len(self.scattered)}/{self.offices}",
            "false waves": str(len(self.false_waves)),
            "misread": str(self.misread),
            "minor": str(self.wordings),
            "seconds": f"{self.seconds:.0f}",
        }


def match(score: Score, due: Iterable[Due], flags: Iterable[Flag]) -> None:
    """Gives each true change the first alarm of its program that can be its own."""
    wanted: dict[str, list[Due]] = defaultdict(list)
    raised: dict[str, list[Flag]] = defaultdict(list)
    for one in due:
        wanted[one.program].append(one)
    for flag in flags:
        raised[flag.program].append(flag)
    for program in sorted({*wanted, *raised}):
        _match_program(score, wanted[program], raised[program])


def _match_program(score: Score, due: Sequence[Due], flags: list[Flag]) -> None:
    left = sorted(flags, key=lambda flag: flag.night)
    told: list[tuple[Due, Flag]] = []
    late: list[Due] = []
    for one in due:
        found = next((f for f in left if one.appeared <= f.night <= one.due), None)
        if found is None:
            if one.kind != "unfinished":
                late.append(one)
            continue
        left.remove(found)
        told.append((one, found))
        score.on_time += 1
    for one in late:
        found = next((f for f in left if one.due < f.night <= one.due + LATEST), None)
        if found is None:
            score.missed.append(one)
            continue
        left.remove(found)
        told.append((one, found))
        score.late.append((one, found))
    score.told += told
    in_time = [one for one in due if one.kind != "unfinished" or one in (t for t, _ in told)]
    score.due += len(in_time)
    for flag in left:
        again = any(f.after == flag.after and f.night < flag.night for _, f in told)
        (score.doubles if again else score.false).append(flag)


def match_waves(score: Score, world: World, flags: Iterable[Flag]) -> None:
    """Whether each planned wave was told as one; after `match`."""
    true: set[int | None] = {None}
    for wave in planned(world):
        nights = {p.id: _reached(p, wave) for p in world.programs}
        members = [
            (due, flag)
            for due, flag in score.told
            if (night := nights[due.program]) and night <= due.appeared <= night + SOON
            if _refuses(due)
        ]
        where = {p.id: p.site for p in world.programs}
        told = {flag.wave for _, flag in members}
        true |= told
        if len({where[due.program] for due, _ in members}) >= FEWEST:
            score.waves += 1
            if len(told) > 1 or None in told:
                score.torn.append(wave.number)
    found = {flag.wave for flag in flags}
    score.false_waves = sorted(number for number in found - true if number is not None)


def _refuses(due: Due) -> bool:
    """Whether a program comes to refuse the H-1B, as all that a wave reaches."""
    before, after = (meaning.stance("H-1B") for meaning in (due.before, due.after))
    return after == "not_sponsored" != before != "conflicting"


def match_offices(
    score: Score, world: World, flags: Iterable[Flag], mails: Mapping[tuple[int, int], list[str]]
) -> None:
    """Whether what an office changed was told as one entry.

    `mails` are the texts that told of an institution, by the number of its site and by night.
    """
    known = {program.id: program for program in world.programs}
    nights: dict[tuple[int, int], list[Flag]] = defaultdict(list)
    for flag in flags:
        nights[known[flag.program].site, flag.night].append(flag)
    for (site, night), flagged in sorted(nights.items()):
        inherit = [flag for flag in flagged if known[flag.program].kind == "office"]
        rules = {(flag.before, flag.after) for flag in inherit}
        if len(rules) == len(inherit):  # none of them is of several programs
            continue
        score.offices += 1
        told = mails.get((site, night), [])
        name = world.sites[site].name
        lines = [line.removeprefix("- ") for text in told for line in text.splitlines()]
        entries = [line for line in lines if line.startswith((f"{name} (", f"{name}, "))]
        if len(told) != 1 or len(entries) > len(rules) + len(flagged) - len(inherit):
            score.scattered.append((name, night))


def _reached(program: SimProgram, wave: Wave) -> int:
    """The night in which a wave reached a page that speaks for a program; 0 if it did not."""
    return max((wave.reached.get(key, 0) for key in (*program.pages, program.office)), default=0)


def words_of(meaning: Meaning) -> str:
    """A meaning in one line."""
    stances = ", ".join(f"{visa} {stance}" for visa, stance in sorted(meaning.stances))
    conditions = ", ".join(
        f"{visa} {kind}{f' by {by}' if by else ''}"
        for visa, kind, by in sorted(meaning.conditions, key=str)
    )
    return f"{stances or 'nothing'}{f' ({conditions})' if conditions else ''}"
