"""How long a connection may take: uvicorn has no limit on a request that never comes whole.

A thousand of them, a byte a minute each, would keep everybody else out.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 30.0  # for a request to come, since the connection or the answer before
ANSWER_SECONDS = 600.0  # for its answer to be taken


class Patient(H11Protocol):
    """One connection, which ends when it takes too long."""

    _timer: asyncio.TimerHandle | None = None
    _answering = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._wait(REQUEST_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._answering = False
        self._wait(REQUEST_SECONDS)
        super().on_response_complete()

    def _wait(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.loop.call_later(seconds, self._overdue)

    def _overdue(self) -> None:
        asked = self.conn.their_state not in (h11.IDLE, h11.SEND_BODY)
        if asked and not self._answering:
            self._answering = True
            self._wait(ANSWER_SECONDS)
        else:
            self.transport.abort()
