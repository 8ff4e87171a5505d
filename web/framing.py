"""A stored page as it was, as text: in a frame of its own that can load and run nothing.

Only its blocks are shown, each as escaped text, with the statements marked. Nothing of its markup
comes along, so there is nothing to clean. The frame's own policy forbids everything, too.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

from fastapi.responses import HTMLResponse
from markupsafe import Markup, escape

from extractors import page_text
from monitor.alerts.message import readable
from store.snapshots import Snapshot

MOST = 200_000  # characters; of a longer page, what is around its first statement
_AROUND = MOST // 2

_STYLE = """
body { font: 15px/1.55 system-ui, sans-serif; margin: .75rem; overflow-wrap: anywhere; }
p { margin: 0 0 .5rem; }
mark { background: #ffe27a; color: #1b2430; padding: .1em .15em; outline: 2px solid #8a6d00; }
#said { scroll-margin-top: 4rem; }
h1 { position: absolute; clip-path: inset(50%); }
.cut { color: GrayText; font-style: italic; }
"""
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            f"style-src 'sha256-{_DIGEST}'",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'self'",
            "sandbox",
        )
    ),
    "X-Frame-Options": "SAMEORIGIN",
    "Cache-Control": "no-store",
}

Span = tuple[int, int, str]  # where a quote stands in the page's text, and the quote


def frame(snapshot: Snapshot, quotes: Iterable[Span]) -> HTMLResponse:
    """The page as text, its statements marked; the first one has the id `said`."""
    text = page_text(snapshot.body, snapshot.content_type)
    spans = _found(text, quotes)
    begin, end = _part(text, spans)
    parts = [_note("The page begins earlier.")] if begin else []
    parts += _paragraphs(text, spans, begin, end)
    if end < len(text):
        parts.append(_note("The page goes on."))
    body = Markup("\n").join(parts) or _note("There is no text on this page.")
    html = Markup(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="color-scheme" content="light dark"><title>The page as it was</title>'
        "<style>{}</style></head><body><main><h1>The page as it was</h1>\n{}\n</main></body></html>"
    ).format(Markup(_STYLE), body)  # noqa: S704 (ours)
    return HTMLResponse(html, headers=_HEADERS)


def _note(words: str) -> Markup:
    return Markup('<p class="cut">{}</p>').format(words)


def _found(text: str, quotes: Iterable[Span]) -> list[tuple[int, int]]:
    """Where the quotes stand, in order; other rules may have read the page's text otherwise."""
    spans = []
    for start, end, quote in quotes:
        if text[start:end] != quote:
            start = text.find(quote)
            end = start + len(quote)
        if 0 <= start < end:
            spans.append((start, end))
    apart: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if apart and start < apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((start, end))
    return apart


def _part(text: str, spans: list[tuple[int, int]]) -> tuple[int, int]:
    """What of a long text is shown: whole lines."""
    if len(text) <= MOST:
        return 0, len(text)
    first = max(0, (spans[0][0] if spans else 0) - _AROUND)
    begin = text.rfind("\n", 0, first) + 1
    end = text.find("\n", min(len(text), first + MOST))
    return begin, end if end >= 0 else len(text)


def _paragraphs(text: str, spans: list[tuple[int, int]], begin: int, end: int) -> Iterable[Markup]:
    at, named = begin, False
    for line in text[begin:end].split("\n"):
        out, here, stop = Markup(""), at, at + len(line)
        for start, until in spans:
            if start < stop and until > at:
                low, high = max(start, at), min(until, stop)
                name = Markup("") if named else Markup(' id="said"')
                named = True
                marked = Markup("<mark{}>{}</mark>").format(name, readable(text[low:high]))
                out += escape(readable(text[here:low])) + marked
                here = high
        out += escape(readable(text[here:stop]))
        at = stop + 1
        if out.strip():
            yield Markup('<p dir="auto">{}</p>').format(out)
