"""Filters of templates: values as people read them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from monitor.alerts.message import readable
from store.states import NAMES

_WHOLE = re.compile(r"\b(?:J-1|H-1B|O-1|E-3|F-1|\d{4}-\d\d-\d\d)\b")
_CODE = re.compile(r"`([^`]*)`")
_TIME = Markup('<time datetime="{}">{}</time>')


@lru_cache(1000)
def day(moment: str | None) -> Markup | str:
    """`2026-11-25T02:00:00Z` as `2026-11-25`, in one piece; nothing as `never`.

    >>> str(day("2026-11-25T02:00:00Z")), day(None)
    ('<time datetime="2026-11-25">2026-11-25</time>', 'never')
    """
    return _TIME.format(moment[:10], moment[:10]) if moment else "never"


def minute(moment: str | None) -> Markup | str:
    """`2026-11-25T02:00:00Z` as `2026-11-25 02:00 UTC`; nothing as `never`."""
    return _TIME.format(moment, f"{moment[:10]} {moment[11:16]} UTC") if moment else "never"


def arrows(text: str) -> str:
    """`a -> b` as `a → b`."""
    return text.replace("->", "→")


def count(number: int, one: str, many: str = "") -> str:
    """`count(1, "program")`, `count(13000, "program")`.

    >>> count(1, "program"), count(13000, "program"), count(2, "city", "cities")
    ('1 program', '13,000 programs', '2 cities')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def outside(url: str | None) -> str:
    """The URL if a link may lead there, else nothing: a page may name any scheme.

    >>> outside("https://a.example/x"), outside("javascript:alert(1)"), outside(None)
    ('https://a.example/x', '', '')
    """
    if not url or not url.isprintable() or " " in url:
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if parts.scheme in ("http", "https") and parts.hostname else ""


def zip_self(names: Iterable[str]) -> list[tuple[str, str]]:
    """Names as the values and words of a form's choice."""
    return [(name, name) for name in names]


def state_pairs(states: Iterable[str]) -> list[tuple[str, str]]:
    """States by their letters as the values and words of a choice, in the order of the words.

    >>> state_pairs(["WA", "MA", "XX"])
    [('MA', 'Massachusetts'), ('WA', 'Washington'), ('XX', 'XX')]
    """
    return sorted(((s, NAMES.get(s, s)) for s in states), key=lambda pair: pair[1])


@lru_cache(1000)
def unbroken(text: str) -> Markup:
    """A text whose visas' names and dates are never broken at a hyphen at the end of a line.

    >>> str(unbroken("H-1B & more"))
    '<span class="unbroken">H-1B</span> &amp; more'
    """
    return Markup(_WHOLE.sub(r'<span class="unbroken">\g<0></span>', str(escape(text))))  # noqa: S704


def coded(text: str) -> Markup:
    """A text in which what stands between backticks is code.

    >>> str(coded("`next` of <it>"))
    '<code>next</code> of &lt;it&gt;'
    """
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(text))))  # noqa: S704


FILTERS = {
    "arrows": arrows,
    "coded": coded,
    "count": count,
    "day": day,
    "minute": minute,
    "outside": outside,
    "readable": readable,
    "state_pairs": state_pairs,
    "unbroken": unbroken,
    "zip_self": zip_self,
}
