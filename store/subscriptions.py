"""Who is told of which changes."""

from __future__ import annotations

import secrets
import sqlite3
from dataclasses import replace
from datetime import datetime

from store.database import Store
from store.errors import NotFound
from store.records import Subscription, stamp

_FILTERS = "email, program_id, institution, specialty, state, visa, severity, frequency"


def add(store: Store, subscription: Subscription, now: datetime) -> Subscription:
    """Files a subscription (its id, token and created_at are ignored) and gives it back whole.

    One that is the same in every respect and has not ended is given back instead, so that a
    repeated command subscribes nobody twice. Inside `writing()`.
    """
    s = subscription
    values = (
        s.email, s.program_id, s.institution, s.specialty, s.state, s.visa, s.severity, s.frequency
    )  # fmt: skip
    same = store.rows(
        "SELECT * FROM subscriptions WHERE ended_at IS NULL AND lower(email) = lower(?)"
        " AND program_id = ? AND institution = ? AND specialty = ? AND state = ? AND visa = ?"
        " AND severity = ? AND frequency = ?",
        values,
    )
    if same:
        return _subscription(same[0])
    # Hexadecimal: a token may be typed on the command line, where "-abc" would be an option.
    token, created_at = secrets.token_hex(16), stamp(now)
    new_id = store.write(
        f"INSERT INTO subscriptions ({_FILTERS}, token, created_at)"  # noqa: S608
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, token, created_at),
    )
    return replace(s, id=new_id, token=token, created_at=created_at)


def end(
    store: Store, who: str, now: datetime, *, subscription_id: int | None = None
) -> list[Subscription]:
    """Ends what `who` names, and gives back what it ended: nothing if that had ended before.

    `who` is an address (all its subscriptions, or the one with `subscription_id`), a token, or
    several tokens joined by dots, as mail that several subscriptions asked for carries them.
    Mail that waits for an address without any subscription left is not sent any more.
    Inside `writing()`. Raises NotFound.
    """
    column = "lower(email)" if "@" in who else "token"
    names = [who.lower()] if "@" in who else who.split(".")
    named = [
        row
        for name in names
        for row in store.rows(f"SELECT * FROM subscriptions WHERE {column} = ?", (name,))  # noqa: S608
        if subscription_id in (None, row["id"])
    ]
    if not named:
        number = "" if subscription_id is None else f" with id {subscription_id}"
        raise NotFound(
            f"no subscription of '{who}'{number}; `visawatch subscriptions` lists them all"
        )
    ended = [row for row in named if row["ended_at"] is None]
    store.write_many(
        "UPDATE subscriptions SET ended_at = ? WHERE id = ?",
        [(stamp(now), row["id"]) for row in ended],
    )
    store.write_many(
        "UPDATE outbox SET state = 'refused', error = 'unsubscribed before it was sent'"
        " WHERE state = 'queued' AND lower(email) = lower(?1) AND NOT EXISTS (SELECT 1 FROM"
        " subscriptions WHERE ended_at IS NULL AND lower(email) = lower(?1))",
        [(email,) for email in sorted({row["email"] for row in named})],
    )
    return [_subscription(row) for row in ended]


def listed(store: Store) -> list[Subscription]:
    """All subscriptions that have not ended, oldest first."""
    return [
        _subscription(row)
        for row in store.rows("SELECT * FROM subscriptions WHERE ended_at IS NULL ORDER BY id")
    ]


def find(store: Store, token: str) -> list[Subscription]:
    """The subscriptions, ended or not, of a token or of several joined by dots."""
    return [
        _subscription(row)
        for name in token.split(".")
        for row in store.rows("SELECT * FROM subscriptions WHERE token = ?", (name,))
    ]


def _subscription(row: sqlite3.Row) -> Subscription:
    return Subscription(
        id=row["id"],
        email=row["email"],
        program_id=row["program_id"] or "",
        institution=row["institution"] or "",
        specialty=row["specialty"] or "",
        state=row["state"] or "",
        visa=row["visa"] or "",
        severity=row["severity"],
        frequency=row["frequency"],
        token=row["token"],
        created_at=row["created_at"],
    )
