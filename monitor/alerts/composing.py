"""From flagged changes to mail in the outbox."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import Any

from monitor.alerts import addresses
from monitor.alerts.errors import MailError
from monitor.alerts.matching import described, matches
from monitor.alerts.message import mailto, message, one_line
from monitor.alerts.wording import Item, Subject, headline, item
from store import outbox, subscriptions
from store.database import Store
from store.records import Change, Mail, Subscription, stamp

_DIGESTS = {"daily": "daily digest", "weekly": "weekly digest"}


@dataclass(frozen=True, slots=True)
class _Batch:
    """What goes to one address in one mail, and whose wish that was."""

    email: str
    frequency: str
    subjects: tuple[Subject, ...]
    reasons: tuple[Subscription, ...]


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

    All of it is one transaction. Raises MailError for a sender or base_url of no use.
    """
    origin, home = addresses.sender(sender), _home(base_url)
    items: dict[int, Item] = {}  # by change: many addresses are told of the same one
    with store.writing():
        mails = 0
        for batch in _due(store, now, changes):
            for subject in batch.subjects:
                if subject.change.id not in items:
                    items[subject.change.id] = item(subject, home)
            told = [items[subject.change.id] for subject in batch.subjects]
            outbox.enqueue(
                store,
                _compose(batch, told, now, origin, home),
                [subject.change.id for subject in batch.subjects],
            )
            mails += 1
        return mails


def _home(base_url: str) -> str:
    if base_url and not base_url.startswith(("https://", "http://")):
        raise MailError(f"web.base_url: {base_url!r} does not begin with https:// or http://")
    return base_url.rstrip("/")


def _due(store: Store, now: datetime, only: Sequence[Change] | None) -> Iterator[_Batch]:
    active = subscriptions.listed(store)
    if not active:
        return
    wanted = None if only is None else {change.id for change in only}
    subjects = [
        Subject(change, *outbox.program(store, change.program_id))
        for change in outbox.mailable(store, min(s.created_at for s in active))
        if wanted is None or change.id in wanted
    ]
    by_address: dict[str, list[Subscription]] = {}
    for subscription in active:
        by_address.setdefault(subscription.email.lower(), []).append(subscription)
    for email, theirs in by_address.items():
        done = outbox.mailed(store, email)
        # In this order: what goes out at once is not in the digest of the same address too.
        for frequency in ("at_once", "daily", "weekly"):
            asked = [s for s in theirs if s.frequency == frequency]
            fresh = [s for s in subjects if s.change.id not in done]
            batch = _batch(frequency, asked, fresh, now)
            if batch is not None:
                done |= {s.change.id for s in batch.subjects}
                yield batch


def _batch(
    frequency: str, asked: list[Subscription], fresh: list[Subject], now: datetime
) -> _Batch | None:
    found: dict[int, Subject] = {}
    reasons = []
    for subscription in asked:
        matched = {
            s.change.id: s
            for s in fresh
            if s.change.detected_at >= subscription.created_at
            and matches(subscription, s.change, s.program)
        }
        if matched:
            found |= matched
            reasons.append(subscription)
    if not any(_is_due(frequency, s.change.detected_at, now) for s in found.values()):
        return None
    subjects = tuple(found[number] for number in sorted(found))
    return _Batch(reasons[0].email, frequency, subjects, tuple(reasons))


def _is_due(frequency: str, detected_at: str, now: datetime) -> bool:
    """Whether the time of a change detected then has come: its day or week is over."""
    then, now = datetime.fromisoformat(detected_at).astimezone(UTC), now.astimezone(UTC)
    if frequency == "daily":
        return then.date() < now.date()
    if frequency == "weekly":
        return then.isocalendar()[:2] < now.isocalendar()[:2]
    return True


def _compose(
    batch: _Batch, items: list[Item], now: datetime, sender: Address, base_url: str
) -> Mail:
    identity = [batch.email.lower(), *(str(s.change.id) for s in batch.subjects)]
    digest = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:32]
    # The same changes for the same address make the same Message-ID, so that a mail program
    # (and a person) can tell a repeat.
    message_id = f"<visawatch.{digest}@{sender.domain}>"
    subject = _subject(batch)
    tokens = ".".join(reason.token for reason in batch.reasons)
    stop = mailto(sender.addr_spec, f"unsubscribe {tokens}")
    stop_links = (f"{base_url}/unsubscribe/{tokens}", stop) if base_url else (stop,)
    values: dict[str, Any] = {
        "subject": subject,
        "digest": _DIGESTS.get(batch.frequency, ""),
        "items": items,
        "reasons": [
            {
                "filters": one_line(described(reason), 300),
                "token": reason.token,
                "link": f"{base_url}/unsubscribe/{reason.token}" if base_url else "",
                "mailto": mailto(sender.addr_spec, f"unsubscribe {reason.token}"),
            }
            for reason in batch.reasons
        ],
        "email": batch.email,
        "sender": sender.addr_spec,
        "home": base_url,
    }
    body = message(
        message_id=message_id,
        to=batch.email,
        sender=sender,
        subject=subject,
        now=now.astimezone(UTC),
        stop_links=stop_links,
        values=values,
    )
    return Mail(0, message_id, batch.email, subject, body, created_at=stamp(now))


def _subject(batch: _Batch) -> str:
    kind = _DIGESTS.get(batch.frequency)
    start = f"VisaWatch {kind}" if kind else "VisaWatch"
    count = len(batch.subjects)
    if count == 1:
        return f"{start}: {headline(batch.subjects[0])}"
    programs = len({s.program.program_id for s in batch.subjects})
    return f"{start}: {count} changes at {programs} program{'s' if programs > 1 else ''}"
