"""What can be wrong with what other channels give us.

SourceError           said in a sentence; nothing was kept of what it is about
├── FreidaError       a file that cannot be imported (sources.freida)
├── ReportError       a report that cannot be filed (sources.residents)
├── AskingError       no question can be sent (sources.asking)
├── MailboxError      a mailbox that cannot be read (sources.mailbox)
└── LetterError       a mail that nothing can be made of (sources.letters)
"""

from __future__ import annotations


class SourceError(Exception):
    """Something from another channel that cannot be used, and why."""


class LetterError(SourceError):
    """A mail that nothing can be made of, and why."""
