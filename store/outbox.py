"""Mail on its way: composed once, kept until it is sent or refused for good."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import zstandard

from store import changes, verdicts
from store.database import Store, among
from store.errors import NotFound
from store.records import Change, Mail, Program, Review, address_key, stamp

# No mail waits longer than this for its next attempt, so one that seems to was filed by a
# clock that ran ahead and has been set right since.
LONGEST_WAIT = timedelta(hours=24)


def mailable(store: Store, after: int) -> list[Change]:
    """The changes that were flagged after the one of this id and may be mailed, oldest first.

    Dismissed ones were false alarms. A corrected one has the policy that the maintainer
    gave as its `after`, unless that is what stood before: then nothing changed.
    """
    rows = store.rows(
        "SELECT id, status FROM changes WHERE id > ? AND status <> 'dismissed' ORDER BY id",
        (after,),
    )
    found = (told(store, changes.get(store, row["id"])) for row in rows)
    return [change for change in found if change.status != "dismissed"]


def told(store: Store, change: Change) -> Change:
    """A change as people are told of it: see `all_told`."""
    return all_told(store, [change])[0]


def all_told(store: Store, found: Sequence[Change]) -> list[Change]:
    """Changes as people are told of them: a correction is what it leads to.

    One that was corrected to what stood before is as good as dismissed, and comes as such.
    """
    corrected = [change.id for change in found if change.status == "corrected"]
    held = verdicts.that_hold(store, corrected) if corrected else {}
    return [_told(change, held.get(change.id)) for change in found]


def _told(change: Change, review: Review | None) -> Change:
    if review is None or review.policy is None:
        return change
    truth = review.policy
    if all(truth.get(key) == change.before.get(key) for key in ("stances", "conditions")):
        return replace(change, status="dismissed")
    return replace(change, after=truth)


def mailed(store: Store, address: str, change_ids: Iterable[int]) -> dict[int, int]:
    """Which of these changes an address was told of, each with the last decision that it knows."""
    rows = store.rows(
        "SELECT change_id, told FROM mailed WHERE address = ?"
        " AND change_id IN (SELECT value FROM json_each(?))",
        (address_key(address), json.dumps(list(change_ids))),
    )
    return {row["change_id"]: row["told"] for row in rows}


def program(store: Store, program_id: str) -> tuple[Program, bool]:
    """One of `programs_of`. Raises NotFound."""
    found = programs_of(store, [program_id])
    if not found:
        raise NotFound(f"no program '{program_id}'")
    return found[program_id]


def programs_of(store: Store, program_ids: Collection[str]) -> dict[str, tuple[Program, bool]]:
    """By id, programs and whether each is still watched: changes of others may be unmailed yet."""
    where, values = among("p.id", program_ids)
    rows = store.rows(
        "SELECT p.*, i.name AS institution FROM programs p"  # noqa: S608
        f" JOIN institutions i ON i.id = p.institution_id WHERE true{where}",
        values,
    )
    return {row["id"]: (_program(row), row["removed_at"] is None) for row in rows}


def _program(row: sqlite3.Row) -> Program:
    return Program(
        row["id"],
        row["institution"],
        row["specialty"],
        level=row["level"],
        city=row["city"] or "",
        state=row["state"] or "",
    )


@dataclass(frozen=True, slots=True)
class Mailed:
    """That an address was told of a change, and the last decision of which it knows (0: none)."""

    address: str  # as address_key has it
    change_id: int
    told: int


def decided_since(store: Store) -> list[Mailed]:
    """Who was told of a change on which something has been decided since."""
    rows = store.rows(
        "SELECT DISTINCT m.address, m.change_id, m.told FROM reviews r"
        " JOIN mailed m ON m.change_id = r.change_id AND m.told < r.id"
        " ORDER BY m.address, m.change_id"
    )
    return [Mailed(row["address"], row["change_id"], row["told"]) for row in rows]


def knows(store: Store, address: str, decided: Mapping[int, int]) -> None:
    """Notes the last decisions on changes that an address was told of. Inside `writing()`."""
    store.write_many(
        "UPDATE mailed SET told = ? WHERE address = ? AND change_id = ?",
        [(told, address, change_id) for change_id, told in decided.items()],
    )


def enqueue(store: Store, mail: Mail, decided: Mapping[int, int]) -> int:
    """Files a mail (its id is ignored) and what is in it; gives its id. Inside `writing()`.

    That is by change the last decision on it, 0 for none. A mail with the same Message-ID is not
    filed again.
    """
    store.write(
        "INSERT OR IGNORE INTO outbox"
        " (message_id, address, subject, message, created_at, state, next_attempt_at)"
        " VALUES (?, ?, ?, ?, ?, 'queued', ?)",
        (
            mail.message_id,
            mail.address,
            mail.subject,
            zstandard.compress(mail.message),
            mail.created_at,
            mail.next_attempt_at or mail.created_at,
        ),
    )
    rows = store.rows("SELECT id FROM outbox WHERE message_id = ?", (mail.message_id,))
    mail_id = int(rows[0]["id"])
    store.write_many(
        "INSERT INTO mailed VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET outbox_id = excluded.outbox_id, told = excluded.told",
        [(address_key(mail.address), number, mail_id, told) for number, told in decided.items()],
    )
    return mail_id


def reported(store: Store, address: str, whats: Iterable[str]) -> set[str]:
    """Which of these things a maintainer was told of by mail."""
    rows = store.rows(
        "SELECT what FROM reported WHERE address = ? AND what IN (SELECT value FROM json_each(?))",
        (address_key(address), json.dumps(list(whats))),
    )
    return {row["what"] for row in rows}


def enqueue_report(store: Store, mail: Mail, whats: Iterable[str]) -> None:
    """Files a mail to a maintainer, and that these things are in it. Inside `writing()`."""
    mail_id = enqueue(store, mail, {})
    store.write_many(
        "INSERT OR IGNORE INTO reported VALUES (?, ?, ?)",
        [(address_key(mail.address), what, mail_id) for what in whats],
    )


def due(
    store: Store,
    now: datetime,
    *,
    channels: bool | None = None,
    after_id: int = 0,
    limit: int = 100,
) -> list[Mail]:
    """Queued mail whose time has come, oldest first, from the one after `after_id`.

    With `channels` only what goes to URLs, or only what goes to e-mail addresses.
    """
    return [
        _mail(row)
        for row in store.rows(
            "SELECT * FROM outbox WHERE state = 'queued' AND id > ?"
            " AND (next_attempt_at <= ? OR next_attempt_at > ?)"
            " AND coalesce((instr(address, '://') > 0) = ?, TRUE) ORDER BY id LIMIT ?",
            (after_id, stamp(now), stamp(now + LONGEST_WAIT), channels, limit),
        )
    ]


def attempt(store: Store, mail_id: int) -> None:
    """The mail is about to be handed over. Inside `writing()`.

    Written before, so that where nothing can be written nothing is sent: a mail whose sending
    cannot be noted would be sent again and again.
    """
    store.write("UPDATE outbox SET attempts = attempts + 1 WHERE id = ?", (mail_id,))


def doubt(store: Store, mail_id: int) -> int:
    """Nobody knows whether the mail was taken; gives how often that has been so. In `writing()`."""
    store.write("UPDATE outbox SET doubts = doubts + 1 WHERE id = ?", (mail_id,))
    rows = store.rows("SELECT doubts FROM outbox WHERE id = ?", (mail_id,))
    return int(rows[0]["doubts"])


def mark_sent(store: Store, mail_id: int, now: datetime) -> None:
    """The server has taken the mail. Inside `writing()`."""
    store.write(
        "UPDATE outbox SET state = 'sent', sent_at = ?, error = NULL WHERE id = ?",
        (stamp(now), mail_id),
    )


def mark_refused(store: Store, mail_id: int, error: str) -> None:
    """The mail will never be taken; `error` says why. Inside `writing()`."""
    store.write("UPDATE outbox SET state = 'refused', error = ? WHERE id = ?", (error, mail_id))


def mark_unconfirmed(store: Store, mail_id: int, error: str) -> None:
    """It may have arrived twice, or not at all, and is not sent again by itself. In `writing()`."""
    store.write("UPDATE outbox SET state = 'unconfirmed', error = ? WHERE id = ?", (error, mail_id))


def doubt_all(store: Store, error: str) -> int:
    """Whatever is queued becomes unconfirmed; gives their number. Inside `writing()`."""
    found = store.rows("SELECT id FROM outbox WHERE state = 'queued'")
    for row in found:
        mark_unconfirmed(store, row["id"], error)
    return len(found)


def once_more(store: Store, now: datetime) -> int:
    """Queues what is unconfirmed for one more attempt; gives their number. Inside `writing()`."""
    found = store.rows("SELECT id FROM outbox WHERE state = 'unconfirmed'")
    store.write_many(
        "UPDATE outbox SET state = 'queued', doubts = 1, next_attempt_at = ? WHERE id = ?",
        [(stamp(now), row["id"]) for row in found],
    )
    return len(found)


def postpone(store: Store, mail_id: int, until: datetime, error: str) -> None:
    """The mail was not taken this time; `error` says why. Inside `writing()`."""
    store.write(
        "UPDATE outbox SET next_attempt_at = ?, error = ? WHERE id = ?",
        (stamp(until), error, mail_id),
    )


def listed(store: Store) -> list[Mail]:
    """All mail, sent or not, oldest first."""
    return [_mail(row) for row in store.rows("SELECT * FROM outbox ORDER BY id")]


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is queued."""

    mails: int
    oldest: str  # when the oldest of them was filed
    error: str  # why the last attempt at it failed; empty: none was made


