"""The sieve before any parsing: can this page say anything about visas at all?

Most pages of a hospital's site cannot, and parsing is what a page costs. The sieve may let
a page through for nothing, but it must never hold back one that a rule could match: the
tests run every rule's examples through it.
"""

from __future__ import annotations

import html
import re

import re2

# Inline tags can stand inside a word ("<b>v</b>isa", "J-<wbr>1"); any other tag ends one.
_INLINE = re.compile(
    r"</?(?:a|abbr|b|big|em|font|i|mark|s|small|span|strong|sub|sup|u|wbr)(?:\s[^<>]*)?/?>", re.I
)
_TAG = re.compile(r"<[^<>]*>")
_COMMENT = re.compile(r"<!--[^<>]*-->")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")  # soft hyphen, zero width

# One linear scan of the bytes that are left. "H 1" without a B is not asked for, as it
# would stop at every "March 1"; pages that write it so also write "visa".
_WORDS = re2.compile(
    rb"(?i)visa|citizen|ecfmg|permanent.{0,8}resid|green.{0,4}card|resident.{0,4}alien|alien"
    rb"|j[^a-z0-9]{0,8}(?:1|[il]\b)|h[^a-z0-9 ]{0,7}1|h[^a-z0-9]{0,7}[1il]8?[^a-z0-9]{0,7}b"
    rb"|\bh18\b|\beads?\b|employment.{0,6}authori|practical.{0,6}training|\btn[ -]status|f[^a-z0-9 ]{1,7}1\b|o[^a-z0-9 ]{1,7}1\b|e[^a-z0-9 ]{1,7}3\b"
)


def may_speak_of_visas(page: str) -> bool:
    """True when `page` (decoded HTML or text) may hold a word that a rule needs.

    >>> may_speak_of_visas("<p>We <b>v</b>isit every Monday.</p>")
    False
    >>> may_speak_of_visas("<p>J&#8209;1 only</p>")
    True
    """
    text = without_scripts(page)
    if "<" in text:
        text = _TAG.sub(" ", _INLINE.sub("", _COMMENT.sub("", text)))
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    return _WORDS.search(text.encode("utf-8", "ignore")) is not None


def without_scripts(page: str) -> str:
    """`page` without its script and style elements, in one pass (half of a modern page)."""
    lower = page.lower()
    if len(lower) != len(page):  # a letter that lower-cases to two: offsets would slip
        return page
    kept: list[str] = []
    at = 0
    for name in ("script", "style"):
        if f"<{name}" not in lower:
            continue
        kept, at = [], 0
        opening, closing = f"<{name}", f"</{name}"
        while (start := lower.find(opening, at)) >= 0:
            end = lower.find(closing, start)
            if end < 0:
                break
            kept.append(page[at:start])
            close = lower.find(">", end)
            at = close + 1 if close >= 0 else len(page)
        kept.append(page[at:])
        page = "".join(kept)
        lower = page.lower()
    return page
