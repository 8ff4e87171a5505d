"""The mail to maintainers: what a cycle has to tell beside its changes (see monitor.reporting)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from monitor.alerts import addresses
from monitor.alerts.composing import home
from monitor.alerts.message import link, message, one_line
from monitor.reporting import Notice, Topic
from store import outbox
from store.database import Store
from store.records import Mail, address_key, stamp

_MOST = 20  # notices of one topic that are told; the rest is counted

# In a subject line, for one and for more: the first two topics of a mail are named.
_COUNTED = {
    Topic.UNREADABLE: ("1 page cannot be read", "{} pages cannot be read"),
    Topic.FLAPPING: ("1 policy goes back and forth", "{} policies go back and forth"),
    Topic.WAVE: ("1 wave", "{} waves"),
    Topic.CLOSED: ("1 change closed itself", "{} changes closed themselves"),
    Topic.RESTED: ("1 policy has come to rest", "{} policies have come to rest"),
    Topic.READABLE: ("1 page can be read again", "{} pages can be read again"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One notice as the templates show it."""

    headline: str
    detail: str
    url: str
    link: str
    review: str


@dataclass(frozen=True, slots=True)
class Block:
    """The notices of one topic; `left` are only counted."""

    title: str
    lines: tuple[Line, ...]
    left: int


def enqueue_report(
    store: Store,
    found: Sequence[Notice],
    now: datetime,
    *,
    maintainers: Iterable[str],
    sender: str,
    base_url: str,
) -> int:
    """Puts a mail to each maintainer into the outbox, with what they were not told yet.

    Gives the number of mails; none where there is nothing to tell. The mail and the record of
    what it tells are filed in one transaction. Raises MailError for a sender or base_url of no
    use, AddressError for an address.
    """
    origin, site = addresses.sender(sender), home(base_url)
    filed = 0
    for email in dict.fromkeys(map(addresses.address, maintainers)):
        with store.writing():
            known = outbox.reported(store, email, [notice.what for notice in found])
            fresh = [notice for notice in found if notice.what not in known]
            if not fresh:
                continue
            identity = "\n".join([address_key(email), *(notice.what for notice in fresh)])
            digest = hashlib.sha256(identity.encode()).hexdigest()[:32]
            message_id = f"<visawatch.report.{digest}@{origin.domain}>"
            subject = f"VisaWatch: {_subject(fresh)}"
            body = message(
                message_id=message_id,
                to=email,
                sender=origin,
                subject=subject,
                now=now.astimezone(UTC),
                stop_links=(),
                values={
                    "subject": subject,
                    "night": now.astimezone(UTC).date().isoformat(),
                    "blocks": [
                        _block(topic, list(group), site)
                        for topic, group in groupby(fresh, key=lambda notice: notice.topic)
                    ],
                    "address": email,
                },
                template="report",
            )
            mail = Mail(0, message_id, email, subject, body, created_at=stamp(now))
            outbox.enqueue_report(store, mail, [notice.what for notice in fresh])
            filed += 1
    return filed


def _subject(found: Sequence[Notice]) -> str:
    counts = []
    for topic in Topic:
        number = sum(notice.topic is topic for notice in found)
        if number:
            one, many = _COUNTED[topic]
            counts.append(one if number == 1 else many.format(number))
    more = f", and {len(counts) - 2} more" if len(counts) > 2 else ""
    return ", ".join(counts[:2]) + more


def _block(topic: Topic, found: Sequence[Notice], base_url: str) -> Block:
    one, many = _COUNTED[topic]
    return Block(
        one if len(found) == 1 else many.format(len(found)),
        tuple(_line(notice, base_url) for notice in found[:_MOST]),
        max(0, len(found) - _MOST),
    )


def _line(notice: Notice, base_url: str) -> Line:
    seen_at = base_url and notice.change_id is not None
    return Line(
        one_line(notice.headline, 200),
        one_line(notice.detail, 500),
        one_line(notice.url, 2000),
        link(notice.url),
        f"{base_url}/review/{notice.change_id}" if seen_at else "",
    )
