"""The messages between a crawl's process and the one that asked for it.

Both ends are ours and share one private socket, so pickles are safe here: what a web site sent
is only ever bytes and text inside a `Fetch`.

    asker -> crawl    one Order, then STOP at most once; closing the socket ends the crawl
    crawl -> asker    Fetch, Fetch, ..., then None (the end) or a str (why there is none)
"""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from crawler.journal import Journal
from crawler.values import Plan

STOP = b"s"  # finish what is in hand, then end

_LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Order:
    """What a crawl's process is started for."""

    plan: Plan
    journal: Journal


def frame(message: object) -> bytes:
    """Return the bytes of one message: its length, then its pickle."""
    pickled = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return _LENGTH.pack(len(pickled)) + pickled


def receive(stream: BinaryIO) -> Any:
    """Return the next message; raise `EOFError` when the other side went away before its end."""
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(header)
    pickled = stream.read(length)
    if len(pickled) < length:
        raise EOFError
    return pickle.loads(pickled)  # noqa: S301  # written by our own process, see above
