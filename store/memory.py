"""What was worked out of the database, kept for as long as the database is as it was."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, TypeVar

Value = TypeVar("Value")

MOST_KEPT = 500  # values; the oldest goes first


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

    def get(self, moment: int, key: Hashable, make: Callable[[], Value]) -> Value:
        """What `make` gave, or gives now, for this key in this state of the database."""
        with self._lock:
            if moment < self._moment:  # a reader that began before the last write
                slot = _Slot()
            else:
                if moment > self._moment:
                    self._moment, self._slots = moment, {}
                if key not in self._slots and len(self._slots) >= MOST_KEPT:
                    del self._slots[next(iter(self._slots))]
                slot = self._slots.setdefault(key, _Slot())
        with slot.lock:
            if not slot.made:
                slot.value, slot.made = make(), True
            value: Value = slot.value
            return value
