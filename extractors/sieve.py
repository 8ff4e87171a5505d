"""The sieve before any parsing: can this page say anything about visas at all?

Most pages of a hospital's site cannot, and parsing is what a page costs. The sieve may let
a page through for nothing, but it must never hold back one that a rule could match: the
tests run every rule's examples through it.
"""

from __future__ import annotations

import html
import re
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate

import re2

# A tag can stand inside a word ("<b>v</b>isa", "J-<wbr>1"): each becomes one NUL, which the
# words below let pass.
_TAG = re.compile(r"<[^<>]*>")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")  # soft hyphen, zero width
# Of more digits Python makes no number, and no character has so many.
_ENDLESS_REFERENCE = re.compile(r"&#[0-9]{4000,};?")
_SPELT = (
    "visa", "citizen", "ecfmg", "intealth", "greencard", "residentalien", "permanentresiden",
    "permanentu.s.residen", "permanentusresiden", "immigrant", "employmentauthori",
    "practicaltraining",
)  # fmt: skip
_GAP = r"[^a-z0-9]{0,8}"


def _spelt(word: str) -> str:
    """A pattern of `word`, whatever spaces, hyphens or tags stand between its letters."""
    return r"[\x00 \x80-\xff-]{0,4}".join(map(re.escape, word))


# One linear scan of the bytes that are left. "H 1" without a B is not asked for, as it
# would stop at every "March 1"; pages that write it so also write "visa".
_WORDS = re2.compile(
    (
        rf"(?i){'|'.join(map(_spelt, _SPELT))}"
        rf"|j{_GAP}(?:1|[il]\b)|h[^a-z0-9 ]{{0,7}}1|h{_GAP}[1il]8?{_GAP}b|\bh18\b"
        r"|[oe][^a-z0-9 ]{1,7}[13]\b|f[^a-z0-9 ]{1,7}1\b|\beads?\b|\btn[ -]status"
        # Who must work "without sponsorship": no visa is named, and none is given.
        r"|(?:work|employ|need|requir|immigration)[^.\x00]{0,60}sponsor"
        r"|(?:without|with no)[^.\x00]{0,30}sponsorship"
    ).encode()
)
_LONGEST = 120  # bytes of a match of these words
_MOST_IN_TAGS = 20  # times that "visa" is met in an address or a class before all is read


def may_speak_of_visas(page: str) -> bool:
    """True when `page` (decoded HTML) may hold a word that a rule needs.

    >>> may_speak_of_visas("<p>We <b>v</b>isit every Monday.</p>")
    False
    >>> may_speak_of_visas("<p>J&#8209;1 only</p>")
    True
    """
    text = without_scripts(page)
    if _says_visa(text.lower()):
        return True
    if "<" in text:
        text = _TAG.sub("\0", text)
    if "&" in text:
        text = html.unescape(_ENDLESS_REFERENCE.sub("\ufffd", text))
    return names_a_visa(text)


def _says_visa(lower: str) -> bool:
    """Whether "visa" stands between two tags, as on most pages that speak of one.

    To take all tags out of a page, and ask for every other word, costs five times as much.
    """
    at = -1
    for _ in range(_MOST_IN_TAGS):
        at = lower.find("visa", at + 1)
        if at < 0:
            return False
        if lower.rfind("<", 0, at) <= lower.rfind(">", 0, at):
            return True
    return False


def names_a_visa(text: str) -> bool:
    """True when `text` (of a sentence, or a page without its tags) may name a visa."""
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    return _WORDS.search(text.encode("utf-8", "ignore")) is not None


@lru_cache(maxsize=1)  # both readers ask it of a page
def which_name_a_visa(texts: tuple[str, ...]) -> frozenset[int]:
    """The numbers of the texts that may name a visa: one scan over all, as calls cost most."""
    data = [(t if t.isascii() else _INVISIBLE.sub("", t)).encode("utf-8", "ignore") for t in texts]
    ends = list(accumulate(len(d) + 1 for d in data))
    joined = b"\n".join(data)
    found: set[int] = set()
    at = 0
    while (match := _WORDS.search(joined, at)) is not None:
        first, last = (bisect_right(ends, place) for place in (match.start(), match.end() - 1))
        found.update((first, last))
        # A text that holds a million of them is found once; one that ends in the next is seen.
        at = max(match.end(), ends[last] - _LONGEST)
    return frozenset(found)


_RAW = ("<script", "<style")
_AFTER_NAME = frozenset(" \t\n\f\r/>")


@lru_cache(maxsize=1)  # a page that passes the sieve is asked for again by who parses it
def without_scripts(page: str) -> str:
    """`page` without its script and style elements (half of a modern page).

    One that a comment holds is part of the comment, and <style-guide> is none.

    >>> without_scripts("<!-- <script> --><p>J-1<style>p {}</style></p>")
    '<!-- <script> --><p>J-1</p>'
    """
    lower = page.lower()
    if len(lower) != len(page):  # letters that lower-case to two: offsets would slip
        lower = page
    kept: list[str] = []
    at = 0
    ahead = {name: lower.find(name) for name in ("<!--", *_RAW)}
    while found := [(place, name) for name, place in ahead.items() if place >= 0]:
        start, name = min(found)
        end = start + len(name)
        if name == "<!--":
            end = lower.find("-->", start + 2)
        elif lower[end : end + 1] in _AFTER_NAME:
            end = lower.find(f"</{name[1:]}", end)
            close = lower.find(">", end) + 1 or len(lower)
            if end >= 0 and not _hides_its_end(lower, start, end):
                kept.append(page[at:start])
                at = end = close
        if end < 0:
            break  # it goes on to the end, which the parser knows
        for name, place in ahead.items():
            if 0 <= place < end:
                ahead[name] = lower.find(name, end)
    return "".join([*kept, page[at:]]) if kept else page


def _hides_its_end(lower: str, start: int, end: int) -> bool:
    """Whether a script holds "<!-- <script": then its first "</script" is not its end."""
    comment = lower.find("<!--", start, end)
    return comment >= 0 and lower.find("<script", comment, end) >= 0
