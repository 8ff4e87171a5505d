"""What was worked out of the database, kept for as long as the database is as it was."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MOST_KEPT = 500  # values; the oldest goes first
MOST_OF_EACH = 4000  # rows of one kind; those that came first go first


@dataclass(slots=True)
class _Slot:
    """One value, made by the first who asks; others wait for it."""

    lock: Lock = field(default_factory=Lock)
    made: bool = False
    value: Any = None


class Memory:
    """Values of one state of the database, its `moment`; all go when there is a later one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._moment = 0
        self._slots: dict[Hashable, _Slot] = {}
        self._rows: dict[Hashable, dict[Any, Any]] = {}

    def get(self, moment: int, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` gave, or gives now, for this key in this state of the database."""
        with self._lock:
            if not self._holds(moment):
                slot = _Slot()
            else:
                if key not in self._slots and len(self._slots) >= MOST_KEPT:
                    del self._slots[next(iter(self._slots))]
                slot = self._slots.setdefault(key, _Slot())
        with slot.lock:
            if not slot.made:
                slot.value, slot.made = make(), True
            value: Value = slot.value
            return value

    def each(
        self,
        moment: int,
        kind: Hashable,
        keys: Collection[Key],
        make: Callable[[list[Key]], Mapping[Key, Value]],
    ) -> dict[Key, Value]:
        """By key and in their order, rows of one kind; `make` is asked for those not there yet.

        Two who ask at once may both make a row, as one would else wait for all of the other's.
        """
        with self._lock:
            kept = self._rows.setdefault(kind, {}) if self._holds(moment) else {}
            found = {key: kept[key] for key in keys if key in kept}
        if missing := [key for key in keys if key not in found]:
            made = make(missing)
            found.update(made)
            with self._lock:  # when there was a write meanwhile, nobody looks into `kept` any more
                kept.update(made)
                for key in list(kept)[: max(0, len(kept) - MOST_OF_EACH)]:
                    del kept[key]
        return {key: found[key] for key in keys if key in found}

    def _holds(self, moment: int) -> bool:
        """Whether values of this moment are kept: not for who began before the last write."""
        if moment > self._moment:
            self._moment, self._slots, self._rows = moment, {}, {}
        return moment == self._moment
