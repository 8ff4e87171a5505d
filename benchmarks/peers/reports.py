"""Reads what the peers tell their users."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

# One entry of a report in plain text, the standard output of urlwatch and webchanges alike:
# a header between two rules, then a diff or an error.
_ENTRY = re.compile(
    r"^-{75}\n(?P<verb>[A-Z]+)\S*: (?P<name>.+?) \( ?http\S+? ?\)\n-{75}\n(?P<body>.*?)(?=^-{75}$)",
    re.MULTILINE | re.DOTALL,
)
_GONE = re.compile(r"^(404|410) Client Error\b")  # in the words of the HTTP libraries of both
_NEW = ("(added)", "(into)")  # of lines, for changedetection.io


@dataclass(frozen=True, slots=True)
class Entry:
    """What one night's report says of one page: the lines that are new, or the error."""

    name: str
    text: str
    kind: Literal["change", "gone", "error"] = "change"


def entries(report: str) -> Iterator[Entry]:
    """The changes and errors of a report of urlwatch or webchanges.

    >>> rule = "-" * 75
    >>> body = "--- @\\n+++ @\\n@@ -1 +1 @@\\n-J-1 only.\\n+J-1 and H-1B."
    >>> list(entries(f"{rule}\\nCHANGED: 0/surgery ( http://a/ )\\n{rule}\\n{body}\\n{rule}\\n"))
    [Entry(name='0/surgery', text='J-1 and H-1B.', kind='change')]
    """
    for found in _ENTRY.finditer(report):
        text = found["body"].strip()
        if found["verb"] == "CHANGED":
            yield Entry(found["name"], _added(text))
        elif found["verb"] == "ERROR":
            yield Entry(found["name"], text, "gone" if _GONE.match(text) else "error")


def notification(body: bytes) -> Entry:
    """What changedetection.io posts to a `json://` address.

    Its title is the watch's, its message the diff (see settings.toml).
    """
    told = json.loads(body)
    lines = [line for line in told["message"].splitlines() if line.startswith(_NEW)]
    text = "\n".join(line.partition(")")[2].strip() for line in lines)
    return Entry(told["title"].strip(), text)


def _added(diff: str) -> str:
    lines = (line for line in diff.splitlines() if line.startswith("+"))
    return "\n".join(line[1:] for line in lines if not line.startswith("+++"))
