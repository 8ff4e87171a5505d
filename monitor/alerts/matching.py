"""Which changes a subscription asks for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from monitor.diff import touched
from store.records import Change, Program, Subscription

SEVERITIES = ("minor", "major", "critical")  # the least severe first

MOST_NAMED = 5  # programs of a list that is watched

FREQUENCY_WORDS = {
    "at_once": "as soon as they are seen",
    "daily": "once a day",
    "weekly": "once a week",
}


def matches(subscription: Subscription, change: Change, program: Program) -> bool:
    """Whether a subscription asks for this change of this program.

    Filters compare whole names, whatever their case and spacing. The visa filter asks whether
    the change is about that visa (see `monitor.diff.touched`). `minor` changes go only into
    digests. When a change was detected, and whether it was mailed, is not asked here.
    """
    return asks_for(subscription, change, program, touched(change.before, change.after))


def asks_for(
    subscription: Subscription, change: Change, program: Program, visas: Sequence[str]
) -> bool:
    """The same for those who know already which visas the change is about."""
    s = subscription
    if SEVERITIES.index(change.severity) < SEVERITIES.index(s.severity):
        return False
    if change.severity == "minor" and s.frequency == "at_once":
        return False
    if not lets_through(s, program):
        return False
    return not s.visa or _plain(s.visa) in map(_plain, visas)


def lets_through(subscription: Subscription, program: Program) -> bool:
    """Whether a subscription's filters that are about programs let this one through."""
    s = subscription
    if s.program_id and program.program_id not in s.program_ids:
        return False
    wanted = (
        (s.institution, program.institution),
        (s.specialty, program.specialty),
        (s.state, program.state),
    )
    return all(not asked or _plain(asked) == _plain(given) for asked, given in wanted)


def described(subscription: Subscription) -> str:
    """A subscription's filters in words.

    >>> described(Subscription(1, "a@b.example", visa="H-1B", state="WA", severity="critical"))
    'critical changes about H-1B in state WA, as soon as they are seen'
    """
    s = subscription
    least = {"minor": "all changes", "major": "critical and major changes"}
    filters = [
        least.get(s.severity, "critical changes"),
        s.visa and f"about {s.visa}",
        s.program_id and _programs(s.program_ids),
        s.institution and f"at {s.institution}",
        s.specialty and f"in {s.specialty}",
        s.state and f"in state {s.state}",
    ]
    return " ".join(filter(None, filters)) + f", {FREQUENCY_WORDS[s.frequency]}"


def _programs(ids: Sequence[str]) -> str:
    if len(ids) == 1:
        return f"of program {ids[0]}"
    more = f", and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else ""
    return f"of {len(ids)} programs ({', '.join(ids[:MOST_NAMED])}{more})"


@lru_cache(maxsize=50_000)
def _plain(name: str) -> str:
    """`H 1B`, `h-1b` and `H1B` are one name, as are names that differ in case and spacing."""
    return re.sub(r"[\W_]+", "", name).casefold()
