"""In which nights pages are looked at: as often as the calendar says, and each after a wave."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from shortlist.calendar import Calendar
from store import cycles, waves
from store.database import Store

AFTER_WAVE = timedelta(days=14)


def due(store: Store, night: datetime, calendar: Calendar) -> bool:
    """Whether the cycle of a night, named by its planned time, is to be run.

    A night is never left out while something waits to be seen a second time, nor within a
    fortnight after a wave was recognised. It never adds one: at most one cycle a night, as politely
    as ever.
    """
    every = calendar.nights_between_looks(night.date())
    if every == 1:
        return True
    last = cycles.last_finished(store)
    if last is None or cycles.waiting(store):
        return True
    nights = (night.date() - _night_of(last.night or last.started_at)).days
    # A last night that has not come yet was dated by a clock that ran ahead.
    return not 0 <= nights < every or _after_wave(store, night)


def _after_wave(store: Store, night: datetime) -> bool:
    recognised = {wave.cycle_id for wave in waves.listed(store)}
    began = [cycle.started_at for cycle in cycles.listed(store) if cycle.id in recognised]
    return any(_moment(at) + AFTER_WAVE > night for at in began)


def _night_of(text: str) -> date:
    return _moment(text).date()


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
