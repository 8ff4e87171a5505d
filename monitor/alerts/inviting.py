"""The mail that asks an address whether it wants to be told (double opt-in)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from monitor.alerts import addresses
from monitor.alerts.composing import home
from monitor.alerts.matching import described
from monitor.alerts.message import message, one_line
from store import outbox
from store.database import Store
from store.invitations import Invitation
from store.records import Mail, stamp

_SUBJECT = "VisaWatch: please confirm that you want to be told of changes"


def invite(
    store: Store, invitation: Invitation, now: datetime, *, sender: str, base_url: str
) -> None:
    """Puts the question into the outbox; `base_url` is where the site is. Inside `writing()`.

    Raises MailError for a sender or base_url of no use.
    """
    origin = addresses.sender(sender)
    digest = hashlib.sha256(invitation.token.encode()).hexdigest()[:32]
    message_id = f"<visawatch.invitation.{digest}@{origin.domain}>"
    wish = invitation.wish
    body = message(
        message_id=message_id,
        to=wish.address,
        sender=origin,
        subject=_SUBJECT,
        now=now.astimezone(UTC),
        stop_links=(),
        values={
            "subject": _SUBJECT,
            "filters": one_line(described(wish), 300),
            "address": wish.address,
            "link": f"{home(base_url)}/subscribe/confirm/{invitation.token}",
        },
        template="invitation",
    )
    mail = Mail(0, message_id, wish.address, _SUBJECT, body, created_at=stamp(now))
    outbox.enqueue(store, mail, {})
