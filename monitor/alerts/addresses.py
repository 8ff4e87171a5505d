"""E-mail addresses, checked before they are stored or put into a header."""

from __future__ import annotations

import re
from email.errors import HeaderParseError
from email.headerregistry import Address

from monitor.alerts.errors import AddressError, MailError

LONGEST = 254  # characters (RFC 5321, 4.5.3.1.3, less the angle brackets)

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_NAMED = re.compile(r'\s*"?([^"<>]*?)"?\s*<([^<>]*)>\s*')

UNSET_SENDER = "visawatch@localhost"  # good enough for a Maildir, and for nothing else


def address(text: str) -> str:
    """A bare address, its domain in lower case and ASCII. Raises AddressError.

    >>> address("Ana.Silva@Bücher.example")
    'Ana.Silva@xn--bcher-kva.example'
    """
    local, at, domain = text.strip().rpartition("@")
    try:
        host = domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        host = ""
    good = (
        at
        and _LOCAL.fullmatch(local)
        and len(local) <= 64
        and len(local) + len(host) < LONGEST
        and all(_LABEL.fullmatch(label) for label in host.split("."))
    )
    if not good:
        raise AddressError(
            f"{text!r} is not an e-mail address; it should look like name@hospital.example, "
            "without a display name, and in ASCII before the @"
        )
    return f"{local}@{host}"


def sender(text: str) -> Address:
    """The sender in the settings, `alerts@x.example` or `Name <alerts@x.example>`.

    An empty one is a stand-in that serves for a Maildir. Raises MailError.
    """
    named = _NAMED.fullmatch(text)
    name, bare = named.groups() if named else ("VisaWatch", text)
    try:
        return Address(display_name=name or "VisaWatch", addr_spec=address(bare or UNSET_SENDER))
    except (AddressError, HeaderParseError, ValueError) as error:
        raise MailError(f"mail.sender: {error}") from error
