"""The bytes of a mail to what counts of it: who answers what, in their own words.

Mail is hostile: sizes and parts are bounded, text is decoded strictly, and a sender who cannot be
told is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import getaddresses, parsedate_to_datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, cast

import re2

from extractors.decode import known_encoding
from monitor.alerts import AddressError, address
from sources import letter_html
from sources.errors import LetterError
from sources.replies import own_words

LARGEST = 5_000_000  # bytes; an answer has a few thousand
MOST_PARTS = 60
DEEPEST = 12  # levels of multipart
MOST_LINES = 200_000
LONGEST_HEADER = 20_000  # bytes; reading one takes time that grows faster than it does
LONGEST_OF_A_PART = 4_000  # ... of a part's Content-Type and the like, which are read often
_FIRST_YEAR = 2000  # of mail that answers us
_PART = re.compile(rb"^content-type\s*:", re.I | re.M)
# Wherever an address stands in a sender: mail servers and programs do not agree which one counts.
_ADDRESS = re2.compile(r"""[^\s<>()\[\],:;"']+@[^\s<>()\[\],:;"']+""")
_READ = frozenset(
    (
        "from", "subject", "date", "message-id", "in-reply-to", "references", "auto-submitted",
        "precedence", "authentication-results", "content-type", "content-transfer-encoding",
        "content-disposition", "x-autoreply", "x-autorespond", "x-auto-reply",
    )
)  # fmt: skip
_IDS = re2.compile(r"<[^<>\s]{1,250}>")
_AUTOMATIC = re2.compile(
    r"(?i)^\s*(automatic reply|auto(matic)?[- ]?(reply|response)|out of (the )?office)"
)


# What the email package raises, undocumented, for headers that are broken in odd ways.
_BROKEN = (ValueError, AttributeError, LookupError, TypeError, ArithmeticError, MessageError)


class Kind(StrEnum):
    """What sort of mail it is."""

    ANSWER = "answer"
    AUTO_REPLY = "auto_reply"  # somebody is away, or a machine has taken it
    BOUNCE = "bounce"  # our question was not delivered


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail. `answers` are the Message-IDs that it may be an answer to, the nearest first.

    `text` is what its sender wrote, without quotes and signature; `why` of a bounce says what the
    server said.
    """

    message_id: str
    kind: Kind
    sender: str
    received_at: datetime
    answers: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    why: str = ""


def identity(raw: bytes) -> str:
    """By what a mail is known: its Message-ID, or its hash when it has none that is good."""
    head = message_from_bytes(raw[:65_536].split(b"\r\n\r\n")[0].split(b"\n\n")[0] + b"\n\n")
    ids = _IDS.findall(str(head.get("Message-ID", "")))
    return str(ids[0]) if ids else f"<sha256.{sha256(raw).hexdigest()[:32]}@unnamed>"


def read(raw: bytes, now: datetime) -> Letter:
    """Reads a mail; `now` stands in for a date that it lacks. Raises LetterError."""
    try:
        _check_size(raw)
        mail = cast("EmailMessage", message_from_bytes(raw, policy=_Bounded()))
        parts = list(_parts(mail))
        kind = _kind(mail)
        sender = _sender(mail, kind)
        references = _references(mail, parts, kind)
        text = "" if kind is Kind.BOUNCE else own_words(_text(parts))
        why = _why(parts) if kind is Kind.BOUNCE else ""
        subject, sent = str(mail.get("Subject", "")), _date(mail, now)
    except RecursionError as error:
        raise LetterError(f"parts, or remarks, within others, deeper than {DEEPEST}") from error
    except _BROKEN as error:
        raise LetterError(f"broken: {type(error).__name__} in its headers or parts") from error
    return Letter(identity(raw), kind, sender, sent, references, subject[:200], text, why)


class _Bounded(EmailPolicy):
    """The rules of today's mail, for headers of a bounded length."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, Any]:
        name, value = super().header_source_parse(sourcelines)
        most = LONGEST_OF_A_PART if name.lower().startswith("content-") else LONGEST_HEADER
        if name.lower() in _READ and len(value) > most:
            raise LetterError(f"its header {name} is longer than {most:,} characters")
        return name, value


def _check_size(raw: bytes) -> None:
    if len(raw) > LARGEST:
        raise LetterError(f"larger than {LARGEST:,} bytes; read it yourself")
    if raw.count(b"\n") > MOST_LINES:
        raise LetterError(f"more than {MOST_LINES:,} lines")
    if len(_PART.findall(raw)) > MOST_PARTS:
        raise LetterError(f"more than {MOST_PARTS} parts")


def _parts(mail: EmailMessage, depth: int = 0) -> Iterator[EmailMessage]:
    """All parts that are not containers, within bounds."""
    if depth > DEEPEST:
        raise LetterError(f"parts within parts, deeper than {DEEPEST}")
    count = 0
    stack: list[tuple[EmailMessage, int]] = [(mail, depth)]
    while stack:
        part, level = stack.pop(0)
        count += 1
        if count > MOST_PARTS:
            raise LetterError(f"more than {MOST_PARTS} parts")
        if level > DEEPEST:
            raise LetterError(f"parts within parts, deeper than {DEEPEST}")
        if part.is_multipart():
            inner = [p for p in part.get_payload() if isinstance(p, EmailMessage)]
            stack[:0] = [(p, level + 1) for p in inner]
            if part.get_content_maintype() != "multipart":
                yield part  # a mail in a mail, whose headers count
        else:
            yield part


def _kind(mail: EmailMessage) -> Kind:
    if mail.get_content_type() == "multipart/report":
        delivery = str(mail.get_param("report-type", "")).lower() == "delivery-status"
        return Kind.BOUNCE if delivery else Kind.AUTO_REPLY
    local = str(mail.get("From", "")).lower()
    if "mailer-daemon" in local or "postmaster@" in local:
        return Kind.BOUNCE
    said = str(mail.get("Auto-Submitted", "no")).split(";")[0].strip().lower()
    automatic = said not in ("", "no") or any(
        mail.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply")
    )
    precedence = str(mail.get("Precedence", "")).strip().lower()
    if automatic or precedence in ("auto_reply", "bulk", "junk"):
        return Kind.AUTO_REPLY
    return Kind.AUTO_REPLY if _AUTOMATIC.search(str(mail.get("Subject", ""))) else Kind.ANSWER


def _sender(mail: EmailMessage, kind: Kind) -> str:
    """The one address that a mail comes from. Raises LetterError when there is none, or a fake."""
    senders = mail.get_all("From", [])
    found = [found for _, found in getaddresses([str(s) for s in senders[:2]]) if found]
    if kind is Kind.BOUNCE:
        return found[0] if found else ""
    # As it was sent, and as it reads: what is left out of the one may be the sender for others.
    written = [str(value) for name, value in mail.raw_items() if name.lower() == "from"]
    named = {
        each.lower() for s in (*written[:2], *map(str, senders[:2])) for each in _ADDRESS.findall(s)
    }
    if len(senders) != 1 or len(found) != 1 or len(named) > 1:
        count = max(len(senders), len(found), len(named)) if found else 0
        raise LetterError(f"names {count} senders: who wrote it cannot be told")
    try:
        sender = address(found[0])
    except AddressError as error:
        raise LetterError(f"its sender {found[0][:100]!r} is no address") from error
    results = " ".join(str(r) for r in mail.get_all("Authentication-Results", [])).lower()
    if "dmarc=fail" in results or ("spf=fail" in results and "dkim=pass" not in results):
        raise LetterError(
            f"says that it is from {sender}, and our mail server found that it is not (see its "
            "Authentication-Results)"
        )
    return sender


def _references(mail: EmailMessage, parts: list[EmailMessage], kind: Kind) -> tuple[str, ...]:
    found = [
        *_IDS.findall(str(mail.get("In-Reply-To", ""))),
        *reversed(_IDS.findall(str(mail.get("References", "")))),
    ]
    if kind is not Kind.ANSWER:  # a report has the mail, or its headers, as a part
        for part in parts:
            if part.get_content_type() == "text/rfc822-headers":
                headers = part.get_payload(decode=True)
                inner = message_from_bytes(headers if isinstance(headers, bytes) else b"")
                found += _IDS.findall(str(inner.get("Message-ID", "")))
            elif part.get_content_maintype() == "message":
                within = part.get_payload()
                mails = within if isinstance(within, list) else []
                for one in (m for m in mails if isinstance(m, EmailMessage)):
                    found += _IDS.findall(str(one.get("Message-ID", "")))
    return tuple(dict.fromkeys(found))[:50]


def _text(parts: list[EmailMessage]) -> str:
    """The plain text of a mail; of one that has only HTML, the HTML's."""
    shown = [p for p in parts if p.get_content_disposition() != "attachment"]
    for part in shown:
        if part.get_content_type() == "text/plain" and (text := _decoded(part)).strip():
            return text
    for part in shown:
        if part.get_content_type() == "text/html":
            return letter_html.text(_decoded(part))
    return ""


def _decoded(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    body = payload if isinstance(payload, bytes) else b""
    named = part.get_content_charset() or "utf-8"
    for charset in ("utf-8" if named == "us-ascii" else known_encoding(named), "utf-8"):
        try:
            if charset:
                return body.decode(charset)
        except UnicodeDecodeError:
            continue
    raise LetterError(f"its text is not in {named[:40]!r}, which it says it is in, nor in UTF-8")


def _why(parts: list[EmailMessage]) -> str:
    for part in parts:
        if part.get_content_type() == "message/delivery-status":
            status = part.as_string()
            found = re2.search(r"(?im)^Diagnostic-Code:\s*(.+)$", status)
            if found:
                return str(found.group(1)).strip()[:200]
    return "the mail server could not deliver it"


def _date(mail: EmailMessage, now: datetime) -> datetime:
    """When it was sent: not later than now, whatever its clock says, nor before there was mail."""
    try:
        sent = parsedate_to_datetime(str(mail["Date"]))
    except (TypeError, ValueError, OverflowError):
        return now
    if sent.year < _FIRST_YEAR:
        return now
    return min(sent if sent.tzinfo else sent.replace(tzinfo=UTC), now)
