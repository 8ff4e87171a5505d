"""Where answers come in: an IMAP folder, or files that somebody saved."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import unquote, urlsplit

import re2

from sources.errors import SourceError
from sources.letters import LARGEST

TIMEOUT = 30.0  # seconds for each answer of the server
_SIZE = re2.compile(rb"UID (\d+).*RFC822\.SIZE (\d+)|RFC822\.SIZE (\d+).*UID (\d+)")


class MailboxError(SourceError):
    """A mailbox that cannot be read, and why; what was read before stays read."""


@dataclass(frozen=True, slots=True)
class Found:
    """A mail as it was found; `raw` is empty for one that is too large. `place` names it."""

    place: str
    raw: bytes
    size: int


def imap(url: str, since: date) -> Iterator[Found]:
    """The mails in an IMAP folder that came on a day or later; none is changed or marked as read.

    `url` is imaps://USER:PASSWORD@HOST/FOLDER (INBOX by default), or imap:// for TLS by STARTTLS;
    on this machine alone imap:// may do without. Raises MailboxError, without the password.
    """
    parts = urlsplit(url)
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise MailboxError("verify.imap_url is no URL: its port is no number") from error
    if parts.scheme not in ("imap", "imaps") or not host or not parts.username:
        raise MailboxError("verify.imap_url is like imaps://USER:PASSWORD@HOST/FOLDER")
    folder = unquote(parts.path.strip("/")) or "INBOX"
    try:
        connection = _connected(parts.scheme, host, port)
        try:
            connection.login(unquote(parts.username), unquote(parts.password or ""))
            yield from _mails(connection, host, folder, since)
        finally:
            connection.logout()
    except (imaplib.IMAP4.error, OSError) as error:
        raise MailboxError(f"{host}: {_reason(error)}") from error


def files(paths: list[Path]) -> Iterator[Found]:
    """The mails in .eml files, and in all of a folder. Raises OSError."""
    for path in paths:
        found = sorted(path.glob("*.eml")) if path.is_dir() else [path]
        for one in found:
            size = one.stat().st_size
            yield Found(str(one), one.read_bytes() if size <= LARGEST else b"", size)


def _connected(scheme: str, host: str, port: int | None) -> imaplib.IMAP4:
    context = ssl.create_default_context()
    if scheme == "imaps":
        return imaplib.IMAP4_SSL(host, port or 993, ssl_context=context, timeout=TIMEOUT)
    connection = imaplib.IMAP4(host, port or 143, timeout=TIMEOUT)
    if "STARTTLS" in connection.capabilities:
        connection.starttls(context)
    elif host not in ("localhost", "127.0.0.1", "::1"):
        connection.logout()
        raise MailboxError(f"{host} has no STARTTLS, and a password is not sent without; use imaps")
    return connection


def _mails(connection: imaplib.IMAP4, host: str, folder: str, since: date) -> Iterator[Found]:
    quoted = '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
    status, _ = connection.select(quoted, readonly=True)
    if status != "OK":
        raise MailboxError(f"{host} has no folder '{folder}'")
    _, found = connection.uid(
        "SEARCH", "SINCE", f"{since.day:02}-{_MONTHS[since.month - 1]}-{since.year}"
    )
    uids = found[0].split() if found and found[0] else []
    for uid in uids:
        size = _size(connection, uid)
        place = f"{folder}, mail {uid.decode()}"
        if size > LARGEST:
            yield Found(place, b"", size)
            continue
        _, fetched = connection.uid("FETCH", uid.decode(), "(BODY.PEEK[])")
        raw = next((part[1] for part in fetched if isinstance(part, tuple)), None)
        if raw is not None:  # None: it was deleted meanwhile
            yield Found(place, raw, size)


def _size(connection: imaplib.IMAP4, uid: bytes) -> int:
    _, answer = connection.uid("FETCH", uid.decode(), "(RFC822.SIZE)")
    for line in answer:
        if isinstance(line, bytes) and (match := _SIZE.search(line)):
            return int(match.group(2) or match.group(3))
    return 0


# strftime's names are those of the machine's language.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _reason(error: Exception) -> str:
    said = str(error).removeprefix("b'").strip("'")
    if "AUTHENTICATIONFAILED" in said:
        return "does not accept this user and password"
    return said or type(error).__name__