def waiting(store: Store) -> Waiting | None:
    """What is queued, if anything is."""
    rows = store.rows(
        "SELECT count(*) AS n, min(created_at) AS oldest, error FROM outbox WHERE state = 'queued'"
    )
    row = rows[0]  # with min(), the other columns are those of that mail (sqlite.org/lang_select)
    return Waiting(row["n"], row["oldest"], row["error"] or "") if row["n"] else None


def by_state(store: Store) -> dict[str, int]:
    """How many mails are in each state."""
    rows = store.rows("SELECT state, count(*) AS n FROM outbox GROUP BY state ORDER BY state")
    return {row["state"]: row["n"] for row in rows}


def get(store: Store, mail_id: int) -> Mail:
    """One mail. Raises NotFound."""
    rows = store.rows("SELECT * FROM outbox WHERE id = ?", (mail_id,))
    if not rows:
        raise NotFound(f"no mail {mail_id}; `visawatch alerts show` lists them all")
    return _mail(rows[0])


def _mail(row: sqlite3.Row) -> Mail:
    return Mail(
        id=row["id"],
        message_id=row["message_id"],
        address=row["address"],
        subject=row["subject"],
        message=zstandard.decompress(row["message"]),
        created_at=row["created_at"],
        state=row["state"],
        attempts=row["attempts"],
        doubts=row["doubts"],
        next_attempt_at=row["next_attempt_at"],
        sent_at=row["sent_at"],
        error=row["error"],
    )
