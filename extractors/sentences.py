"""Where sentences end in a block of text.

Full stops that end no sentence are common on these pages: "U.S.", "M.D.", "e.g.", "Dr.",
"No. 3"; so is one that does, right after a visa: "We do not sponsor H-1B. J-1 is accepted."
"""

from __future__ import annotations

import re

_END = re.compile(r"[.!?]+[\"”’')\]]*(?:\s+|$)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"“])(?:[A-Za-z]\.(?:[A-Za-z]\.)*|(?:Dr|Mr|Mrs|Ms|St|No|vs|etc|incl|approx|Inc"
    r"|Univ|Hosp|Dept|Ph\.D|Prof|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Ans|Ext|Tel"
    r"|cf|viz|Fig|Sec|Art|Co|M\.?D|D\.?O|i\.e|e\.g)\.)$"
)
# After these an abbreviation may still end the sentence: "...in the U.S. We sponsor..."
_STARTER = re.compile(
    r"(?:We|The|Our|This|These|All|Applicants?|Candidates?|They|It|If|However|International"
    r"|Foreign|No|Yes|Only|Visas?|J-?1|H-?1-?[Bb]|Please|For|In|Programs?|Residents?)\b"
)
_MAX_SENTENCE = 1500  # characters; a longer one is text without punctuation, and is cut


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """The spans of the sentences of `text`, trimmed, in order.

    >>> text = "Graduates of U.S. schools may apply. We do not sponsor H-1B. See Dr. Roe."
    >>> [text[a:b] for a, b in sentence_spans(text)]
    ['Graduates of U.S. schools may apply.', 'We do not sponsor H-1B.', 'See Dr. Roe.']
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        if match.end() < len(text) and not _is_end(text, start, match):
            continue
        spans.append((start, match.end()))
        start = match.end()
    if start < len(text):
        spans.append((start, len(text)))
    return [piece for span in spans for piece in _pieces(text, *span)]


def _is_end(text: str, start: int, match: re.Match[str]) -> bool:
    after = text[match.end() : match.end() + 20]
    if match.group().lstrip(".").strip():  # "!" or "?", or a closing quote after the stop
        return not after[:1].islower()
    head = text[max(start, match.start() - 12) : match.start() + 1]
    if re.search(r"(?:^|\s)(?:Q|A|Ans|\d{1,2}|[a-h])\.$", head) and match.start() - start < 5:
        return False  # "Q. Which visa ...", "3. We ...": the mark belongs to the sentence
    if _ABBREVIATION.search(head):
        return _STARTER.match(after) is not None and not head.endswith(("Dr.", "St.", "Mr."))
    return not after[:1].islower()


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    pieces: list[tuple[int, int]] = []
    while start < end:
        stop = min(end, start + _MAX_SENTENCE)
        if stop < end:
            space = text.rfind(" ", start, stop)
            stop = space if space > start else stop
        left, right = start, stop
        while left < right and text[left].isspace():
            left += 1
        while right > left and text[right - 1].isspace():
            right -= 1
        if left < right:
            pieces.append((left, right))
        start = stop
    return pieces
