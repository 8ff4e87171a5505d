"""What another channel than the pages changes is flagged, as a change of a page is.

The change has a channel and no cycle. It waits in the review room, unless a maintainer has read
already what makes it, and is mailed like any other (monitor.alerts), once to each address.
"""

from __future__ import annotations

from collections.abc import Sequence

from extractors import Policy
from monitor import diff
from monitor.compare import Difference, news
from sources.values import PAGES, Channel, Fused, Role, Side
from store import changes, policies
from store.database import Store
from store.records import Change, Standing

_READ_BY_A_PERSON = (Channel.MAINTAINER, Channel.COORDINATOR)


def flag(
    store: Store, stands: Standing, fused: Fused, at: str, *, told: Standing | None = None
) -> Change | None:
    """Flags that `stands` says something else than what people were told last, if it does.

    `told` is that, where the caller knows; else it is found in what stood. `stands` is what goes
    on, or what is about to be recorded in the same transaction. A first sight is an observation,
    not a change. Run again, it flags nothing twice.
    """
    history = policies.history(store, stands.program_id)
    if not history:
        return None
    before = told or _before(store, history, stands)
    found = _difference(before, stands)
    if found is None:
        return None
    sides = _who(before, stands, fused)
    read = bool(sides) and all(s.evidence.channel in _READ_BY_A_PERSON for s in sides)
    return changes.flag(
        store,
        Change(
            id=0,
            program_id=stands.program_id,
            cycle_id=None,
            kind=str(found.kind),
            severity=str(found.severity),
            status="accepted" if read and not fused.policy.needs_review else "open",
            before=before.policy,
            after=stands.policy,
            detected_at=at,
            url=next((s.evidence.link for s in sides if s.evidence.link), None),
            # Where nobody speaks any more, the pages are what is left.
            channel=str(sides[0].evidence.channel if sides else Channel.WEBSITE),
        ),
    )


def _who(before: Standing, stands: Standing, fused: Fused) -> list[Side]:
    """Who makes the difference: who decides on a stance, or else who brings a condition."""
    touched = diff.touched(before.policy, stands.policy)
    moved = [v for v in touched if diff.stance(before.policy, v) != diff.stance(stands.policy, v)]
    deciding = [s for s in fused.sides if s.visa in (moved or touched) and s.role is Role.DECIDES]
    others = [s for s in fused.sides if s.visa in touched and s.role is Role.AGREES and not moved]
    return [s for s in others if s.evidence.channel not in PAGES] or deciding


def _before(store: Store, history: Sequence[Standing], stands: Standing) -> Standing:
    """What people were told last.

    That is not what pages were seen to say for the first time, nor news of a page that do not
    prevail: they were flagged, and what stood before goes on.
    """
    last = history[-1]
    if last.origin != "read" or len(history) == 1 or history[-2].origin != "fused":
        return last
    told = any(c.after == last.policy for c in changes.of_program(store, last.program_id))
    return last if told and _difference(history[-2], stands) else history[-2]


def _difference(before: Standing, after: Standing) -> Difference | None:
    return news(Policy.from_json(before.policy), Policy.from_json(after.policy))
