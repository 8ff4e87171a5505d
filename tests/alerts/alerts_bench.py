"""A store with invented programs and changes, and short ways to fill it and to read its mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from extractors.values import Condition, Evidence, Policy, Stance, Visa
from monitor.alerts import enqueue
from store import changes, outbox, programs, subscriptions
from store.database import Store
from store.records import Change, Mail, Program, Subscription, stamp

NOW = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)  # a Wednesday
BEFORE_NOW = datetime(2026, 11, 20, tzinfo=UTC)
SENDER = "alerts@visawatch.example"
PAGE = "https://harborview.example/im/visas"

PROGRAMS = (
    Program("harborview-im", "Harborview Medical", "Internal Medicine", city="Seattle", state="WA"),
    Program("lakeside-fm", "Lakeside Health", "Family Medicine", city="Duluth", state="MN"),
    Program("lakeside-surg", "Lakeside Health", "Surgery", city="Duluth", state="MN"),
)  # fmt: skip


def policy(
    j1: Stance | None,
    h1b: Stance | None,
    text: str,
    *conditions: Condition,
    url: str | None = PAGE,
    context: str | None = None,
) -> dict[str, Any]:
    """A policy's JSON in which one sentence proves all stances."""
    stances = tuple((v, s) for v, s in ((Visa.J1, j1), (Visa.H1B, h1b)) if s is not None)
    evidence = tuple(
        Evidence(
            visa, stance, text, 10, 10 + len(text), ("rule",),
            context=text if context is None else context,
            url=url, fetched_at="2026-11-25T02:10:00Z", snapshot="0" * 64,
        )
        for visa, stance in stances
    )  # fmt: skip
    return Policy(stances, conditions, 0.97, False, evidence).to_json()


BOTH = policy(
    Stance.SPONSORED, Stance.SPONSORED, "We sponsor J-1 and H-1B visas for our residents."
)
J1_ONLY = policy(
    Stance.SPONSORED, Stance.NOT_SPONSORED, "We sponsor J-1 visas only; we do not sponsor H-1B."
)
REWORDED = policy(
    Stance.SPONSORED, Stance.SPONSORED, "Both J-1 and H-1B visas are sponsored for our residents."
)


@dataclass
class Bench:
    """A store, and short ways to fill it."""

    store: Store

    def subscribe(self, email: str, *, at: datetime = BEFORE_NOW, **filters: str) -> Subscription:
        with self.store.writing():
            return subscriptions.add(self.store, Subscription(0, email, **filters), at)

    def flag(
        self,
        program_id: str = "harborview-im",
        before: dict[str, Any] = BOTH,
        after: dict[str, Any] = J1_ONLY,
        *,
        kind: str = "policy_changed",
        severity: str = "critical",
        status: str = "open",
        at: datetime = NOW,
    ) -> Change:
        with self.store.writing():
            cycle = self.store.write("INSERT INTO cycles (started_at) VALUES (?)", (stamp(at),))
            change = changes.flag(
                self.store,
                Change(
                    0, program_id, cycle, kind, severity, status, before, after, stamp(at), PAGE
                ),
            )
        assert change is not None
        return change

    def enqueue(self, at: datetime = NOW, *, base_url: str = "") -> int:
        return enqueue(self.store, at, sender=SENDER, base_url=base_url)

    def mails(self) -> list[Mail]:
        return outbox.listed(self.store)

    def states(self) -> list[str]:
        return [mail.state for mail in self.mails()]

    def add_program(self, program: Program) -> None:
        with self.store.writing():
            programs.save(self.store, [program])


def parsed(mail: Mail) -> EmailMessage:
    """The mail as a mail program sees it."""
    return message_from_bytes(mail.message, policy=default)


def text_of(mail: Mail) -> str:
    """Its plain text part."""
    part = parsed(mail).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(mail: Mail) -> str:
    """Its HTML part."""
    part = parsed(mail).get_body(("html",))
    assert part is not None
    return str(part.get_content())
