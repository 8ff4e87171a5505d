"""What can be wrong with what other channels give us.

SourceError           said in a sentence; nothing was kept of what it is about
├── FreidaError       a file that cannot be imported (sources.freida)
├── ReportError       a report that cannot be filed (sources.residents)
├── AskingError       no question can be sent (sources.asking)
└── MailboxError      a mailbox or a mail that cannot be read (sources.mailbox, sources.letters)
"""

from __future__ import annotations


class SourceError(Exception):
    """Something from another channel that cannot be used, and why."""
