"""Sitemaps (sitemaps.org protocol): the addresses that a site lists of itself.

Read with a search for <loc>, not an XML parser: a sitemap is a hostile file like any other, and
half of them are not well-formed.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from crawler.decompress import Broken, TooLarge, gunzip
from crawler.discover import Link, score, words_of_url
from crawler.urls import canonical, join

MAX_SITEMAPS = 5  # files read for one search
_MAX_LOCATIONS = 20_000  # of one file
_MAX_LINKS = 200  # kept of one file: the best named
_LOCATION = re.compile(rb"<loc>\s*+(?:<!\[CDATA\[)?\s*+([^<\]\s]{1,2000})")
_OTHER_KINDS = re.compile(
    r"post|news|event|image|video|categor|tag|author|doctor|provider|location"
)


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What a sitemap lists: further sitemaps, or pages whose names look right."""

    sitemaps: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


def read_sitemap(body: bytes, url: str, max_bytes: int) -> Sitemap:
    """Return what is in a sitemap file, plain or .gz; nothing if it is none.

    Of an index, files that are named for news, events and the like come last; of a list of
    pages only those with a promising address are kept, the best first.
    """
    try:
        body = gunzip(body, max_bytes)
    except (TooLarge, Broken):
        return Sitemap()
    locations = []
    for match in _LOCATION.finditer(body):
        locations.append(join(url, html.unescape(match[1].decode("utf-8", errors="replace"))))
        if len(locations) == _MAX_LOCATIONS:
            break
    if b"<sitemapindex" in body[:2_000]:
        return Sitemap(sitemaps=tuple(sorted(locations, key=_rank)))
    scored = [(score(words_of_url(location)), location) for location in locations]
    scored = [pair for pair in scored if pair[0] > 0]
    scored.sort(reverse=True)
    return Sitemap(links=tuple(Link(canonical(loc), "") for _, loc in scored[:_MAX_LINKS]))


def _rank(location: str) -> tuple[bool, float]:
    name = location.lower().rpartition("/")[2]
    return bool(_OTHER_KINDS.search(name)), -score(words_of_url(location))
