"""From flagged changes to mail in the outbox."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import Any
from urllib.parse import urlsplit

from monitor.alerts import addresses, notes, planning
from monitor.alerts.channels import is_channel
from monitor.alerts.errors import MailError
from monitor.alerts.matching import described
from monitor.alerts.message import mailto, message, one_line
from monitor.alerts.planning import Batch, Subject
from monitor.alerts.wording import Part, part
from monitor.groups import stories
from store import outbox
from store.database import Store
from store.records import Change, Mail, Subscription, address_key, stamp

_DIGESTS = {"daily": "daily digest", "weekly": "weekly digest"}


def enqueue(
    store: Store,
    now: datetime,
    *,
    sender: str,
    base_url: str,
    changes: Sequence[Change] | None = None,
) -> int:
    """Composes the mail that is due at `now` and puts it into the outbox; gives their number.

    What is due is read from the store, so that a cycle that was killed is caught up with: each
    change since a subscription began that it asks for and that its address was not mailed yet.
    At-once changes of one address make one mail. A digest is due once the day (UTC) or ISO week
    of one of its changes is over, and then has all of them. `changes` limits this to some.

    A mail is filed together with the record of what it tells whom, in one transaction; a run
    that is killed, or beside another one, doubles and loses none. Raises MailError for a sender
    or base_url of no use.
    """
    origin, site = addresses.sender(sender), home(base_url)
    only = None if changes is None else {change.id for change in changes}
    parts: dict[tuple[int, ...], Part] = {}  # many addresses are told of the same changes
    filed = 0
    for batch in planning.due(store, now, only):
        told = []
        groups = _groups(batch)
        for group in groups:
            numbers = tuple(subject.change.id for subject in group)
            if numbers not in parts:
                parts[numbers] = part(group, base_url=site)
            told.append(parts[numbers])
        if is_channel(batch.address):
            mail = _note(batch, groups, told, now, site)
        else:
            mail = _compose(batch, told, now, origin, site)
        # Composing takes its time, in which others may write. One of them may have told this
        # address already; what it left out is in the mail of the next run.
        with store.writing():
            if not outbox.mailed(store, batch.address, batch.change_ids):
                outbox.enqueue(store, mail, batch.change_ids)
                filed += 1
    return filed


def _groups(batch: Batch) -> list[list[Subject]]:
    subjects = {subject.change.id: subject for subject in batch.subjects}
    programs = {s.program.program_id: s.program for s in batch.subjects}
    told = stories((s.change for s in batch.subjects), programs)
    return [[subjects[change.id] for change in story] for story in told]


def home(base_url: str) -> str:
    """The site's address without a slash at its end. Raises MailError if it is none."""
    if base_url and not base_url.startswith(("https://", "http://")):
        raise MailError(f"web.base_url: {base_url!r} does not begin with https:// or http://")
    return base_url.rstrip("/")


def _compose(
    batch: Batch, parts: list[Part], now: datetime, sender: Address, base_url: str
) -> Mail:
    message_id = _message_id(batch, sender.domain)
    subject = _subject(batch, parts)
    tokens = ".".join(reason.token for reason in batch.reasons)
    stop = mailto(sender.addr_spec, f"unsubscribe {tokens}")
    body = message(
        message_id=message_id,
        to=batch.address,
        sender=sender,
        subject=subject,
        now=now.astimezone(UTC),
        stop_links=(f"{base_url}/unsubscribe/{tokens}", stop) if base_url else (stop,),
        values={
            "subject": subject,
            "digest": _DIGESTS.get(batch.frequency, ""),
            "parts": parts,
            "reasons": [_reason(reason, sender, base_url) for reason in batch.reasons],
            "address": batch.address,
            "sender": sender.addr_spec,
        },
    )
    return Mail(0, message_id, batch.address, subject, body, created_at=stamp(now))


def _note(
    batch: Batch, groups: list[list[Subject]], parts: list[Part], now: datetime, base_url: str
) -> Mail:
    """The same for a channel: shorter, as chats are read."""
    message_id = _message_id(batch, urlsplit(base_url).hostname or "visawatch.invalid")
    subject = _subject(batch, parts)
    stops = [
        f"{base_url}/unsubscribe/{r.token}" if base_url else f"visawatch unsubscribe {r.token}"
        for r in batch.reasons
    ]
    body = notes.note(
        groups,
        message_id=message_id,
        subject=subject,
        now=now.astimezone(UTC),
        stop=f"To stop: {', '.join(stops[:3])}",
        base_url=base_url,
    )
    return Mail(0, message_id, batch.address, subject, body, created_at=stamp(now))


def _message_id(batch: Batch, domain: str) -> str:
    """The same changes for the same address make the same one, by which a repeat is told."""
    identity = "\n".join([address_key(batch.address), *map(str, batch.change_ids)])
    return f"<visawatch.{hashlib.sha256(identity.encode()).hexdigest()[:32]}@{domain}>"


def _subject(batch: Batch, parts: list[Part]) -> str:
    kind = _DIGESTS.get(batch.frequency)
    start = f"VisaWatch {kind}" if kind else "VisaWatch"
    if len(parts) == 1:
        return f"{start}: {parts[0].headline}"
    programs = len({s.program.program_id for s in batch.subjects})
    changes = len(batch.subjects)
    return f"{start}: {changes} changes at {programs} program{'s' if programs > 1 else ''}"


def _reason(reason: Subscription, sender: Address, base_url: str) -> dict[str, Any]:
    """Why a mail came, in words, and how to stop it."""
    return {
        "filters": one_line(described(reason), 300),
        "token": reason.token,
        "link": f"{base_url}/unsubscribe/{reason.token}" if base_url else "",
        "mailto": mailto(sender.addr_spec, f"unsubscribe {reason.token}"),
    }
