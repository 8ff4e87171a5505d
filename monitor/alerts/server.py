"""An SMTP server, as `mail.smtp_url` names it, and a connection to it.

    smtps://user:password@mail.example           TLS from the first byte (port 465)
    smtp+starttls://user:password@mail.example   STARTTLS, required (port 587)
    smtp://mail.example                          STARTTLS if the server offers it (port 25)

Credentials are percent-encoded. They are never sent without TLS, except to this machine itself.
Certificates are verified, with `?cafile=FILE` against the authorities in that file.
"""

from __future__ import annotations

import ipaddress
import smtplib
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from monitor.alerts.errors import Lost, MailError, Postponed, Refused, Unanswered
from monitor.alerts.message import one_line
from store.records import Mail

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

TIMEOUT = 60.0  # seconds for each answer of the server; RFC 5321 allows it minutes
# The answer to a whole mail is worth a wait: who gives up on it sends the mail twice. The time
# is the standard's (RFC 5321, 4.5.3.2.6), which names that reason.
LAST_ANSWER = 600.0
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_TLS: dict[str, Literal["offered", "starttls", "implicit"]] = {
    "smtp": "offered",
    "smtp+starttls": "starttls",
    "smtps": "implicit",
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over, and how. Printing it shows no password."""

    host: str
    port: int
    tls: Literal["offered", "starttls", "implicit"]
    user: str = ""
    password: str = field(default="", repr=False)
    cafile: str = ""

    @classmethod
    def from_url(cls, url: str) -> Server:
        """The server that `mail.smtp_url` names. Raises MailError, without the password."""
        try:
            parts = urlsplit(url)
            port = parts.port
            query = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
        except ValueError as error:
            raise MailError(f"mail.smtp_url: {_without_secret(error, url)}") from None
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        cafile = query.pop("cafile", "")
        if parts.scheme not in _TLS:
            raise MailError(
                "mail.smtp_url must begin with smtps://, smtp+starttls:// or smtp://"
                f", not {parts.scheme + '://' if parts.scheme else 'with a bare name'}"
            )
        if not parts.hostname:
            raise MailError("mail.smtp_url names no host; it looks like smtps://mail.example")
        if parts.path not in ("", "/") or parts.fragment or query:
            extra = ", ".join(sorted(query)) or parts.path or "#"
            raise MailError(
                f"mail.smtp_url: '{extra}' means nothing there; after the port only "
                "?cafile=FILE may follow. A / ? # or @ in a password is written %2F %3F %23 %40."
            )
        if bool(user) != bool(password):
            raise MailError("mail.smtp_url has a user or a password without the other")
        if not (user + password).isascii():
            raise MailError("mail.smtp_url: SMTP log-in takes ASCII users and passwords only")
        return cls(
            parts.hostname,
            _PORTS[parts.scheme] if port is None else port,
            _TLS[parts.scheme],
            user,
            password,
            cafile,
        )

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def is_this_machine(self) -> bool:
        """Whether what is sent there leaves no network interface."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class _Session(smtplib.SMTP):
    """smtplib's, which knows whether a mail was sent to its end, and waits longer from there."""

    all_is_sent = False

    def send(self, s: ReadableBuffer | str) -> None:
        super().send(s)
        if isinstance(s, bytes) and s.endswith(b"\r\n.\r\n") and self.sock is not None:
            self.all_is_sent = True
            self.sock.settimeout(LAST_ANSWER)

    def data(self, msg: ReadableBuffer | str) -> tuple[int, bytes]:
        answer = super().data(msg)
        self.all_is_sent = False
        if self.sock is not None:
            self.sock.settimeout(self.timeout)
        return answer


class _SecureSession(_Session, smtplib.SMTP_SSL):
    """The same with TLS from the start."""


class Connection:
    """A session with a server, for any number of mails."""

    def __init__(self, server: Server, sender: str, *, timeout: float = TIMEOUT) -> None:
        """Connects and logs in. Raises MailError: no mail can be sent there now."""
        self.server, self.sender = server, sender
        context = _context(server)
        try:
            self._smtp = _open(server, context, timeout)
        except (OSError, smtplib.SMTPException) as error:
            raise MailError(_sentence(server, error)) from error

    def send(self, mail: Mail) -> None:
        """Hands one mail over; when this returns, the server has answered for it.

        Raises Refused, Postponed, Lost or Unanswered about this mail; MailError when the server
        wants no mail of this sender at all.
        """
        recipient = mail.address
        try:
            self._smtp.sendmail(self.sender, [recipient], mail.message)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = error.recipients[recipient]
            self._raise(code, text, f"refuses {recipient}")
        except smtplib.SMTPDataError as error:
            self._raise(error.smtp_code, error.smtp_error, f"refuses the mail to {recipient}")
        except smtplib.SMTPSenderRefused as error:
            if error.smtp_code == 421 or 450 <= error.smtp_code < 453:
                self._raise(error.smtp_code, error.smtp_error, f"does not take {recipient} yet")
            raise MailError(
                f"{self.server} takes no mail from {self.sender}: "
                f"{_answer(error.smtp_code, error.smtp_error)}. Set mail.sender to an address that "
                "it may send from, or put the user and password into mail.smtp_url."
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            self._smtp.close()
            kind = Unanswered if self._smtp.all_is_sent else Lost
            raise kind(_sentence(self.server, error)) from error

    def close(self) -> None:
        """Says goodbye, if the server still listens."""
        try:
            self._smtp.quit()
        except (OSError, smtplib.SMTPException):
            self._smtp.close()  # every mail was answered for already: nothing depends on it

    def _raise(self, code: int, text: bytes | str, what: str) -> None:
        said = f"{self.server} {what}: {_answer(code, text)}"
        if code == 421:  # "closing": of the connection, not of this mail
            self._smtp.close()
            raise Lost(said)
        if code == 530:  # authentication required, by servers that ask late
            raise MailError(f"{said}. Put the user and password into mail.smtp_url.")
        if 500 <= code < 600:
            raise Refused(said)
        raise Postponed(said)


def _context(server: Server) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=server.cafile or None)
    except (OSError, ssl.SSLError) as error:
        raise MailError(
            f"mail.smtp_url: cafile '{server.cafile}' cannot be used as a list of "
            f"certificates: {error.strerror or error}"
        ) from error


def _open(server: Server, context: ssl.SSLContext, timeout: float) -> _Session:
    # Without a name smtplib asks the DNS for ours, which can take long and is of no use here.
    name = "localhost" if server.is_this_machine else None
    if server.tls == "implicit":
        smtp: _Session = _SecureSession(
            server.host, server.port, local_hostname=name, timeout=timeout, context=context
        )
    else:
        smtp = _Session(server.host, server.port, local_hostname=name, timeout=timeout)
    try:
        smtp.ehlo_or_helo_if_needed()
        if _wants_starttls(server, smtp):
            smtp.starttls(context=context)
            smtp.ehlo()
        if server.user:
            smtp.login(server.user, server.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _wants_starttls(server: Server, smtp: smtplib.SMTP) -> bool:
    if server.tls == "offered" and not server.is_this_machine:
        # With credentials it is a must: starttls() raises when it is not offered.
        return bool(server.user) or smtp.has_extn("starttls")
    return server.tls == "starttls"


def _sentence(server: Server, error: Exception) -> str:
    """What went wrong with a server, and what to do."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return (
                f"{server} does not accept user '{server.user}': "
                f"{_answer(error.smtp_code, error.smtp_error)}. "
                "Check the user and password in mail.smtp_url."
            )
        case smtplib.SMTPNotSupportedError() if server.tls == "implicit" or not server.user:
            return f"{server} offers no STARTTLS ({error}); use smtps:// if it has TLS on a port."
        case smtplib.SMTPNotSupportedError():
            return (
                f"{server} offers no log-in, or none without TLS ({error}); "
                "use smtp+starttls:// or smtps:// in mail.smtp_url."
            )
        case ssl.SSLCertVerificationError():
            return (
                f"{server} shows a certificate that is not trusted ({error.verify_message}); "
                "add ?cafile=FILE with its authority to mail.smtp_url, if it is yours."
            )
        case ssl.SSLError():
            return (
                f"{server} does not speak TLS as expected ({error.reason or error}); smtps:// is "
                "for TLS from the start, smtp+starttls:// for TLS after STARTTLS."
            )
        case smtplib.SMTPServerDisconnected():
            return f"{server} closed the connection ({error}); the mail is kept for later."
        case smtplib.SMTPResponseException():
            return f"{server} does not serve us: {_answer(error.smtp_code, error.smtp_error)}."
        case TimeoutError():
            return f"{server} does not answer in time; the mail is kept for later."
        case OSError():
            reason = error.strerror or str(error)
            return (
                f"{server} cannot be reached ({reason}); check mail.smtp_url and that the server "
                "runs. The mail is kept for later."
            )
    return f"{server}: {error}; the mail is kept for later."


def _answer(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {one_line(words, 300)}"


def _without_secret(error: Exception, url: str) -> str:
    """The reason why a URL is wrong; urllib's may quote the part with the password."""
    return "not a URL that can be read" if "@" in url else str(error)
