"""From the outbox to a mail server or a Maildir, and to channels."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from monitor.alerts import addresses
from monitor.alerts.channels import shown
from monitor.alerts.errors import AddressError, Lost, MailError, Postponed, Refused, Unanswered
from monitor.alerts.folder import Folder
from monitor.alerts.posting import Poster
from monitor.alerts.server import Connection, Server
from store import leases, outbox
from store.database import Store
from store.records import Mail

LEASE = "mail"
_one_thread = threading.Lock()  # the lease is the process's, not the thread's
LEASE_WAIT = 10.0  # seconds to wait for another process that is sending
RENEWED_EVERY = 60.0  # seconds

# How long a mail waits that a server took not yet, by the number of attempts before.
WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=12),
    outbox.LONGEST_WAIT,
)
# It is given up when it is old AND was tried often: one that waited for a machine that was
# switched off for a week has not been tried.
GIVEN_UP_AFTER = timedelta(days=5)
FEWEST_ATTEMPTS = len(WAITS)
MOST_DOUBTS = 2  # a mail that may have arrived so often is not sent again by itself


class Settings(Protocol):
    """The [mail] section of the settings."""

    @property
    def smtp_url(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def maildir(self) -> str: ...
    @property
    def maintainers(self) -> Collection[str]: ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of the mail that was due; `problems` has a sentence for each fault."""

    sent: int = 0
    postponed: int = 0
    refused: int = 0
    unconfirmed: int = 0  # handed over twice without an answer: perhaps twice there, perhaps not
    problems: tuple[str, ...] = ()


def check(settings: Settings) -> Server | None:
    """The server that mail goes to, or None for a Maildir. Raises MailError.

    Needs no network: a cycle can ask at its start whether it will be able to tell anyone.
    """
    addresses.sender(settings.sender)
    for email in settings.maintainers:
        try:
            addresses.address(email)
        except AddressError as error:
            raise MailError(f"mail.maintainers: {error}") from error
    if not settings.smtp_url:
        return None
    if not settings.sender:
        raise MailError("mail.sender is empty: name the address that alerts come from")
    return Server.from_url(settings.smtp_url)


def deliver(
    store: Store, settings: Settings, now: datetime, *, allow_hosts: Collection[str] = ()
) -> Delivery:
    """Sends what is due at `now`, each mail once, and says what became of it.

    A mail is marked as sent right after the server answered for it. What the server cannot
    take now stays in the outbox; what it will never take is refused, by name, and the others
    go on. One that was handed over whole and never answered for is sent once more, and then
    unconfirmed. One process sends at a time; another one waits, and finds nothing left to do.
    Mail goes first; channels (see monitor.alerts.channels) have the same rules, each for itself,
    and `allow_hosts` names those of their hosts that need not be public.

    Raises MailError for settings that cannot be used; faults of servers are in `problems`.
    """
    server = check(settings)
    with _one_thread:
        return _deliver(store, settings, server, now, allow_hosts)


def _deliver(
    store: Store,
    settings: Settings,
    server: Server | None,
    now: datetime,
    allow_hosts: Collection[str],
) -> Delivery:
    if not outbox.due(store, now, limit=1):
        return Delivery()
    if holder := _wait_for_turn(store, now):
        waiting = len(list(_due(store, now)))
        problem = f"{holder}; it sends the mail that waits" if waiting else ""
        return Delivery(postponed=waiting, problems=(problem,) if problem else ())
    run = _Run(store, settings, server, now, Poster(allow_hosts))
    try:
        run.send_mail()
        run.post_to_channels()
    finally:
        run.close()
        leases.give_back(store, LEASE)
    return run.delivery


def _wait_for_turn(store: Store, now: datetime) -> str | None:
    """Takes the lease, or says who holds it still after `LEASE_WAIT`."""
    until = time.monotonic() + LEASE_WAIT
    while holder := leases.take(store, LEASE, now):
        if time.monotonic() > until:
            return holder
        time.sleep(0.05)
    return None


def _due(store: Store, now: datetime, *, channels: bool | None = None) -> Iterator[Mail]:
    """All mail that is due, in small portions, each mail once; also what is filed meanwhile."""
    last = 0
    while portion := outbox.due(store, now, channels=channels, after_id=last):
        yield from portion
        last = portion[-1].id


