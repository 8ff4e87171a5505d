"""Who may review, who of them is signed in, and log-ins that failed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from store.database import Store
from store.errors import NotFound
from store.records import User


def add(store: Store, name: str, role: str, password: str, at: str) -> bool:
    """Makes a user; `password` is its hash. False if there is one so named. In `writing()`."""
    store.write(
        "INSERT OR IGNORE INTO users (name, role, password, created_at) VALUES (?, ?, ?, ?)",
        (name, role, password, at),
    )
    return bool(store.rows("SELECT changes() AS n")[0]["n"])


def remove(store: Store, name: str) -> None:
    """The user is gone, what they decided stays. Raises NotFound. Inside `writing()`."""
    store.write("DELETE FROM users WHERE id = ?", (get(store, name).id,))


def set_password(store: Store, name: str, password: str) -> None:
    """Sets a password's hash, and ends all sessions. Raises NotFound. Inside `writing()`."""
    user = get(store, name)
    store.write("UPDATE users SET password = ? WHERE id = ?", (password, user.id))
    store.write("DELETE FROM sessions WHERE user_id = ?", (user.id,))


def exist(store: Store) -> bool:
    """Whether there is any user."""
    return bool(store.rows("SELECT 1 FROM users LIMIT 1"))


def listed(store: Store) -> list[User]:
    """All users by name, with when those who are signed in were last seen."""
    rows = store.rows(
        "SELECT u.*, (SELECT max(seen_at) FROM sessions WHERE user_id = u.id) AS seen_at"
        " FROM users u ORDER BY u.name"
    )
    return [_user(row) for row in rows]


def find(store: Store, name: str) -> User | None:
    """The user of a name, in whatever case it is written."""
    rows = store.rows("SELECT *, NULL AS seen_at FROM users WHERE name = ?", (name,))
    return _user(rows[0]) if rows else None


def get(store: Store, name: str) -> User:
    """The user of a name. Raises NotFound."""
    if (user := find(store, name)) is None:
        raise NotFound(f"no user '{name}'; `visawatch users list` lists them")
    return user


def sign_in(store: Store, user: User, token: bytes, at: str) -> None:
    """Begins a session; `token` is the hash of its cookie. Inside `writing()`."""
    store.write("INSERT INTO sessions VALUES (?, ?, ?, ?)", (token, user.id, at, at))


def sign_out(store: Store, token: bytes) -> None:
    """Ends a session, if there is one. Inside `writing()`."""
    store.write("DELETE FROM sessions WHERE token = ?", (token,))


def sign_all_out(store: Store) -> None:
    """Ends all sessions. Inside `writing()`."""
    store.write("DELETE FROM sessions")


def signed_in(
    store: Store, token: bytes, began_after: str, seen_after: str, until: str
) -> User | None:
    """Whose session it is, unless it is too old or was left too long; with when it was seen.

    One that was seen after `until` is of a clock that ran ahead: it would hold until then.
    """
    rows = store.rows(
        "SELECT u.*, s.seen_at FROM sessions s JOIN users u ON u.id = s.user_id"
        " WHERE s.token = ? AND s.began_at > ? AND s.seen_at > ? AND s.seen_at <= ?",
        (token, began_after, seen_after, until),
    )
    return _user(rows[0]) if rows else None


def seen(store: Store, token: bytes, at: str) -> None:
    """The session was used. Inside `writing()`."""
    store.write("UPDATE sessions SET seen_at = ? WHERE token = ?", (at, token))


def forget_sessions(store: Store, began_before: str, seen_before: str) -> None:
    """Deletes the sessions that have timed out. Inside `writing()`."""
    store.write(
        "DELETE FROM sessions WHERE began_at <= ? OR seen_at <= ?", (began_before, seen_before)
    )


def failures(store: Store, key: str, since: str, until: str) -> int:
    """How many log-ins have failed for a key between two times."""
    rows = store.rows(
        "SELECT count(*) AS n FROM failed_log_ins WHERE key = ? AND at > ? AND at <= ?",
        (key, since, until),
    )
    return int(rows[0]["n"])


def failed(store: Store, keys: Iterable[str], at: str, forget_before: str) -> None:
    """A log-in has failed; those before `forget_before` are forgotten. Inside `writing()`."""
    store.write("DELETE FROM failed_log_ins WHERE at <= ?", (forget_before,))
    store.write_many("INSERT INTO failed_log_ins VALUES (?, ?)", [(key, at) for key in keys])


def forgive(store: Store, keys: Iterable[str], at: str) -> None:
    """The log-in that was counted as failed at that time has not. Inside `writing()`."""
    store.write_many(
        "DELETE FROM failed_log_ins WHERE key = ? AND at = ?", [(key, at) for key in keys]
    )


def _user(row: sqlite3.Row) -> User:
    return User(
        row["id"], row["name"], row["role"], row["password"], row["created_at"], row["seen_at"]
    )
