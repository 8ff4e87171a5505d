"""The labelled cases of several channels (tests/data/fused_cases.txt), in their shorthand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from extractors import Condition, ConditionKind, Stance, Visa
from sources import Channel, Evidence, fuse

TODAY = date(2026, 11, 28)
SEASON = 2027
CASES = Path(__file__).parent.parent / "tests" / "data" / "fused_cases.txt"

_CHANNELS = {channel[0].upper(): channel for channel in Channel} | {"M": Channel.MAINTAINER}
_VISAS = {"J": Visa.J1, "H": Visa.H1B}
_STANCES = {
    "+": Stance.SPONSORED,
    "~": Stance.CONDITIONAL,
    "-": Stance.NOT_SPONSORED,
    "!": Stance.CONFLICTING,
}
_SEASONS = {"last": -1, "older": -2, "ahead": 1}


@dataclass(frozen=True)
class Case:
    """What is known of a program, and what it comes to; `line` says where it is written."""

    kind: str
    line: int
    evidence: tuple[Evidence, ...]
    answer: dict[Visa, tuple[Stance, Channel]]
    review: bool
    disputed: frozenset[Visa]

    @property
    def right(self) -> bool:
        """Whether it comes out so: what stands, by whom, what is disputed, if it needs a review."""
        fused = fuse(self.evidence, TODAY)
        return (
            dict(fused.policy.stances)
            == {visa: stance for visa, (stance, _) in self.answer.items()}
            and all(fused.channels(v) == (channel,) for v, (_, channel) in self.answer.items())
            and set(fused.disputed) == self.disputed
            and fused.policy.needs_review == self.review
        )


def cases() -> list[Case]:
    """All labelled cases."""
    found, kind = [], ""
    for number, line in enumerate(CASES.read_text("utf-8").splitlines(), 1):
        if line.startswith("["):
            kind = line.strip("[]")
        elif line.strip() and not line.startswith("#"):
            found.append(_case(kind, number, line))
    return found


def evidence(text: str) -> Evidence:
    """`W 2d J+ H- doubtful` as evidence."""
    letter, age, *words = text.split()
    if age in _SEASONS:
        back = _SEASONS[age]
        day, season = TODAY.replace(year=TODAY.year + back), SEASON + back
    else:
        day = TODAY - timedelta(days=int(age.removesuffix("d")))
        season = day.year + (day.month >= 6)
    channel = _CHANNELS[letter]
    stances, conditions, since, who, flags = [], [], "", "", set()
    for word in words:
        if word[0] in _VISAS and word[1:] in _STANCES:
            stances.append((_VISAS[word[0]], _STANCES[word[1:]]))
        elif word.startswith("@"):
            who = word[1:]
        elif word.startswith("since="):
            begun = TODAY - timedelta(days=int(word[6:].removesuffix("d")))
            since = f"{begun}T09:00:00Z"
        elif word.startswith("step3="):
            conditions.append(Condition(Visa.H1B, ConditionKind.STEP3_PASSED, word[6:]))
        else:
            flags.add(word)
    assert flags <= {"unread", "doubtful", "ok"}, text
    return Evidence(
        channel,
        f"{day}T09:00:00Z",
        season,
        tuple(stances),
        tuple(conditions),
        who=who,
        since=since,
        confirmed="ok" in flags if channel is Channel.RESIDENT else "unread" not in flags,
        doubtful="doubtful" in flags,
    )


def _case(kind: str, line: int, text: str) -> Case:
    known, _, answer = text.partition("=>")
    words = answer.split()
    disputed = words[words.index("disputed") + 1] if "disputed" in words else ""
    stated = [
        word for word in words if word[0] in _VISAS and len(word) == 3 and word[2] in "MCWIFR"
    ]
    return Case(
        kind,
        line,
        tuple(evidence(part) for part in known.split(";") if part.strip()),
        {_VISAS[w[0]]: (_STANCES[w[1]], _CHANNELS[w[2]]) for w in stated},
        "review" in words,
        frozenset(_VISAS[letter] for letter in disputed),
    )
