"""A coordinator's own words to what they say of visas; phrases are in replies.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import re2
from mailparser_reply import EmailReplyParser

from extractors import Asker, Policy, Visa, classify

LONGEST = 20_000  # characters of an answer; what comes after is not read
_LINE = 1_000  # characters; a longer one is broken: the parser's time grows with its square
SURE = 0.5  # the confidence below which an answer is read closely
_ASKED = (Visa.J1, Visa.H1B)


@dataclass(frozen=True, slots=True)
class Understood:
    """What an answer says. `quote` are its own words for that; `doubtful`: read it closely."""

    policy: Policy
    quote: str
    doubtful: bool


def understand(text: str, asker: Asker | None = None) -> Understood:
    """What an answer of few words or many says of visas to who asks, in whatever style.

    >>> understand("Yes, we sponsor both. No recent changes.").policy.category
    <Category.J1_AND_H1B: 'j1_and_h1b'>
    >>> understand("I think we do J-1, please check with GME about H-1B.").doubtful
    True
    """
    phrases = _phrases()
    unsure = bool(phrases.unsure.search(text))
    lines: list[str] = []
    said: dict[str, str] = {}
    for line in text[:LONGEST].splitlines():
        kept = []
        for sentence in _sentences(line):
            if sends := phrases.elsewhere.search(sentence):
                unsure = True
                sentence = sentence[: sends.start()]
            meant = next(
                (m for pattern, m in phrases.means if pattern.search(sentence.strip())), ""
            )
            if meant:
                said[meant] = sentence.strip()
            kept.append(meant or sentence)
        lines.append(" ".join(kept))
    policy = classify("\n".join(lines).encode(), "text/plain; charset=utf-8", asker)
    quotes = dict.fromkeys(e.quote for e in policy.evidence)
    quote = " … ".join(_own_words(q, said) for q in quotes)
    # Of nothing that is said, nothing is sure either.
    open_ = any(visa not in dict(policy.stances) for visa in _ASKED)
    doubtful = unsure or open_ or policy.needs_review or policy.confidence < SURE
    return Understood(replace(policy, evidence=(), needs_review=doubtful), quote, doubtful)


def own_words(text: str) -> str:
    """A reply without what it quotes, its signature and its disclaimers.

    A question of ours that is quoted right above its answer stays.
    """
    whole = _answered_between(text.replace("\r\n", "\n").replace("\r", "\n")[: 10 * LONGEST])
    reply = EmailReplyParser(languages=["en"]).parse_reply(_evened(whole)) or ""
    lines: list[str] = []
    for line in reply.splitlines():
        if line.strip() == "--" or (lines and _phrases().signature.search(line)):
            break
        lines.append(line)
    return "\n".join(lines).strip()[:LONGEST]


def _answered_between(text: str) -> str:
    """A text without quoted lines, but for a question with an answer right below it."""
    kept = []
    after = ""  # the nearest line below that says something
    for line in reversed(text.split("\n")):
        quoted = line.lstrip("> ").rstrip()
        if not line.startswith(">"):
            kept.append(line)
        elif quoted.endswith("?") and after and not after.startswith(">"):
            kept.append(quoted)
        if quoted:
            after = line
    return "\n".join(reversed(kept))


def _evened(text: str) -> str:
    """A text that the parser of replies takes no long time for: of bounded lines and gaps."""
    lines = (line.strip() for line in text[: 2 * LONGEST].split("\n"))
    broken = "\n".join(re.sub(f"(.{{{_LINE}}})(?=.)", r"\1\n", line) for line in lines)
    return re.sub(r"\n{3,}", "\n\n", broken)


def _own_words(quote: str, said: dict[str, str]) -> str:
    for meant, sentence in said.items():
        quote = quote.replace(meant, sentence)
    return quote


def _sentences(line: str) -> list[str]:
    """A line's sentences: an end of one is a full stop before a space."""
    found, start = [], 0
    for match in re2.finditer(r"[.!?]+\s+", line):
        found.append(line[start : match.end()].rstrip())
        start = match.end()
    return [*found, line[start:]]


@dataclass(frozen=True, slots=True)
class _Phrases:
    means: tuple[tuple[Any, str], ...]
    elsewhere: Any
    unsure: Any
    signature: Any


@cache
def _phrases() -> _Phrases:
    data = tomllib.loads((files("sources") / "replies.toml").read_text("utf-8"))
    return _Phrases(
        tuple((re2.compile("(?i)" + m["match"]), m["means"]) for m in data["means"]),
        *(
            re2.compile("(?i)" + data[name]["match"])
            for name in ("elsewhere", "unsure", "signature")
        ),
    )
