"""The messages between a crawl's process and the one that asked for it.

Both ends are ours and share one private socket, so pickles are safe here: what a web site sent
is only ever bytes and text inside a `Fetch`.

    asker -> crawl    an Order, then Work, Lent and Until as they come, NoMore, Stop; when all has
                      come, another Order; closing the socket ends the process
    crawl -> asker    Came, Came, Finished, ..., then None (the end) or a str (why there is none);
                      Wanted, Left and Paced of a crawl that borrows its hosts
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from crawler.journal import Journal
from crawler.values import Fetch, Limits, Target

if TYPE_CHECKING:
    from asyncio import StreamReader


class Readable(Protocol):
    """A blocking stream of bytes, buffered or not."""

    def read(self, size: int, /) -> bytes | None:
        """Read up to so many bytes, at least one; none at the end."""


_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Work:
    """Targets to crawl, and the errand by which their pages are called when they come.

    An errand may be given bit by bit; `last` says that it has no others.
    """

    errand: str
    targets: tuple[Target, ...]
    last: bool = True


@dataclass(frozen=True, slots=True)
class Order:
    """What a crawl's process is to do.

    `until` is set for a crawl that borrows its hosts: it is the first `Until`.
    """

    limits: Limits
    journal: Journal
    work: tuple[Work, ...] = ()
    more: bool = False  # whether other work follows
    until: float | None = None


@dataclass(frozen=True, slots=True)
class NoMore:
    """No other work follows."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish what is in hand, then end."""


@dataclass(frozen=True, slots=True)
class Lent:
    """A host may be asked, after `wait` seconds, until it is given back."""

    host: str
    wait: float


@dataclass(frozen=True, slots=True)
class Until:
    """No borrowed host may be asked after this moment of the machine's monotonic clock."""

    moment: float


@dataclass(frozen=True, slots=True)
class Came:
    """A page of an errand."""

    errand: str
    fetch: Fetch


@dataclass(frozen=True, slots=True)
class Finished:
    """An errand has no other pages."""

    errand: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Something is to be asked of a host."""

    host: str


@dataclass(frozen=True, slots=True)
class Left:
    """A host is given back; it may not be asked for `wait` seconds."""

    host: str
    wait: float


@dataclass(frozen=True, slots=True)
class Paced:
    """A borrowed host is asked each `delay` seconds, and not for `wait` seconds now."""

    host: str
    delay: float
    wait: float


def frame(message: object) -> bytes:
    """Return the bytes of one message: its length, then its pickle."""
    pickled = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(pickled)) + pickled


def receive(stream: Readable) -> Any:
    """Return the next message; raise `EOFError` when the other side went away before its end."""
    (length,) = _LENGTH.unpack(_exactly(stream, _LENGTH.size))
    return pickle.loads(_exactly(stream, length))  # noqa: S301  # our own process, see above


async def received(reader: StreamReader) -> AsyncIterator[Any]:
    """Yield the messages that come, until the other side goes away; see `receive`."""
    from asyncio import IncompleteReadError

    while True:
        try:
            (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
            pickled = await reader.readexactly(length)
        except (IncompleteReadError, ConnectionError):
            return
        yield pickle.loads(pickled)  # noqa: S301  # our own process, see above


def _exactly(stream: Readable, size: int) -> bytes:
    """Read so many bytes: an unbuffered stream gives them in parts."""
    parts = []
    while size > 0:
        part = stream.read(size)
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
