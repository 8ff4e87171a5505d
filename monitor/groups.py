"""Changes that belong together: one institution, one night; and within it, one sentence.

What other channels than pages changed belongs together when it was weighed at one moment.

Each program has a change of its own in the store, which can be decided on by itself. People are
shown the group, once. Its changes are told by the sentences that they rest on: a page that forty
programs inherit is one story with forty names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.compare import Severity
from store.changes import Brief
from store.records import Change, Program

_ORDER = list(Severity)  # the most severe first


@dataclass(frozen=True, slots=True)
class Group:
    """Changes of one institution in one night that await, or have had, the same decision.

    `stories` are its changes by what they say, the most severe first. Changes of wording alone,
    and those of a wave, make groups of their own: `wave` is its number.
    """

    institution: str
    stories: tuple[tuple[Change, ...], ...]
    wave: int | None = None

    @property
    def changes(self) -> tuple[Change, ...]:
        """All of its changes, oldest first."""
        return tuple(sorted((c for story in self.stories for c in story), key=lambda c: c.id))

    @property
    def severity(self) -> str:
        """That of its most severe change."""
        return self.stories[0][0].severity


def grouped(changes: Iterable[Change], programs: Mapping[str, Program]) -> list[Group]:
    """The changes in groups, in the order of their first changes; those of a wave side by side.

    A change of a program that is not in `programs` stays by itself.
    """
    waves: dict[object, dict[object, list[Change]]] = {}
    for change in changes:
        program = programs.get(change.program_id)
        key = change.id if program is None else (night(change), program.institution)
        wave = key if change.wave_id is None else f"wave {change.wave_id}"
        waves.setdefault(wave, {}).setdefault(key, []).append(change)
    return [
        Group(
            programs[found[0].program_id].institution if found[0].program_id in programs else "",
            _stories(found),
            found[0].wave_id,
        )
        for groups in waves.values()
        for found in groups.values()
    ]


def stories(changes: Iterable[Change], programs: Mapping[str, Program]) -> list[tuple[Change, ...]]:
    """The changes by what they say, group by group."""
    return [story for group in grouped(changes, programs) for story in group.stories]


def rank(severity: str) -> int:
    """Where a severity stands among them: 0 is the most severe."""
    return _ORDER.index(Severity(severity))


def night(change: Change | Brief) -> tuple[object, ...]:
    """What changes of one group have in common, beside their institution."""
    minor = change.severity == Severity.MINOR
    when = change.detected_at if change.cycle_id is None else change.cycle_id
    return when, change.status, minor, change.wave_id


def _stories(changes: Iterable[Change]) -> tuple[tuple[Change, ...], ...]:
    stories: dict[object, list[Change]] = {}
    for change in changes:
        key = (change.kind, change.channel, change.url, _said(change.before), _said(change.after))
        stories.setdefault(key, []).append(change)
    return tuple(sorted(map(tuple, stories.values()), key=lambda story: rank(story[0].severity)))


def _said(policy: dict[str, Any]) -> str:
    """What a policy says, and where; without when its page was last fetched."""
    quotes = [(e["visa"], e["quote"], e.get("url")) for e in policy.get("evidence", ())]
    return json.dumps([policy.get("stances"), policy.get("conditions"), quotes], sort_keys=True)
