"""From flagged changes to mail in the outbox."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import Any
from urllib.parse import urlsplit

from monitor import diff, waves
from monitor.alerts import addresses, again, notes, planning
from monitor.alerts.again import Again
from monitor.alerts.channels import is_channel
from monitor.alerts.errors import MailError
from monitor.alerts.layout import Block, Limits, layout
from monitor.alerts.matching import described
from monitor.alerts.message import mailto, message, one_line
from monitor.alerts.planning import Batch
from monitor.alerts.sections import Section, Story, sections
from monitor.alerts.wording import Item, Part, headline, item, part
from store import outbox, policies, subscriptions, verdicts
from store.database import Store
from store.records import Change, Mail, Subscription, address_key, stamp

_DIGESTS = {"daily": "daily digest", "weekly": "weekly digest"}
_MAIL = Limits(whole=10, whole_each=3, lines=12, headings=15)


def enqueue(
    store: Store,
    now: datetime,
    *,
    sender: str,
    base_url: str,
    some: Sequence[Change] | None = None,
) -> int:
    """Composes the mail that is due at `now` and puts it into the outbox; gives their number.

    What is due is read from the store, so that a cycle that was killed is caught up with: each
    change since a subscription began that it asks for and that its address was not mailed yet.
    At-once changes of one address make one mail. A digest is due once the day (UTC) or ISO week
    of one of its changes is over, and then has all of them. `some` limits this to these
    changes. Who was told of a change that a maintainer has decided otherwise since is told so.

    A mail is filed together with the record of what it tells whom, in one transaction; a run
    that is killed, or beside another one, doubles and loses none. Raises MailError for a sender
    or base_url of no use.
    """
    origin, site = addresses.sender(sender), home(base_url)
    only = None if some is None else {change.id for change in some}
    words = _Words(store, site)
    filed = 0
    for batch in planning.due(store, now, only):
        found = words.sections(batch)
        if is_channel(batch.address):
            mail = _note(batch, found, words, now, site)
        else:
            mail = _compose(batch, found, words, now, origin, site)
        # Composing takes its time, in which others may write: tell this address already, or
        # decide on a change. What is left out then is in the mail of the next run.
        with store.writing():
            if _still_so(store, batch):
                outbox.enqueue(store, mail, batch.decided)
                filed += 1
    again.settle(store, {address_key(s.address) for s in subscriptions.listed(store)})
    return filed


def _still_so(store: Store, batch: Batch) -> bool:
    """Whether its address knows what it knew, and nothing was decided since it was composed."""
    ids = batch.change_ids
    known = outbox.mailed(store, batch.address, ids)
    return known == batch.known and verdicts.versions(store, ids) == batch.decided


class _Words:
    """What mail says, put into words once: many addresses are told of the same."""

    def __init__(self, store: Store, base_url: str) -> None:
        self._store, self._base_url = store, base_url
        self._items: dict[tuple[tuple[int, Again | None], ...], Item] = {}
        self._parts: dict[Item, Part] = {}
        self._waves: dict[int, str] = {}

    def sections(self, batch: Batch) -> list[Section]:
        """What belongs together of a batch."""
        unknown = {s.change.wave_id for s in batch.subjects} - self._waves.keys() - {None}
        if unknown:
            numbers = [number for number in unknown if number is not None]
            self._waves |= waves.told(self._store, numbers)
        return sections(batch.subjects, self._waves)

    def item(self, story: Story) -> Item:
        """A story in words."""
        told = tuple((subject.change.id, subject.again) for subject in story)
        if told not in self._items:
            kept = "" if story[0].again else _kept(self._store, story[0].change)
            self._items[told] = item(story, self._base_url, kept=kept)
        return self._items[told]

    def part(self, shown: Item) -> Part:
        """The same as text and HTML."""
        if shown not in self._parts:
            self._parts[shown] = part(shown)
        return self._parts[shown]

    def blocks(self, found: Sequence[Section], limits: Limits) -> list[Block]:
        """Sections as templates show them."""
        return layout(found, limits, self._base_url, self.item)


def _kept(store: Store, change: Change) -> str:
    """What stands though a page says something else now: another source has more weight."""
    standing = policies.standing(store, [change.program_id]).get(change.program_id)
    if change.status != "open" or change.cycle_id is None or standing is None:
        return ""
    keys = ("stances", "conditions")
    if standing.origin != "fused" or all(standing.policy[k] == change.after[k] for k in keys):
        return ""
    shown = diff.category(standing.policy)
    return f"Another source says otherwise: until a maintainer has looked, it counts as {shown}."


def home(base_url: str) -> str:
    """The site's address without a slash at its end. Raises MailError if it is none."""
    if base_url and not base_url.startswith(("https://", "http://")):
        raise MailError(f"web.base_url: {base_url!r} does not begin with https:// or http://")
    return base_url.rstrip("/")


