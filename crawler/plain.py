"""Text of others as a terminal shows it and does not obey, and a log keeps it in its line."""

from __future__ import annotations

import logging

# Page text is hostile: escape codes would move a terminal's cursor, bidirectional controls show
# a sentence in another order than it has.
CONTROLS = frozenset(
    code
    for code in (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    if chr(code) not in "\n\t"
)
_LEFT_OUT = dict.fromkeys(CONTROLS)
_ESCAPED = {code: f"\\u{code:04x}" for code in CONTROLS}


def printable(text: str) -> str:
    """Text that a terminal shows and does not obey.

    >>> printable("J-1\\x1b[2J only")
    'J-1[2J only'
    """
    return text.translate(_LEFT_OUT)


def printable_json(text: str) -> str:
    """A JSON text that means the same, with nothing in it that a terminal obeys.

    >>> printable_json('"J-1\\x9b2J only"')
    '"J-1\\\\u009b2J only"'
    """
    return text.translate(_ESCAPED)


class LineFormatter(logging.Formatter):
    """Formats log records; a message has one line, whatever is in it, and a traceback its own."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The line, without the traceback."""
        return super().formatMessage(record).replace("\n", "\\n")

    def format(self, record: logging.LogRecord) -> str:
        """All of it."""
        return printable(super().format(record))
