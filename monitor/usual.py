"""How many institutions usually change in one direction, and how rare more of them are.

A Gamma-Poisson model: before anything was seen, an institution is taken to change in one direction
once a year. That guess is worth half a change, so what was counted since outweighs it soon; and
while little was counted, it takes many institutions to be rare.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

YEARLY = 365.0  # days between two such changes of one institution, until that was seen
WORTH = 0.5  # changes


@dataclass(frozen=True, slots=True)
class Usual:
    """For how many `days`, and at how many `institutions`, changes were counted."""

    days: float
    institutions: int

    def chance(self, seen: int, counts: Mapping[int, int]) -> float:
        """How likely it is, after `seen` changes, that so many institutions change in so many days.

        `counts` are the institutions by days, of several stretches that end now: the rarest of
        them counts, as one of so many that could have been rare.
        """
        known = WORTH * YEARLY / max(1, self.institutions) + self.days
        rarest = min(at_least(n, WORTH + seen, days / known) for days, n in counts.items())
        return min(1.0, rarest * len(counts))


def at_least(count: int, shape: float, scale: float) -> float:
    """The chance of `count` events or more, where their number is Poisson and its mean Gamma.

    The mean number of events is `shape * scale`. (The negative binomial distribution.)

    >>> round(at_least(1, 1, 1.0), 3), round(at_least(5, 1, 0.1), 7)
    (0.5, 6.2e-06)
    """
    p = scale / (1 + scale)
    fewer = sum(
        math.exp(
            math.lgamma(shape + k)
            - math.lgamma(shape)
            - math.lgamma(k + 1)
            + shape * math.log1p(-p)
            + k * math.log(p)
        )
        for k in range(count)
    )
    return max(0.0, 1.0 - fewer)