def _compose(
    batch: Batch,
    found: Sequence[Section],
    words: _Words,
    now: datetime,
    sender: Address,
    base_url: str,
) -> Mail:
    message_id = _message_id(batch, sender.domain)
    subject = _subject(batch, found)
    blocks = words.blocks(found, _MAIL)
    headings = _headings(blocks)
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
            "blocks": blocks,
            "headings": headings[: _MAIL.headings],
            "unlisted": max(0, len(headings) - _MAIL.headings),
            "counted": _counted(batch),
            "part": words.part,
            "reasons": [_reason(reason, sender, base_url) for reason in batch.reasons],
            "address": batch.address,
            "sender": sender.addr_spec,
        },
    )
    return Mail(0, message_id, batch.address, subject, body, created_at=stamp(now))


def _note(
    batch: Batch, found: Sequence[Section], words: _Words, now: datetime, base_url: str
) -> Mail:
    """The same for a channel: shorter, as chats are read."""
    message_id = _message_id(batch, urlsplit(base_url).hostname or "visawatch.invalid")
    subject = _subject(batch, found)
    stops = [
        f"{base_url}/unsubscribe/{r.token}" if base_url else f"visawatch unsubscribe {r.token}"
        for r in batch.reasons
    ]
    body = notes.note(
        found,
        words.blocks(found, notes.LIMITS),
        message_id=message_id,
        subject=subject,
        now=now.astimezone(UTC),
        stop=f"To stop: {', '.join(stops[:3])}",
    )
    return Mail(0, message_id, batch.address, subject, body, created_at=stamp(now))


def _message_id(batch: Batch, domain: str) -> str:
    """The same changes for the same address make the same one, by which a repeat is told."""
    told = [f"{s.change.id} {s.decided}" if s.again else str(s.change.id) for s in batch.subjects]
    identity = "\n".join([address_key(batch.address), *told])
    return f"<visawatch.{hashlib.sha256(identity.encode()).hexdigest()[:32]}@{domain}>"


def _subject(batch: Batch, found: Sequence[Section]) -> str:
    """What matters most, and how much there is beside it."""
    kind = _DIGESTS.get(batch.frequency)
    first = found[0]
    told = first.wave or headline(first.stories[0])
    others = len(batch.subjects) - len(first.subjects if first.wave else first.stories[0])
    more = f", and {others} more" if others else ""
    return f"VisaWatch{' ' + kind if kind else ''}: {told}{more}"


def _headings(blocks: Sequence[Block]) -> Sequence[Block | Item]:
    """What is listed at the top: nothing where the mail is about one thing."""
    if len(blocks) > 1:
        return blocks
    (block,) = blocks
    return block.items if len(block.items) > 1 else ()


def _counted(batch: Batch) -> str:
    """`12 changes at 3 institutions`."""
    changes = len(batch.subjects)
    institutions = len({s.program.institution for s in batch.subjects})
    return f"{changes} changes at {institutions} institution{'s' if institutions > 1 else ''}"


def _reason(reason: Subscription, sender: Address, base_url: str) -> dict[str, Any]:
    """Why a mail came, in words, and how to stop it."""
    return {
        "filters": one_line(described(reason), 300),
        "token": reason.token,
        "link": f"{base_url}/unsubscribe/{reason.token}" if base_url else "",
        "mailto": mailto(sender.addr_spec, f"unsubscribe {reason.token}"),
    }
