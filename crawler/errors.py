"""What can go wrong with a crawl as a whole. What goes wrong with one page is its `Health`.

CrawlerError
+-- CrawlError       the crawl ended before its end: what it had not yielded was not fetched
+-- RuleFileError    a rule file (health.toml, names.toml) cannot be used
"""

from __future__ import annotations


class CrawlerError(Exception):
    """Anything this package raises."""


class CrawlError(CrawlerError):
    """The crawl's process ended without having finished; the pages not yielded stay unknown."""


class RuleFileError(CrawlerError):
    """A rule file cannot be used; the message names the file, the rule and the reason."""
