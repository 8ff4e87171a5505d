"""What can be wrong with mail.

MailError             settings that cannot be used, or a server that does not serve us
├── Lost              the connection broke at a mail; whether the server has it is unknown
├── Postponed         the server asks to come back later with this mail
└── Refused           the server will never take this mail
AddressError          not an e-mail address that mail can be sent to
"""

from __future__ import annotations


class MailError(Exception):
    """No mail can be sent now; says why, and what to do. Nothing was lost."""


class Lost(MailError):
    """The connection broke at this mail; whether the server has it is not known."""


class Postponed(MailError):
    """This mail was not taken this time; others may be."""


class Refused(MailError):
    """This mail will never be taken; others may be."""


class AddressError(ValueError):
    """Not an e-mail address that mail can be sent to."""
