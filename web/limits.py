"""How often one visitor may do something, as this process remembers it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from fastapi import Request
from starlette.exceptions import HTTPException

MOST_VISITORS = 10_000  # remembered; the one that was here longest ago is forgotten first


class Limit:
    """At most `most` times in `seconds`, for each visitor."""

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._times: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def allows(self, visitor: str) -> bool:
        """Whether the visitor may do it now; if so, that is remembered."""
        now = self._clock()
        with self._lock:
            times = [t for t in self._times.pop(visitor, []) if t > now - self._seconds]
            allowed = len(times) < self._most
            self._times[visitor] = [*times, now] if allowed else times
            while len(self._times) > MOST_VISITORS:
                self._times.popitem(last=False)
        return allowed

    def check(self, request: Request) -> None:
        """Raises HTTPException, 429, for a visitor who did it too often."""
        if not self.allows(request.client.host if request.client else ""):
            raise HTTPException(429, headers={"Retry-After": str(int(self._seconds))})
