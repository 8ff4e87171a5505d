"""What a policy says, of stances and conditions alone: as `store.standings` keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property

from extractors.conditions import ConditionKind
from extractors.values import Category, Condition, Stance, Visa, categorise


@dataclass(frozen=True)
class Said:
    """Stances and conditions. `seen` is False for a program of which no page was ever read."""

    stances: tuple[tuple[Visa, Stance], ...] = ()
    conditions: tuple[Condition, ...] = ()
    seen: bool = True

    @cached_property
    def _by_visa(self) -> dict[Visa, Stance]:
        return dict(self.stances)

    def stance(self, visa: Visa) -> Stance:
        """What is said of a visa."""
        return self._by_visa.get(visa, Stance.UNSTATED)

    def on(self, visa: Visa) -> tuple[Condition, ...]:
        """The conditions on a visa."""
        return tuple(c for c in self.conditions if c.visa is visa)

    @property
    def category(self) -> Category:
        """The category, as of the whole policy."""
        return categorise(self.stance(Visa.J1), self.stance(Visa.H1B))


def read(text: str | None) -> Said:
    """What the store keeps, as values; nothing stands for None."""
    if text is None:
        return Said(seen=False)
    data = json.loads(text)
    return Said(
        tuple((Visa(v), Stance(s)) for v, s in data.get("stances", {}).items()),
        tuple(
            Condition(Visa(c["visa"]), ConditionKind(c["kind"]), c.get("by"))
            for c in data.get("conditions", ())
        ),
    )
