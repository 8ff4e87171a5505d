"""What can be wrong with mail.

MailError             settings that cannot be used, or a server that does not serve us
├── Lost              the connection broke at a mail, which the server does not have
│   └── Unanswered    it broke after all of the mail was sent: whether it was taken is unknown
├── Postponed         the server asks to come back later with this mail
└── Refused           the server will never take this mail
AddressError          not an e-mail address that mail can be sent to
"""

from __future__ import annotations


class MailError(Exception):
    """No mail can be sent now; says why, and what to do. Nothing was lost."""


class Lost(MailError):
    """The connection broke at this mail, before all of it was sent: it cannot have been taken."""


class Unanswered(Lost):
    """All of this mail was sent, and no answer came: it may have been taken, or not."""


class Postponed(MailError):
    """This mail was not taken this time; others may be."""


class Refused(MailError):
    """This mail will never be taken; others may be."""


class AddressError(ValueError):
    """Not an e-mail address that mail can be sent to."""
