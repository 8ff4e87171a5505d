"""What a page states: one sentence's word on one visa, and whom it speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from extractors.conditions import ConditionKind
from extractors.readings import Strength
from extractors.scope import Scope
from extractors.values import Condition, Evidence, Stance, Visa

UNREAD = "unread"  # in `rules`: a sentence on sponsoring that was not understood
NOT_ALONE = "not-alone"  # in `rules`: "only" is said of something else than the other visa
SECOND = "second-reader"  # in `rules`: by the second reader (extractors/second.py)
BESIDE = "beside"  # in `rules`: of a window that names the other visa, and not this one
NAMED = "named"  # in `rules`: a sentence that names the visa, and says nothing of it


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence's word on one visa; `start` and `end` are offsets in the page's text.

    A statement with `chances` is the second reader's, of a window. Of the rules' statements one
    without a stance (`UNSTATED`) puts conditions on a visa, or, by the rule `UNREAD`
    or `NAMED`, says that a sentence which names the visa was not understood.
    """

    visa: Visa
    stance: Stance
    strength: Strength
    quote: str
    start: int
    end: int
    rules: tuple[str, ...]
    block: int  # its number on the page
    conditions: tuple[Condition, ...] = ()
    scope: Scope = field(default_factory=Scope)
    context: str = ""
    leftover: int = 0  # words that no rule knows
    chances: tuple[float, ...] = ()  # the second reader's, of second.STANCES
    url: str | None = None
    fetched_at: str | None = None
    snapshot: str | None = None

    def evidence(self) -> Evidence:
        """The statement as the proof of its stance."""
        return Evidence(
            self.visa,
            self.stance,
            self.quote,
            self.start,
            self.end,
            self.rules,
            self.context,
            self.url,
            self.fetched_at,
            self.snapshot,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`, without what is empty."""
        data: dict[str, Any] = {
            "visa": str(self.visa),
            "stance": str(self.stance),
            "strength": int(self.strength),
            "quote": self.quote,
            "start": self.start,
            "end": self.end,
            "rules": list(self.rules),
            "block": self.block,
            "conditions": [[str(c.kind), c.by] for c in self.conditions],
            "scope": self.scope.to_json(),
        }
        for name in ("context", "leftover", "url", "fetched_at", "snapshot"):
            if value := getattr(self, name):
                data[name] = value
        if self.chances:
            data["chances"] = list(self.chances)
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Statement:
        """The statement that `to_json` wrote. Raises KeyError or ValueError for anything else."""
        visa = Visa(data["visa"])
        return cls(
            visa,
            Stance(data["stance"]),
            Strength(data["strength"]),
            data["quote"],
            data["start"],
            data["end"],
            tuple(data["rules"]),
            data["block"],
            tuple(Condition(visa, ConditionKind(kind), by) for kind, by in data["conditions"]),
            Scope.from_json(data["scope"]),
            data.get("context", ""),
            data.get("leftover", 0),
            tuple(data.get("chances", ())),
            data.get("url"),
            data.get("fetched_at"),
            data.get("snapshot"),
        )


def with_source(
    statements: Sequence[Statement], *, url: str, fetched_at: str, snapshot: str
) -> tuple[Statement, ...]:
    """The statements with the page, time and snapshot that they were read from."""
    return tuple(replace(s, url=url, fetched_at=fetched_at, snapshot=snapshot) for s in statements)