class _Run:
    """One pass over the mail that is due, over one connection for as long as it holds."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        server: Server | None,
        now: datetime,
        poster: Poster,
    ) -> None:
        self._store, self._settings, self._server, self._start = store, settings, server, now
        self._began = self._renewed = time.monotonic()
        self._route: Connection | Folder | None = None
        self._poster = poster
        self._sent = self._postponed = self._refused = self._unconfirmed = 0
        self._problems: list[str] = []

    @property
    def delivery(self) -> Delivery:
        return Delivery(
            self._sent,
            self._postponed,
            self._refused,
            self._unconfirmed,
            tuple(self._problems),
        )

    def send_mail(self) -> None:
        """Sends until nothing is due, or until the server serves us no more."""
        lost = False  # whether the mail before was lost with its connection
        for mail in _due(self._store, self._start, channels=False):
            self._keep_turn()
            try:
                self._hand_over(mail)
            except Refused as error:
                self._refuse(mail, str(error))
            except Postponed as error:
                self._postpone(mail, str(error))
            except Lost as error:
                self._doubt(mail, error)
                # One mail may upset a server; two in a row tell that it is the server.
                if lost:
                    self._stop()
                    return
                lost = True
                continue
            except MailError as error:
                self._problems.append(str(error))
                self._stop()
                return
            lost = False

    def post_to_channels(self) -> None:
        """Posts what is due, to each channel until it fails; then the rest of it waits."""
        waiting: set[str] = set()
        for mail in _due(self._store, self._start, channels=True):
            # What is shown of a URL is where it leads: one that is down is asked once.
            names = {mail.address, shown(mail.address)}
            if names & waiting:
                self._postponed += 1
                continue
            self._keep_turn()
            with self._store.writing():
                outbox.attempt(self._store, mail.id)
            try:
                self._poster.send(mail)
            except Refused as error:
                self._refuse(mail, str(error))
            except Postponed as error:
                waiting.add(mail.address)
                self._postpone(mail, str(error))
            except Lost as error:
                waiting.add(shown(mail.address))
                self._doubt(mail, error)
            except MailError as error:
                self._problems.append(str(error))
                self._postponed += len(list(_due(self._store, self._start, channels=True)))
                return
            else:
                self._sent_now(mail)

    def close(self) -> None:
        """Ends the connection and the process for posts, if there are any."""
        self._poster.close()
        if self._route is not None:
            self._route.close()
            self._route = None

    def _hand_over(self, mail: Mail) -> None:
        used = self._route is not None
        if self._route is None:
            self._route = self._open()
        with self._store.writing():
            outbox.attempt(self._store, mail.id)
        try:
            self._send(mail)
        except Lost as error:
            # Servers close a connection after so many mails.
            if isinstance(error, Unanswered) or not used:
                raise
            self._route = self._open()
            self._send(mail)
        self._sent_now(mail)

    def _sent_now(self, mail: Mail) -> None:
        with self._store.writing():
            outbox.mark_sent(self._store, mail.id, self._now)
        self._sent += 1

    def _send(self, mail: Mail) -> None:
        assert self._route is not None  # noqa: S101
        try:
            self._route.send(mail)
        except Lost:
            self._route = None
            raise

    def _open(self) -> Connection | Folder:
        if self._server is None:
            return Folder(Path(self._settings.maildir))
        return Connection(self._server, addresses.sender(self._settings.sender).addr_spec)

    def _refuse(self, mail: Mail, reason: str) -> None:
        with self._store.writing():
            outbox.mark_refused(self._store, mail.id, reason)
        self._refused += 1
        self._problems.append(reason)

    def _postpone(self, mail: Mail, reason: str) -> None:
        age = self._now - datetime.fromisoformat(mail.created_at)
        if age > GIVEN_UP_AFTER and mail.attempts + 1 >= FEWEST_ATTEMPTS:
            self._refuse(mail, f"{reason}; given up after {mail.attempts + 1} attempts")
            return
        until = self._now + WAITS[min(mail.attempts, len(WAITS) - 1)]
        with self._store.writing():
            outbox.postpone(self._store, mail.id, until, reason)
        self._postponed += 1
        self._problems.append(reason)

    def _doubt(self, mail: Mail, error: Lost) -> None:
        """The connection broke at a mail: it waits, or is unconfirmed if it may be there twice."""
        if isinstance(error, Unanswered):
            with self._store.writing():
                doubts = outbox.doubt(self._store, mail.id)
                if doubts >= MOST_DOUBTS:
                    reason = (
                        f"{error} The mail to {shown(mail.address)} was handed over twice and "
                        "never answered for: it may have arrived twice, or not at all. "
                        "`visawatch alerts send --unconfirmed` sends it once more."
                    )
                    outbox.mark_unconfirmed(self._store, mail.id, reason)
                    self._unconfirmed += 1
                    self._problems.append(reason)
                    return
        self._postpone(mail, str(error))

    def _stop(self) -> None:
        """The fault is the server's: what is due stays due as it is, for the next run."""
        self._postponed += len(list(_due(self._store, self._start, channels=False)))

    def _keep_turn(self) -> None:
        if time.monotonic() - self._renewed > RENEWED_EVERY:
            leases.take(self._store, LEASE, self._now)
            self._renewed = time.monotonic()

    @property
    def _now(self) -> datetime:
        """The time by the clock that the run was given, which may be a set one."""
        return self._start + timedelta(seconds=time.monotonic() - self._began)
