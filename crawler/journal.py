"""How a process of ours logs, on standard error: lines for people, or records for machines.

The one who configures it is the command line; a crawl's process does as the one that asked for it
(`current()` goes along with its order).
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from traceback import format_tb
from typing import Any

from crawler.plain import LineFormatter

LONGEST = 200  # characters of what an exception says of itself: it may quote a page
_OURS = "visawatch"  # the logger of what commands say
_HIDDEN = "…"
_SHORTEST = 4  # characters of a secret that is looked for; a shorter one is part of many words

# The password in any address; who has a token of the second may end a subscription, or begin one.
_USERINFO = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_TOKEN = re.compile(r"(?<=/subscribe/confirm/)[^?\s]+|(?<=/unsubscribe/)[^?\s]+")
_KNOWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


@dataclass(frozen=True, slots=True)
class Journal:
    """What a process logs: from which level on, in which form, and without which words."""

    level: int = logging.WARNING
    as_json: bool = False
    secrets: frozenset[str] = frozenset()

    def without_secrets(self, text: str) -> str:
        """A text without a secret of the settings, a password in an address, or a token.

        >>> Journal().without_secrets("smtps://watch:hunter2@mail.example and /unsubscribe/AbC")
        'smtps://…@mail.example and /unsubscribe/…'
        """
        text = _TOKEN.sub(_HIDDEN, _USERINFO.sub(_HIDDEN, text))
        for secret in sorted(self.secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST:
                text = text.replace(secret, _HIDDEN)
        return text


def log_as(journal: Journal) -> None:
    """From now on, this process logs so; unless somebody else has set its log up (a test)."""
    global _current
    _current = journal
    root = logging.getLogger()
    if set(root.handlers) - {_handler}:
        return
    root.addHandler(_handler)
    root.setLevel(journal.level)
    _handler.setFormatter(_Records(journal) if journal.as_json else _Lines(journal))
    logging.captureWarnings(journal.as_json)
    sys.excepthook = _crashed if journal.as_json else sys.__excepthook__
    # What a command tells whoever runs it is told, quiet or not.
    logging.getLogger(_OURS).setLevel(min(journal.level, logging.INFO))


def current() -> Journal:
    """How this process logs."""
    return _current


def told(
    message: str, level: int = logging.INFO, fields: Mapping[str, object] | None = None
) -> bool:
    """Logs what a command tells whoever runs it, if records are wanted; says whether it did.

    `fields` are for machines, and go beside the message.
    """
    if _current.as_json:
        logging.getLogger(_OURS).log(level, "%s", message, extra=fields)
    return _current.as_json


class _Lines(LineFormatter):
    def __init__(self, journal: Journal) -> None:
        super().__init__("%(asctime)s %(name)s: %(message)s")
        self._journal = journal

    def formatException(self, ei: Any) -> str:
        return _traceback(ei[1])

    def format(self, record: logging.LogRecord) -> str:
        return self._journal.without_secrets(super().format(record))


class _Records(logging.Formatter):
    """One JSON object a line, in ASCII: nothing of a page can end it, or begin another."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def format(self, record: logging.LogRecord) -> str:
        found = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in _KNOWN},
        }
        if record.exc_info and record.exc_info[1]:
            found["exception"] = _traceback(record.exc_info[1])
        clean = self._journal.without_secrets
        said = {
            key: value if isinstance(value, int | float | None) else clean(str(value))
            for key, value in found.items()
        }
        return json.dumps(said)


def _traceback(error: BaseException) -> str:
    """Where an exception came from, and the beginning of what it says: it may quote a page."""
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    earlier = f"{_traceback(before)}\n\n" if before else ""
    words = " ".join(str(error).split())
    said = words if len(words) <= LONGEST else words[:LONGEST] + _HIDDEN
    return f"{earlier}{''.join(format_tb(error.__traceback__))}{type(error).__name__}: {said}"


def _crashed(kind: object, error: BaseException, trace: object) -> None:
    logging.getLogger(_OURS).critical("ended by a fault of its own", exc_info=error)


def _is_wanted(record: logging.LogRecord) -> bool:
    """At the handler: Scrapy sets the levels of loggers, the root's too, as it begins."""
    if record.name == _OURS:
        return True
    least = logging.WARNING if record.name.startswith("scrapy.") else logging.NOTSET
    return record.levelno >= max(least, _current.level)


_current = Journal()
_handler = logging.StreamHandler()
_handler.addFilter(_is_wanted)
