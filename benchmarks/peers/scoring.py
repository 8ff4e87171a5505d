"""Compares what was told with what truly changed, for every tool by the same rules.

They are those of `simweb.score`, but that an alert may speak for several programs, as that of an
institution's page does, and then tells the change of each; and that a change may be told a night
early, as by who does not ask whether a program's other page is down, but not a week late.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.peers.values import Alert
from benchmarks.simweb.truth import Due

TOLERANCE = 1  # nights by which a change may be told early or late


@dataclass(slots=True)
class Tally:
    """What a tool's alerts came to."""

    changes: int = 0
    missed: list[Due] = field(default_factory=list)
    right: list[Alert] = field(default_factory=list)
    false: list[Alert] = field(default_factory=list)
    doubles: list[Alert] = field(default_factory=list)
    errors: int = 0  # pages that could not be read, told as such

    @property
    def alerts(self) -> int:
        """All that was told but for errors."""
        return len(self.right) + len(self.false) + len(self.doubles)


def tally(due: Sequence[Due], alerts: Iterable[Alert]) -> Tally:
    """Gives each true change the first alert that can be its own, and judges what is left.

    The error of a page that is not there can tell that it is gone, or its statement withdrawn; an
    error is neither right, false nor double otherwise.
    """
    result = Tally()
    in_order = sorted(alerts, key=lambda alert: alert.night)
    told: list[tuple[Due, Alert]] = []
    for program in sorted({one.program for one in due}):
        told += _of_program(
            [one for one in due if one.program == program],
            [alert for alert in in_order if program in alert.programs],
            result,
        )
    used = {id(alert): alert for _, alert in told}
    for alert in in_order:
        if id(alert) in used:
            result.right.append(alert)
        elif alert.kind != "change":
            result.errors += 1
        elif any(_again(alert, other) for other in used.values()):
            result.doubles.append(alert)
        else:
            result.false.append(alert)
    return result


def _of_program(
    due: Sequence[Due], alerts: list[Alert], result: Tally
) -> Iterable[tuple[Due, Alert]]:
    told: list[tuple[Due, Alert]] = []
    late: list[Due] = []
    missed: list[Due] = []
    for one in due:
        if found := _first(alerts, one, one.appeared, one.due):
            alerts.remove(found)
            told.append((one, found))
        elif one.kind != "unfinished":
            late.append(one)
    for one in late:
        if found := _first(alerts, one, one.appeared - TOLERANCE, one.due + TOLERANCE):
            alerts.remove(found)
            told.append((one, found))
        else:
            missed.append(one)
    result.missed += missed
    result.changes += len(told) + len(missed)
    return told


def _first(alerts: Iterable[Alert], one: Due, begin: int, end: int) -> Alert | None:
    for alert in alerts:
        fits = alert.kind == "change" or (alert.kind == "gone" and one.kind != "changed")
        if fits and begin <= alert.night <= end:
            return alert
    return None


def _again(alert: Alert, other: Alert) -> bool:
    """Whether an alert repeats one that was right: its words, or its night on a second page."""
    if not alert.programs & other.programs:
        return False
    same_words = alert.about == other.about and alert.text == other.text
    return (same_words and alert.night > other.night) or (
        alert.night == other.night and alert.about != other.about
    )
