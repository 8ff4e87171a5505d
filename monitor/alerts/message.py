"""The MIME message: text and HTML from templates, and headers that nothing can be put into."""

from __future__ import annotations

import re
from binascii import b2a_qp
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from monitor.diff import as_text

if TYPE_CHECKING:
    from jinja2 import Environment

SUBJECT_LIMIT = 150  # characters; mail programs show the first 60 or so

# What no text of ours may carry: control characters, halves of surrogate pairs (which cannot
# be encoded), and the marks that reverse the writing direction of what follows them. Letters
# that are written from right to left need none of these.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


# Chats ping people for "@everyone" and "<!channel>", and make "[words](URL)" a link: what a page
# says must do neither. An invisible space keeps it as it looks.
_COMMANDS = re.compile(r"(?<=[@<])(?=[\w!@#&/])|(?<=\])(?=\()")

_UNBROKEN = ("to", "message-id", "list-unsubscribe")


class _Policy(EmailPolicy):
    """SMTP's, with addresses and URLs folded between them only.

    The email package writes a word longer than a line as an encoded word, which no mail
    program decodes inside an address or a URL.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() in _UNBROKEN:
            return f"{name}: {value}".replace(", ", ",\r\n ").encode("ascii") + b"\r\n"
        # A value of nearly a line is put on the next one, behind an empty first line, which
        # not every reader joins without a space.
        empty = f"{name}:\r\n ".encode("ascii")
        folded = super().fold_binary(name, value)
        return folded.replace(empty, f"{name}: ".encode("ascii"), 1)


_POLICY = _Policy(linesep="\r\n")


def readable(text: str) -> str:
    """Page text as it may stand in a body: without control characters, lines ended by LF.

    >>> readable("a\\r\\nb\\x1b[31m\\u202ec")
    'a\\nb[31mc'
    """
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, limit: int = 100) -> str:
    """A name as it may stand in a header: one line of at most `limit` characters.

    >>> one_line("Harborview\\r\\nBcc: all@x.example")
    'Harborview Bcc: all@x.example'
    """
    line = " ".join(readable(text).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def harmless(text: str, limit: int = 240) -> str:
    """Page text, in one line, that a chat shows and does not obey."""
    return _COMMANDS.sub("\u200b", one_line(text, limit))


def rendered(name: str, values: dict[str, Any]) -> str:
    """A template of this package, filled in; values are escaped when it is HTML."""
    return _templates().get_template(name).render(values)


def message(
    *,
    message_id: str,
    to: str,
    sender: Address,
    subject: str,
    now: datetime,
    stop_links: tuple[str, ...],
    values: dict[str, Any],
    template: str = "alert",
) -> bytes:
    """The whole message, ready for SMTP. `stop_links` are the URLs of List-Unsubscribe."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = one_line(subject, SUBJECT_LIMIT)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = message_id
    # RFC 3834: no vacation notices, please. Exchange reads its own header only. There is no
    # Precedence header: no standard has it, and filters hold "bulk" against a mail.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    if stop_links:
        mail["List-Unsubscribe"] = ", ".join(f"<{link}>" for link in stop_links)
    if any(link.startswith("https:") for link in stop_links):
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058, https only
    mail.make_alternative()
    for subtype, ending in (("plain", "txt"), ("html", "html")):
        mail.attach(_body(rendered(f"{template}.{ending}", values), subtype))
    mail["MIME-Version"] = "1.0"
    return mail.as_bytes()


def _body(text: str, subtype: str) -> EmailMessage:
    """A part in quoted-printable: short lines and seven bits, whatever the pages hold."""
    body = EmailMessage(policy=_POLICY)
    body["Content-Type"] = f'text/{subtype}; charset="utf-8"'
    body["Content-Transfer-Encoding"] = "quoted-printable"
    # set_content() would encode it too, in Python, which takes longer than all the rest.
    body.set_payload(b2a_qp(text.encode("utf-8")).decode("ascii"))
    return body


def mailto(address: str, subject: str) -> str:
    """A link that writes a mail with this subject."""
    return f"mailto:{quote(address, safe='@')}?subject={quote(subject)}"


def link(url: str | None) -> str:
    """The URL if it is an http(s) one, else nothing: a page may name any scheme."""
    if url is None or url != one_line(url, 2000) or " " in url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.netloc else ""


def _indented(text: str, mark: str) -> str:
    """Page text in a plain mail: every line is marked, so that none passes for ours."""
    return "\n".join(mark + line for line in text.split("\n"))


@cache
def _templates() -> Environment:
    # Most nights have nothing to write.
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("monitor.alerts"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["indented"] = _indented
    environment.filters["harmless"] = harmless
    environment.globals["spans_text"] = as_text
    return environment
