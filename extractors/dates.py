"""The date in a condition: "by February 1, 2027", "before Match Day".

Our own pattern finds it and dateutil reads it: dateutil alone takes the bare word "may" for
a month. A date without a year stays in the page's words, as its season is not ours to guess.
"""

from __future__ import annotations

import re
from datetime import datetime

from dateutil import parser

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_DATE = re.compile(
    rf"\b(?P<full>{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? (?:of )?20\d\d"
    rf"|\d{{1,2}}(?:st|nd|rd|th)? {_MONTH},? 20\d\d|20\d\d-\d\d-\d\d|\d{{1,2}}/\d{{1,2}}/20\d\d)\b"
    rf"|\b(?P<part>{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?)(?!\d)",
    re.I,
)
_RELATIVE = re.compile(
    r"\b(?:by|before|prior to|at|on|until|no later than)(?: the)?(?: time of| date of| start of)?"
    r"(?: (?:the|our|your|being|rank|submitting|their))*"
    r" (?:match(?: day)?|rank(?:ed|ing)(?: lists?(?: deadline)?)?"
    r"|rank(?: order)? list(?: deadline)?"
    r"|application|applying|interviews?|training|residency|filing|matching|start(?: date)?"
    r"|petition|appl(?:y|ying)|certification)\b",
    re.I,
)


def due(text: str) -> str | None:
    """The date that `text` names: ISO where it has a year, else the page's words.

    >>> due("Step 3 must be passed by February 1, 2027.")
    '2027-02-01'
    >>> due("Step 3 before the rank list deadline"), due("may be passed")
    ('before the rank list deadline', None)
    """
    date = _DATE.search(text)
    if date and date.group("full"):
        try:
            default = datetime(2000, 1, 1)  # noqa: DTZ001  (only the date is used)
            words = date.group("full").replace(" of ", " ")
            return parser.parse(words, default=default, dayfirst=False).date().isoformat()
        except (ValueError, OverflowError):  # "February 31, 2027"
            return date.group("full")
    if date:
        return date.group("part")
    relative = _RELATIVE.search(text)
    return relative.group() if relative else None
