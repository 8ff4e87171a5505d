"""Small charts of cycles: a bar for each, drawn by the template as SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from store.records import Cycle

WIDTH, HEIGHT = 300, 80  # units of the drawing
_GAP = 1
_FEWEST = 12  # cycles that fill the width, so that three are no blocks


@dataclass(frozen=True, slots=True)
class Bar:
    """One cycle: where its bar is, and what it says."""

    x: float
    y: float
    width: float
    height: float
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A measure over cycles, the oldest first."""

    title: str
    last: str
    most: str
    bars: tuple[Bar, ...]


def charts(cycles: Sequence[Cycle]) -> tuple[Chart, ...]:
    """What is drawn of the finished cycles; none while there are fewer than two."""
    if len(cycles) < 2:
        return ()
    return (
        _chart("Pages fetched", cycles, _of("fetched"), "{:,.0f}"),
        _chart("Pages that failed", cycles, _of("failed"), "{:,.0f}"),
        _chart("Changes flagged", cycles, _of("changes"), "{:,.0f}"),
        _chart("Seconds taken", cycles, _of("seconds"), "{:,.1f}"),
    )


def _of(name: str) -> Callable[[Cycle], float]:
    return lambda cycle: float((cycle.summary or {}).get(name, 0))


def _chart(
    title: str, cycles: Sequence[Cycle], measure: Callable[[Cycle], float], form: str
) -> Chart:
    values = [measure(cycle) for cycle in cycles]
    most = max(values) or 1
    width = WIDTH / max(len(cycles), _FEWEST)
    bars = (
        Bar(
            round(at * width, 2),
            round(HEIGHT * (1 - value / most), 2),
            round(max(width - _GAP, 0.5), 2),
            round(HEIGHT * value / most, 2),
            f"{cycle.started_at[:10]}: {form.format(value)}",
        )
        for at, (cycle, value) in enumerate(zip(cycles, values, strict=True))
    )
    return Chart(title, form.format(values[-1]), form.format(max(values)), tuple(bars))
