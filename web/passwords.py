"""Passwords as argon2id keeps them: slow to try out, and each with a salt of its own."""

from __future__ import annotations

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 12  # characters
LONGEST = 1000

_hasher = PasswordHasher()  # argon2id, with the library's costs (RFC 9106): 64 MiB a hash
_turns = threading.BoundedSemaphore(2)  # hashes at once: many log-ins must not fill the memory


class PasswordError(Exception):
    """A password that cannot be taken, and why."""


def hashed(password: str) -> str:
    """A password's hash. Raises PasswordError for one that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise PasswordError(f"a password has {SHORTEST} to {LONGEST} characters")
    with _turns:
        return _hasher.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Whether it is the password of a hash; of no hash it never is, and that takes as long."""
    with _turns:
        try:
            return _hasher.verify(kept or _nobodys(), password[:LONGEST]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


@cache
def _nobodys() -> str:
    return _hasher.hash("nobody's password")
