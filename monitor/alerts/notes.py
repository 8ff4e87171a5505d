"""What a channel is told: a short text for people, and the changes as data for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime
from typing import Any

from monitor.alerts.layout import Block, Limits
from monitor.alerts.message import harmless, one_line, rendered
from monitor.alerts.planning import Subject
from monitor.alerts.sections import Section
from store.records import Mail

LONGEST = 1900  # characters; Discord takes 2000, and of the others none takes less and cuts
LIMITS = Limits(whole=5, whole_each=2, lines=8, headings=10)


def note(
    sections: Sequence[Section],
    blocks: Sequence[Block],
    *,
    message_id: str,
    subject: str,
    now: datetime,
    stop: str,
) -> bytes:
    """The alert as it is kept in the outbox: a MIME message, as mail is. `stop` ends it.

    `blocks` are the sections as they are shown, within LIMITS.
    """
    message = EmailMessage(policy=SMTP)
    message["Subject"] = one_line(harmless(subject), 150)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = message_id
    whole = len(blocks)
    while True:
        values = {
            "blocks": blocks[:whole],
            "others": blocks[whole : whole + LIMITS.headings],
            "left": max(0, len(blocks) - whole - LIMITS.headings),
            "stop": stop,
        }
        text = rendered("note.txt", values)
        if len(text) <= LONGEST or whole == 0:
            break
        whole -= 1
    message.set_content(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")
    changes = [_data(subject) for section in sections for subject in section.subjects]
    message.add_attachment(
        json.dumps(changes, ensure_ascii=True).encode(),
        maintype="application",
        subtype="json",
        filename="changes.json",
    )
    return message.as_bytes()


def parts(mail: Mail) -> tuple[str, str, dict[str, Any]]:
    """The title, the text and the data of a note in the outbox."""
    message = message_from_bytes(mail.message, policy=default)
    text = message.get_body(("plain",))
    attached = [json.loads(part.get_content()) for part in message.iter_attachments()]
    return (
        str(message["Subject"]).strip(),  # a long one is folded before its first word
        str(text.get_content()).strip() if text else "",
        {"message_id": mail.message_id, "changes": attached[0] if attached else []},
    )


def _data(subject: Subject) -> dict[str, Any]:
    """A change for programs: the keys of `visawatch changes --json` that are about the change."""
    change = subject.change
    return {
        "id": change.id,
        "program_id": change.program_id,
        "institution": subject.program.institution,
        "specialty": subject.program.specialty,
        "kind": change.kind,
        "severity": change.severity,
        "status": change.status,
        "detected_at": change.detected_at,
        "url": change.url,
        "before": _policy(change.before),
        "after": _policy(change.after),
        "again": str(subject.again.turn) if subject.again else None,
    }


def _policy(policy: dict[str, Any]) -> dict[str, Any]:
    evidence = policy.get("evidence", ())
    return {
        "category": policy.get("category"),
        "stances": policy.get("stances", {}),
        "conditions": policy.get("conditions", []),
        "evidence": [{k: e.get(k) for k in ("visa", "stance", "quote", "url")} for e in evidence],
    }
