"""Which programs are asked for their policy, and the mail that asks them.

Each program is asked at most once in a season, and never without a maintainer who lets the mail go.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from importlib.resources import files
from pathlib import Path

from jinja2 import TemplateError
from jinja2.sandbox import SandboxedEnvironment

from extractors import Category, Stance
from monitor.alerts import AddressError, address
from monitor.alerts.addresses import sender as sender_of
from monitor.alerts.message import one_line
from monitor.status import Status, statuses
from monitor.timeline import season
from sources.errors import SourceError
from store import outbox, questions
from store.database import Store
from store.questions import Question
from store.records import Mail, Program, stamp

_SUBJECT = "Subject:"


class AskingError(SourceError):
    """A question that cannot be asked, and why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A program worth asking, why, and what keeps it from being asked (empty: nothing)."""

    program: Program
    reasons: tuple[str, ...]
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail that would be sent."""

    program: Program
    to: str
    subject: str
    text: str


def plan(store: Store, now: datetime, *, stale_after_cycles: int = 3) -> list[Wanted]:
    """The programs whose policy is unstated, conflicting, stale, in doubt or was never read.

    Those that can be asked come first. A program that was asked in this season is not among them.
    """
    asked = questions.asked(store, season(stamp(now)))
    found = [
        Wanted(status.program, reasons, _obstacle(status.program))
        for status in statuses(store, stale_after_cycles=stale_after_cycles)
        if status.program.program_id not in asked and (reasons := _reasons(status))
    ]
    return sorted(found, key=lambda w: (bool(w.obstacle), w.program.program_id))


def draft(program: Program, template: str) -> Draft:
    """The mail to a program, by a template (see templates/question.txt). Raises AskingError."""
    if obstacle := _obstacle(program):
        raise AskingError(f"{program.program_id}: {obstacle}")
    try:
        text = _ENVIRONMENT.from_string(template).render(
            program_id=one_line(program.program_id),
            institution=one_line(program.institution),
            specialty=one_line(program.specialty),
            level=one_line(program.level),
        )
    except TemplateError as error:
        raise AskingError(f"the template cannot be filled in: {error}") from error
    head, _, body = text.lstrip().partition("\n")
    if not head.startswith(_SUBJECT) or not body.strip():
        raise AskingError(f"a template begins with a line '{_SUBJECT} ...', and has a text below")
    return Draft(
        program,
        address(program.coordinator_email),
        one_line(head.removeprefix(_SUBJECT), 150),
        body.strip() + "\n",
    )


def ask(store: Store, drafts: Collection[Draft], now: datetime, *, by: str, sender: str) -> int:
    """Puts these mails into the outbox, each with its question on record; gives their number.

    `by` is the maintainer who lets them go. A program that was asked in this season is passed over.
    Raises AskingError without a name, and MailError for a sender that cannot be used.
    """
    if not by.strip():
        raise AskingError("who lets these mails go? Give a name with --by")
    origin = sender_of(sender)
    count = 0
    with store.writing():
        for one in drafts:
            message_id = f"<visawatch.question.{secrets.token_hex(16)}@{origin.domain}>"
            question = Question(
                one.program.program_id,
                season(stamp(now)),
                one.to,
                message_id,
                by.strip(),
                stamp(now),
            )
            if questions.ask(store, question):
                message = _message(one, message_id, origin, now)
                mail = Mail(0, message_id, one.to, one.subject, message, created_at=stamp(now))
                outbox.enqueue(store, mail, {})
                count += 1
    return count


def template(path: Path | None = None) -> str:
    """The template in a file, or the one that ships. Raises OSError and AskingError."""
    if path is None:
        return (files("sources") / "templates" / "question.txt").read_text("utf-8")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise AskingError(f"{path}: not UTF-8") from error


def _reasons(status: Status) -> tuple[str, ...]:
    policy = status.policy
    if policy is None:
        return ("its pages were never read",)
    found = []
    if policy.category in (Category.UNSTATED, Category.J1_H1B_UNSTATED, Category.UNCLEAR):
        found.append("unstated")
    if any(stance is Stance.CONFLICTING for _, stance in policy.stances):
        found.append("conflicting")
    if status.stale:
        found.append("stale")
    elif policy.needs_review:
        found.append("in doubt")
    return tuple(found)


def _obstacle(program: Program) -> str:
    if not program.coordinator_email:
        return "its coordinator's address is not known"
    try:
        address(program.coordinator_email)
    except AddressError:
        return f"'{program.coordinator_email}' is no address"
    return ""


def _message(one: Draft, message_id: str, origin: Address, now: datetime) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = origin
    mail["To"] = one.to
    mail["Subject"] = one.subject
    mail["Date"] = format_datetime(now.astimezone(UTC))
    mail["Message-ID"] = message_id
    mail.set_content(one.text, cte="quoted-printable")
    return mail.as_bytes(policy=_UNFOLDED)


# The email package folds a long Message-ID onto a line of its own, where not all look for it.
_UNFOLDED = SMTP.clone(max_line_length=None)

# A template comes from a maintainer, and a program's names from a list: neither runs anything.
_ENVIRONMENT = SandboxedEnvironment(autoescape=False, keep_trailing_newline=True)
