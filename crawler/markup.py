"""What can be told of an HTML page from its bytes, without parsing it.

A parse costs more than the download (12 ms against 2 for a page of 100 KB), and most pages are
plainly pages. Everything here is linear in the size of the page, whatever the page contains.
"""

from __future__ import annotations

import codecs
import html
import re

_HEAD_BYTES = 65_536  # where a title, a charset or a refresh is looked for
_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([\w.:-]{1,40})""")
# Of more digits Python makes no number, and no character has so many.
_ENDLESS_REFERENCE = re.compile(r"&#[0-9]{4000,};?")
# Python's codecs that no page is in: one raises for everything, one takes quadratic time.
_NO_CHARSETS = frozenset({"undefined", "punycode", "idna", "unicode_escape", "raw-unicode-escape"})
_WORD = re.compile(r"[^\W_]")
# Elements whose content is not what the page says: code, and what every page of a site repeats.
_SKIPPED = re.compile(
    rb"<(script|style|noscript|template|svg|title|nav|header|footer|select)[\s/>]"
)
_REFRESH = re.compile(
    rb"""<meta\s[^>]*?http-equiv\s*=\s*["']?refresh["']?[^>]*?content\s*=\s*"""
    rb"""["']?\s*[0-3](?:\.\d+)?\s*[;,]\s*url\s*=\s*["']?([^"'>\s]{1,2000})"""
)
_HIDING = (
    (b"<!--", b"-->"),
    (b"<script", b"</script"),
    (b"<svg", b"</svg"),
    (b"<template", b"</template"),
    (b"<noscript", b"</noscript"),
)
# Elements that nobody opens at the very end of a page; careless pages end in `<p>` or `<br>`.
_OPENED = re.compile(
    rb"<(?:h[1-6]|a|b|strong|em|span|font|div|section|article|main|header|nav|ul|ol|table|tr|td|th)"
    rb"(?:\s[^<>]*)?>",
    re.IGNORECASE,
)
_MAX_HIDDEN = 20  # hidden elements that are passed over on the way to a shown one
_BOMS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Markup:
    """One HTML page, lower-cased for searching."""

    def __init__(self, body: bytes, charset: str = "") -> None:
        for bom, encoding in _BOMS:
            if body.startswith(bom):
                body = body.decode(encoding, errors="replace").encode()
                charset = "utf-8"
        self.body = body
        self.low = body.lower()
        self._charset = charset

    @property
    def title(self) -> str:
        """The text of the page's title."""
        return self._element(b"<title", b"</title", _HEAD_BYTES)

    @property
    def heading(self) -> str:
        """The text of the page's first h1."""
        return self._element(b"<h1", b"</h1", len(self.body))

    def _element(self, opening: bytes, closing: bytes, within: int) -> str:
        start = self._find_shown(opening, within)
        start = self.low.find(b">", start) + 1 if start >= 0 else 0
        end = self.low.find(closing, start, start + 2_000) if start else -1
        return self.decode(plain(self.body[start:end])) if end >= 0 else ""

    def _find_shown(self, opening: bytes, within: int) -> int:
        """Return where an element first begins outside comments, code and drawings, or -1."""
        start = self.low.find(opening, 0, within)
        for _ in range(_MAX_HIDDEN):
            if start < 0:
                return -1
            for hidden, shown in _HIDING:
                if self.low.rfind(hidden, 0, start) > self.low.rfind(shown, 0, start):
                    end = self.low.find(shown, start)
                    start = self.low.find(opening, end, within) if end >= 0 else -1
                    break
            else:
                return start
        return -1

    def text(self, enough: int) -> tuple[str, int]:
        """Return the visible text outside navigation, up to `enough` words, and their number."""
        pieces, words = _visible(self.low, enough)
        text = self.decode(b" ".join(pieces))
        return text, words if _WORD.search(text) else 0

    def decode(self, raw: bytes) -> str:
        """Return text as people would read it: decoded, unescaped, its spaces single."""
        if not raw.isascii():
            declared = _CHARSET.search(self.low, 0, 2_048)
            names = (self._charset, declared[1].decode("ascii") if declared else "", "utf-8")
            text = _decode(raw, names)
        else:
            text = raw.decode("ascii")
        return " ".join(html.unescape(_ENDLESS_REFERENCE.sub("\ufffd", text)).split())


def _decode(raw: bytes, names: tuple[str, ...]) -> str:
    for name in names:
        try:
            name = codecs.lookup(name or "utf-8").name
            if name not in _NO_CHARSETS:
                return raw.decode(name)
        except (ValueError, LookupError):
            continue  # pages often claim a charset that they are not in
    return raw.decode("cp1252", errors="replace")


def plain(markup: bytes) -> bytes:
    """Return the text of a piece of HTML: every tag becomes a space."""
    first, *others = markup.split(b"<")
    return b" ".join([first, *(part.partition(b">")[2] for part in others)])


def _visible(low: bytes, enough: int) -> tuple[list[bytes], int]:
    """Collect the texts between tags until there are `enough` words."""
    pieces: list[bytes] = []
    unclosed: set[bytes] = set()
    words = position = 0
    size = len(low)
    while position < size:
        opening = low.find(b"<", position)
        piece = low[position : opening if opening >= 0 else size].strip()
        if piece:
            pieces.append(piece)
            words += len(piece.split())
        if opening < 0 or words >= enough:
            break
        skipped = _SKIPPED.match(low, opening)
        if skipped and skipped[1] not in unclosed:
            opening = _end_of(low, opening, skipped[1], unclosed)
        elif low.startswith(b"<!--", opening):
            opening = low.find(b"-->", opening)
        closing = low.find(b">", opening) if opening >= 0 else -1
        if closing < 0:
            break
        position = closing + 1
    return pieces, words


def _end_of(low: bytes, opening: int, name: bytes, unclosed: set[bytes]) -> int:
    """Return where an element's closing tag begins; where it has none, where it does itself."""
    own_end = low.find(b">", opening)
    if name == b"svg" and low[own_end - 1 : own_end] == b"/":
        return opening
    closing = low.find(b"</" + name, opening)
    if closing < 0:
        unclosed.add(name)  # nor will any later one have: none is looked for again
        return -1 if name == b"script" else opening
    return closing


def meta_refresh(body: bytes) -> str:
    """Return where a page sends its visitors at once (within 3 seconds), or "".

    >>> meta_refresh(b'<meta http-equiv="refresh" content="0; url=/new">')
    '/new'
    """
    head = body[:4_096].lower()
    if b"http-equiv" not in head:
        return ""
    match = _REFRESH.search(head)
    if match is None or b"<noscript" in head[: match.start()].rpartition(b"</noscript")[2]:
        return ""
    return html.unescape(body[slice(*match.span(1))].decode("utf-8", errors="replace"))


def ends_early(body: bytes) -> bool:
    """Whether the rest of some HTML was lost: `...<a href="/app`, or `...</nav><h1>`.

    That a page does not close its body tells nothing: many never do.
    """
    tail = body.rstrip()[-4_096:]
    opening = tail.rfind(b"<")
    if opening < 0:
        return False
    if b">" not in tail[opening:]:
        return bool(re.match(rb"</?[a-zA-Z][a-zA-Z0-9-]*(?:\s|/|\Z)", tail[opening:]))
    return bool(_OPENED.fullmatch(tail, opening)) and b"</body" not in body.lower()
