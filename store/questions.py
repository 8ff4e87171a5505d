"""Whom we asked about their policy in which season, and which mails came back."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from store.database import Store


@dataclass(frozen=True, slots=True)
class Question:
    """A mail to a program's coordinator. `approved_by` is the maintainer who let it go."""

    program_id: str
    season: int
    address: str
    message_id: str
    approved_by: str
    asked_at: str
    id: int = 0


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was read. `problem` says why nothing could be made of it."""

    message_id: str
    kind: str  # answer | auto_reply | bounce | unreadable
    sender: str
    received_at: str
    read_at: str
    question_id: int | None = None
    problem: str = ""


def ask(store: Store, question: Question) -> bool:
    """Files a question; False when its program was asked in this season. Inside `writing()`."""
    store.write(
        "INSERT OR IGNORE INTO questions"
        " (program_id, season, address, message_id, approved_by, asked_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            question.program_id,
            question.season,
            question.address,
            question.message_id,
            question.approved_by,
            question.asked_at,
        ),
    )
    return bool(store.rows("SELECT changes() AS n")[0]["n"])


def asked(store: Store, season: int) -> set[str]:
    """The programs that were asked in a season, by id."""
    rows = store.rows("SELECT program_id FROM questions WHERE season = ?", (season,))
    return {row["program_id"] for row in rows}


def of_mail(store: Store, message_ids: Collection[str]) -> Question | None:
    """The question that a mail answers, by the first of these Message-IDs that is one."""
    for message_id in message_ids:
        rows = store.rows("SELECT * FROM questions WHERE message_id = ?", (message_id,))
        if rows:
            return _question(rows[0])
    return None


def first_asked(store: Store) -> str | None:
    """When the first question of all was asked."""
    asked_at: str | None = store.rows("SELECT min(asked_at) AS at FROM questions")[0]["at"]
    return asked_at


def known(store: Store, message_ids: Iterable[str]) -> set[str]:
    """Those of these mails that were read already."""
    return {
        message_id
        for message_id in message_ids
        if store.rows("SELECT 1 FROM answers WHERE message_id = ?", (message_id,))
    }


def note(store: Store, mail: Mail) -> bool:
    """Notes that a mail was read; False when that is known. Inside `writing()`."""
    store.write(
        "INSERT OR IGNORE INTO answers"
        " (message_id, question_id, kind, sender, received_at, read_at, problem)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            mail.message_id,
            mail.question_id,
            mail.kind,
            mail.sender,
            mail.received_at,
            mail.read_at,
            mail.problem,
        ),
    )
    return bool(store.rows("SELECT changes() AS n")[0]["n"])


def _question(row: sqlite3.Row) -> Question:
    return Question(
        row["program_id"],
        row["season"],
        row["address"],
        row["message_id"],
        row["approved_by"],
        row["asked_at"],
        row["id"],
    )
