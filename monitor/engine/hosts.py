"""Hosts as one worker borrows them: each is one worker's at a time, and keeps its pace."""

from __future__ import annotations

from collections.abc import Iterator

from monitor.engine import board
from monitor.engine.link import Link

_MS = 1000


class Lapsed(Exception):
    """This worker's lease has run out: its hosts may be others' by now."""


class Hosts:
    """The hosts that a worker has, and those that it waits for."""

    def __init__(self, link: Link, token: str, delay_seconds: float) -> None:
        self._link, self._token = link, token
        self._delay = round(_MS * delay_seconds)
        self._borrow, self._pace = link.script(board.BORROW), link.script(board.PACE)
        self._mine: set[str] = set()
        self._wanted: dict[str, None] = {}

    def want(self, host: str) -> float | None:
        """Borrow a host: the seconds until it may be asked, or None if another worker has it.

        `again` tries it later. Raises Lapsed.
        """
        keys = [board.HOST + host, board.WORKER + self._token]
        args = [self._token, board.WORKER, self._delay, _MS * board.HOST_KEPT_SECONDS]
        wait = self._link.do(lambda _: self._borrow(keys=keys, args=args))
        if wait == -2:
            raise Lapsed
        if wait < 0:
            self._wanted[host] = None
            return None
        self._wanted.pop(host, None)
        self._mine.add(host)
        return float(wait) / _MS

    def again(self) -> Iterator[tuple[str, float]]:
        """The hosts that were waited for and can be had now, as `want` gives them."""
        for host in list(self._wanted):
            wait = self.want(host)
            if wait is not None:
                yield host, wait

    def pace(self, host: str, delay: float, wait: float) -> None:
        """A host has to be asked so slowly, and not at all for `wait` seconds."""
        self._tell(host, wait, str(round(_MS * delay)))

    def leave(self, host: str, wait: float) -> None:
        """Give a host back, which may be asked in `wait` seconds."""
        self._mine.discard(host)
        self._tell(host, wait, "")

    def leave_all(self) -> None:
        """Give all back; nobody knows here when each was asked last."""
        for host in list(self._mine):
            self.leave(host, self._delay / _MS)

    def _tell(self, host: str, wait: float, delay: str) -> None:
        args = [self._token, round(_MS * wait), _MS * board.HOST_KEPT_SECONDS, delay]
        self._link.do(lambda _: self._pace(keys=[board.HOST + host], args=args))
