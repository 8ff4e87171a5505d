"""Hosts that a crawl borrows, one by one, when other crawls on other machines share them.

A host is asked for when something is to be asked of it, and given back when there is nothing
more: so no crawl ever waits for one host while it keeps another from somebody. A crawl that
nobody else's can meet borrows nothing.
"""

from __future__ import annotations

from time import monotonic
from typing import Protocol

LINGER_SECONDS = 1.0  # a search often asks for its next page as soon as it has read one


class Lender(Protocol):
    """Who lends hosts. Answers come later, as calls of `Frontier.lend`."""

    def want(self, host: str) -> None:
        """Ask for a host."""

    def give_back(self, host: str, wait: float) -> None:
        """Give a host back, which may not be asked for `wait` seconds."""

    def pace(self, host: str, delay: float, wait: float) -> None:
        """Tell how slowly a host has to be asked, and for how long not at all."""

    @property
    def until(self) -> float:
        """The moment of the monotonic clock after which nothing is lent any more."""


def lapsed(lender: Lender) -> bool:
    """Whether others may have been lent what this crawl has borrowed."""
    return monotonic() > lender.until
