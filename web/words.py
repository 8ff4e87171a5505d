"""Filters of templates: values as people read them."""

from __future__ import annotations

from urllib.parse import urlsplit

from monitor.alerts.message import readable


def day(moment: str | None) -> str:
    """`2026-11-25T02:00:00Z` as `2026-11-25`; nothing as `never`.

    >>> day("2026-11-25T02:00:00Z"), day(None)
    ('2026-11-25', 'never')
    """
    return moment[:10] if moment else "never"


def minute(moment: str | None) -> str:
    """`2026-11-25T02:00:00Z` as `2026-11-25 02:00 UTC`; nothing as `never`."""
    return f"{moment[:10]} {moment[11:16]} UTC" if moment else "never"


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


FILTERS = {
    "count": count,
    "day": day,
    "minute": minute,
    "outside": outside,
    "readable": readable,
}
