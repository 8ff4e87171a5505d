"""Cursors: where a list goes on, as a text that means nothing to others."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

Key = tuple[str | int, ...]

LONGEST = 1000  # characters


class BadCursor(ValueError):
    """A text that is no cursor of this list."""


def write(of: str, key: Key) -> str:
    """The cursor of a list and a key; `read` gives the key back.

    >>> read(write("name", ("elm hospital", "elm-im")), of="name")
    ('elm hospital', 'elm-im')
    """
    text = json.dumps([of, *key], ensure_ascii=False, separators=(",", ":"))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(cursor: str, *, of: str) -> Key:
    """The key in a cursor; `()` for an empty one. Raises BadCursor."""
    if not cursor:
        return ()
    try:
        name, *key = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        for part in key:
            if isinstance(part, str):
                part.encode()  # a lone surrogate is no text
        whole = isinstance(name, str) and all(_fits(part) for part in key)
    except (ValueError, TypeError, RecursionError) as error:
        raise BadCursor from error
    if not whole or not key or name != of or write(of, tuple(key)) != cursor:
        raise BadCursor
    return tuple(key)


def _fits(part: object) -> bool:
    """Whether the database takes it."""
    return isinstance(part, str) or (type(part) is int and abs(part) < 1 << 63)
