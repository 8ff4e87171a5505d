"""Bytes of a page to text that comes out right, whatever the page claims of itself.

Order of trust: byte order mark, zero bytes that betray UTF-16, the HTTP charset, the
page's own `<meta>`, UTF-8. A page that claims UTF-8 and holds Windows-1252 bytes (a
hospital's CMS pasted from Word) keeps its valid UTF-8 and has each stray byte read as
Windows-1252, so neither kind of text is lost.
"""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_META = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.I)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.-]{1,40})", re.I)
_META_WINDOW = 4096  # bytes: browsers look at the first 1024, some pages put it later
_SNIFF_WINDOW = 2000  # bytes

# The text encodings that pages use. A closed list, because Python also knows codecs that
# are no encodings of text ("zip", "idna") or that take quadratic time ("punycode").
_WESTERN = "cp1252"  # what browsers read for latin-1 and ascii
_KNOWN = frozenset(
    {"utf-8", "shift_jis", "euc_jp", "gb2312", "gbk", "gb18030", "big5", "euc_kr", "koi8-r"}
    | {"mac-roman", "iso2022_jp", "koi8-u"}
    | {f"cp125{n}" for n in range(9)}
    | {f"iso8859-{n}" for n in range(2, 17)}
)


def _stray_byte(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode(_WESTERN, "replace"), error.end


codecs.register_error("stray_as_cp1252", _stray_byte)


def decode(body: bytes, content_type: str = "") -> str:
    """The text of `body`; never raises, and holds no lone surrogate.

    >>> decode("J‑1 “only”".encode("cp1252", "ignore"), "text/html; charset=utf-8")
    'J1 “only”'
    """
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(encoding, "replace")
    wide = _wide(body[:_SNIFF_WINDOW])
    if wide:
        return body.decode(wide, "replace")
    claimed = _CHARSET.search(content_type)
    name = known_encoding(claimed.group(1)) if claimed else None
    if name is None:
        meta = _META.search(body, 0, _META_WINDOW)
        name = known_encoding(meta.group(1).decode("ascii")) if meta else None
    if name is None or name == "utf-8":
        return body.decode("utf-8", "stray_as_cp1252")
    if name == _WESTERN and _is_utf8(body):
        return body.decode("utf-8")  # text that is valid UTF-8 by chance does not exist
    return body.decode(name, "replace")


def known_encoding(name: str) -> str | None:
    """Python's name of a charset that pages and mails use, or None for one not to be trusted."""
    try:
        python_name = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    if python_name in ("iso8859-1", "ascii"):
        return _WESTERN
    return python_name if python_name in _KNOWN else None


def _wide(head: bytes) -> str | None:
    """UTF-16 without a byte order mark: every other byte of Western text is zero."""
    if len(head) < 8:
        return None
    half = len(head) // 2
    if head[1::2].count(0) > 0.6 * half:
        return "utf-16-le"
    if head[0::2].count(0) > 0.6 * half:
        return "utf-16-be"
    return None


def _is_utf8(body: bytes) -> bool:
    if body.isascii():
        return False
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
