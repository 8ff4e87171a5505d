"""What goes into a browser and what comes out of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shell:
    """A page as its server sent it: `url` is where it came from."""

    url: str
    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Part:
    """What a page's script asked for, and got from `url`."""

    url: str
    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """A page as its scripts left it: HTML in UTF-8, without them.

    `url` is where it was when it came to rest, and `refused` says what it asked for in vain.
    """

    url: str
    body: bytes
    refused: tuple[str, ...] = ()


# Fetches an address, with an Accept header, for a page of this address. Raises `Refused`.
Ask = Callable[[str, str, str], Awaitable[Part]]
