"""Changes that belong together: one page of an institution, one night, many programs.

Each program has a change of its own in the store, which can be decided on by itself. People are
shown the group, once, with the names of its programs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from store.records import Change, Program


def grouped(changes: Iterable[Change], programs: Mapping[str, Program]) -> list[tuple[Change, ...]]:
    """The changes in groups, each oldest first, in the order of their first changes.

    Together are those of one cycle, kind and status whose programs belong to one institution
    and whose policies before and after rest on the same sentences of the same page. A change
    of a program that is not in `programs` stays by itself.
    """
    groups: dict[object, list[Change]] = {}
    for change in changes:
        program = programs.get(change.program_id)
        key: object = change.id if program is None else _key(change, program)
        groups.setdefault(key, []).append(change)
    return [tuple(group) for group in groups.values()]


def _key(change: Change, program: Program) -> tuple[object, ...]:
    return (
        change.cycle_id,
        change.kind,
        change.status,
        program.institution,
        change.url,
        _said(change.before),
        _said(change.after),
    )


def _said(policy: dict[str, Any]) -> str:
    """What a policy says, and where; without when its page was last fetched."""
    quotes = [(e["visa"], e["quote"], e.get("url")) for e in policy.get("evidence", ())]
    return json.dumps([policy.get("stances"), policy.get("conditions"), quotes], sort_keys=True)
