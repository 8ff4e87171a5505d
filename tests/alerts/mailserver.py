"""A real SMTP server on loopback that can be told to misbehave."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class MailServer:
    """What a server has received, and how it is to answer.

    `rcpt` and `data` have answers by recipient, the first of them for the next attempt;
    without any left it is 250. The answer "drop" closes the connection without a word; to a whole
    mail there are also "silence", which is none until the client leaves, and "slow", a 250 after
    half a second. With " taken" after it, the server has the mail all the same.
    """

    user: str = ""
    password: str = ""
    starttls: ssl.SSLContext | None = None
    tls: ssl.SSLContext | None = None
    rcpt: dict[str, list[str]] = field(default_factory=dict)
    data: dict[str, list[str]] = field(default_factory=dict)
    sender: str = "250 OK"
    on_data: Callable[[str], None] = lambda recipient: None
    on_command: Callable[[str], None] = lambda command: None  # MAIL and RCPT, before the answer
    received: list[tuple[str, bytes]] = field(default_factory=list)
    sessions: list[SMTP] = field(default_factory=list)
    port: int = 0
    stop: Callable[[], object] = lambda: None

    def recipients(self) -> list[str]:
        """To whom mail came, in its order."""
        return [recipient for recipient, _ in self.received]

    def counts(self) -> Counter[str]:
        """How often each Message-ID came."""
        mails = (message_from_bytes(m, policy=default) for _, m in self.received)
        return Counter(str(mail["Message-ID"]) for mail in mails)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.on_command("MAIL")
        envelope.mail_from = address
        return self.sender

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.on_command("RCPT")
        if answers := self.rcpt.get(address):
            return self._answer(server, answers.pop(0))
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        recipient = envelope.rcpt_tos[0]
        answers = self.data.get(recipient)
        answer = answers.pop(0) if answers else "250 OK taken"
        if answer.endswith(" taken"):
            assert isinstance(envelope.content, bytes)
            self.received.append((recipient, envelope.content))
            self.on_data(recipient)
        match answer.removesuffix(" taken"):
            case "silence":
                await asyncio.Event().wait()
            case "slow":
                await asyncio.sleep(0.5)
                return "250 OK"
        return self._answer(server, answer.removesuffix(" taken"))

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == (self.user, self.password), handled=False)

    def protocol(self) -> SMTP:
        session = SMTP(
            self,
            hostname="mail.example",
            tls_context=self.starttls,
            require_starttls=self.starttls is not None,
            auth_required=bool(self.user),
            auth_require_tls=self.starttls is not None,
            authenticator=self.authenticate,
            timeout=30,
            loop=asyncio.get_running_loop(),
        )
        self.sessions.append(session)
        return session

    def _answer(self, server: SMTP, answer: str) -> str:
        if answer == "drop":
            hang_up(server)
        return answer


@contextmanager
def serving(server: MailServer) -> Iterator[MailServer]:
    """The server on a free port of 127.0.0.1, in a thread of its own."""
    ready = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_serve(server, ready)))
    thread.start()
    ready.wait()
    try:
        yield server
    finally:
        server.stop()
        thread.join()


async def _serve(server: MailServer, ready: threading.Event) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    server.stop = lambda: loop.call_soon_threadsafe(stopped.set)
    listener = await loop.create_server(server.protocol, "127.0.0.1", 0, ssl=server.tls)
    server.port = listener.sockets[0].getsockname()[1]
    ready.set()
    await stopped.wait()
    listener.close()
    for session in server.sessions:
        hang_up(session)


def hang_up(session: SMTP) -> None:
    """Closes the connection without a word."""
    if isinstance(session.transport, asyncio.WriteTransport):
        session.transport.abort()
