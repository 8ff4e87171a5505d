"""Who is told of which changes."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from datetime import datetime

from store.database import Store
from store.errors import NotFound
from store.records import Subscription, address_key, stamp

# As store.records.address_key does it: a URL is what it is, letter by letter.
_KEY = "CASE WHEN instr(address, '://') THEN address ELSE lower(address) END"
_COLUMNS = "address, program_id, institution, specialty, state, visa, severity, frequency"

_TOKEN_BYTES = 16
_SELECTOR = 8  # characters of a token that find its row; the others are compared
_LISTED = "`visawatch subscriptions` lists them all"


def add(store: Store, subscription: Subscription, now: datetime) -> Subscription:
    """Files a subscription (its id, token and beginning are ignored) and gives it back whole.

    One that is the same in every respect and has not ended is given back instead, so that a
    repeated command subscribes nobody twice. Inside `writing()`.
    """
    if known := same(store, subscription):
        return known
    # Hexadecimal: a token may be typed on the command line, where "-abc" would be an option.
    token = secrets.token_hex(_TOKEN_BYTES)
    new_id = store.write(
        f"INSERT INTO subscriptions ({_COLUMNS}, token, created_at, after_change)"  # noqa: S608
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(id), 0) FROM changes))",
        (subscription.address, *_filters(subscription), token, stamp(now)),
    )
    (row,) = store.rows("SELECT * FROM subscriptions WHERE id = ?", (new_id,))
    return _subscription(row)


def same(store: Store, subscription: Subscription) -> Subscription | None:
    """The subscription that is this one in every respect and has not ended, if there is one."""
    rows = store.rows(
        f"SELECT * FROM subscriptions WHERE ended_at IS NULL AND {_KEY} = ?"  # noqa: S608
        " AND program_id = ? AND institution = ? AND specialty = ? AND state = ? AND visa = ?"
        " AND severity = ? AND frequency = ?",
        (address_key(subscription.address), *_filters(subscription)),
    )
    return _subscription(rows[0]) if rows else None


def _filters(s: Subscription) -> tuple[str, ...]:
    return (s.program_id, s.institution, s.specialty, s.state, s.visa, s.severity, s.frequency)


def end(
    store: Store, address: str, now: datetime, *, subscription_id: int | None = None
) -> list[Subscription]:
    """Ends all subscriptions of an address, or the one with `subscription_id`.

    Gives back what it ended: nothing if that had ended before. Mail that waits for an address
    without any subscription left is not sent any more. Inside `writing()`. Raises NotFound.
    """
    named = [
        row
        for row in store.rows(
            f"SELECT * FROM subscriptions WHERE {_KEY} = ?",  # noqa: S608
            (address_key(address),),
        )
        if subscription_id in (None, row["id"])
    ]
    if not named:
        number = "" if subscription_id is None else f" with id {subscription_id}"
        who = "this URL" if "://" in address else f"'{address}'"  # which may hold a password
        raise NotFound(f"no subscription of {who}{number}; {_LISTED}")
    return _end(store, named, now)


def end_by_token(store: Store, token: str, now: datetime) -> list[Subscription]:
    """Ends what a token names, or several joined by dots, as mail carries them; see `end`.

    This is what an unsubscribe link may call: an address is no token, so nobody ends what they
    had no mail of, and a second click does no harm. Inside `writing()`. Raises NotFound.
    """
    named = _by_token(store, token)
    if not named:
        raise NotFound(f"no subscription of '{token}'; {_LISTED}")
    return _end(store, named, now)


def listed(store: Store) -> list[Subscription]:
    """All subscriptions that have not ended, oldest first."""
    return [
        _subscription(row)
        for row in store.rows("SELECT * FROM subscriptions WHERE ended_at IS NULL ORDER BY id")
    ]


def find(store: Store, token: str) -> list[Subscription]:
    """The subscriptions, ended or not, of a token or of several joined by dots."""
    return [_subscription(row) for row in _by_token(store, token)]


def _by_token(store: Store, token: str) -> list[sqlite3.Row]:
    """The rows whose tokens these are.

    An index answers sooner or later by how much of a guess is right. So it is asked for the
    first characters alone, and the others, 96 bits, are compared in constant time.
    """
    found = []
    for name in token.split("."):
        start = name[:_SELECTOR]
        if len(name) == 2 * _TOKEN_BYTES and name.isascii():
            found += [
                row
                for row in store.rows(
                    "SELECT * FROM subscriptions WHERE token >= ?1 AND token < ?1 || 'g'",
                    (start,),
                )
                if hmac.compare_digest(row["token"].encode(), name.encode())
            ]
    return found


def _end(store: Store, named: list[sqlite3.Row], now: datetime) -> list[Subscription]:
    ended = [row for row in named if row["ended_at"] is None]
    store.write_many(
        "UPDATE subscriptions SET ended_at = ? WHERE id = ?",
        [(stamp(now), row["id"]) for row in ended],
    )
    left = f"SELECT 1 FROM subscriptions WHERE ended_at IS NULL AND {_KEY} = ?"  # noqa: S608
    stop = (
        "UPDATE outbox SET state = 'refused', error = ? WHERE state = 'queued'"  # noqa: S608
        f" AND {_KEY} = ? AND id IN (SELECT outbox_id FROM mailed)"  # what was subscribed to
    )
    for key in sorted({address_key(row["address"]) for row in named}):
        if not store.rows(left, (key,)):
            store.write(stop, ("unsubscribed before it was sent", key))
    return [_subscription(row) for row in ended]


def _subscription(row: sqlite3.Row) -> Subscription:
    return Subscription(
        id=row["id"],
        address=row["address"],
        program_id=row["program_id"] or "",
        institution=row["institution"] or "",
        specialty=row["specialty"] or "",
        state=row["state"] or "",
        visa=row["visa"] or "",
        severity=row["severity"],
        frequency=row["frequency"],
        token=row["token"],
        created_at=row["created_at"],
        after_change=row["after_change"],
    )
