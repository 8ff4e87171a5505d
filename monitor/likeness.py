"""Whether two pages are one, by name and words: how one that is silent on visas is known again.

Compared are their headings, and what is left without menus, sidebars and footers, in runs of
four words. Much of a page may be news that change from night to night, so that a third is enough;
but two programs' pages made alike are as like, and have to be told apart by where they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from crawler import discover
from extractors import page_text

_RUN = 4  # words
_LIKE = 0.3  # the share of all runs of both pages that both have


@dataclass(frozen=True, slots=True)
class Likeness:
    """By what a page is known again: its first heading (or title), and its runs of words."""

    name: str
    runs: frozenset[tuple[str, ...]]

    def is_that_of(self, other: Likeness) -> bool:
        """Whether two pages are likely the same. A page without words is like none."""
        shared, all_ = self.runs & other.runs, self.runs | other.runs
        return self.name == other.name and len(shared) > _LIKE * len(all_)


def likeness(body: bytes, content_type: str, url: str) -> Likeness:
    """That of a page; `url` is its address."""
    page = discover.read(body, url)
    said = re.findall(r"[^\W\d_]+", page_text(body, content_type).casefold())
    return Likeness(
        next((h for h in page.headings if h), page.title).casefold(),
        frozenset(zip(*(said[i:] for i in range(_RUN)), strict=False)),
    )
