"""Wishes to be told of changes that wait for their address to agree (double opt-in)."""

from __future__ import annotations

import hmac
import secrets
import sqlite3
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from store import subscriptions
from store.database import Store
from store.errors import NotFound
from store.records import Subscription, address_key, stamp

VALID = timedelta(hours=48)
PER_ADDRESS = 3  # mails in `VALID`, however often somebody asks for them
AT_ONCE = timedelta(minutes=10)  # between two mails to one address
PER_HOUR = 100  # mails to all addresses together

_SELECTOR = 8  # characters of a token that find its row; the others are compared


class Taken(StrEnum):
    """What becomes of a wish."""

    YES = "yes"
    ASKED_ALREADY = "asked_already"  # its address has had enough mail about it
    TOO_MANY = "too_many"  # for all addresses together


@dataclass(frozen=True, slots=True)
class Invitation:
    """A wish with the token by which its address agrees."""

    wish: Subscription
    token: str
    created_at: str
    confirmed_at: str | None = None


def add(store: Store, wish: Subscription, now: datetime) -> tuple[Taken, Invitation | None]:
    """Files a wish and gives its token, unless too many were filed. Inside `writing()`.

    Those that have expired are forgotten, with their addresses; and those of a clock that ran
    ahead, which would be in the way until that time has come.
    """
    store.write(
        "DELETE FROM invitations WHERE created_at < ? OR created_at > ?",
        (stamp(now - VALID), stamp(now + VALID)),
    )
    recent = store.rows(
        "SELECT count(*) AS n FROM invitations WHERE created_at > ?",
        (stamp(now - timedelta(hours=1)),),
    )
    if recent[0]["n"] >= PER_HOUR:
        return Taken.TOO_MANY, None
    theirs = store.rows(
        "SELECT created_at FROM invitations WHERE key = ? ORDER BY id", (address_key(wish.address),)
    )
    if len(theirs) >= PER_ADDRESS or (theirs and theirs[-1]["created_at"] > stamp(now - AT_ONCE)):
        return Taken.ASKED_ALREADY, None
    token = secrets.token_hex(16)
    store.write(
        "INSERT INTO invitations (address, key, program_id, institution, specialty, state, visa,"
        " severity, frequency, token, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            wish.address, address_key(wish.address), wish.program_id, wish.institution,
            wish.specialty, wish.state, wish.visa, wish.severity, wish.frequency, token,
            stamp(now),
        ),
    )  # fmt: skip
    return Taken.YES, Invitation(wish, token, stamp(now))


def get(store: Store, token: str, now: datetime) -> Invitation:
    """The invitation of a token. Raises NotFound for one that there is not, or that expired."""
    # As in store.subscriptions: no answer may be sooner for a better guess.
    rows = store.rows(
        "SELECT * FROM invitations WHERE token >= ?1 AND token < ?1 || 'g' AND created_at >= ?2"
        " AND created_at <= ?3",
        (token[:_SELECTOR], stamp(now - VALID), stamp(now + VALID)),
    )
    for row in rows:
        if token.isascii() and hmac.compare_digest(row["token"].encode(), token.encode()):
            return _invitation(row)
    raise NotFound("no such invitation, or it has expired")


def confirm(store: Store, token: str, now: datetime) -> Subscription:
    """The address agrees: its subscription. Harmless when it has. Inside `writing()`.

    Raises NotFound as `get` does.
    """
    invitation = get(store, token, now)
    if invitation.confirmed_at is None:
        store.write("UPDATE invitations SET confirmed_at = ? WHERE token = ?", (stamp(now), token))
        return subscriptions.add(store, invitation.wish, now)
    # A second click after an unsubscription is no new wish: it gives back what there was.
    known = subscriptions.same(store, invitation.wish)
    return known or replace(invitation.wish, token="")


def _invitation(row: sqlite3.Row) -> Invitation:
    wish = Subscription(
        id=0,
        address=row["address"],
        program_id=row["program_id"],
        institution=row["institution"],
        specialty=row["specialty"],
        state=row["state"],
        visa=row["visa"],
        severity=row["severity"],
        frequency=row["frequency"],
    )
    return Invitation(wish, row["token"], row["created_at"], row["confirmed_at"])
