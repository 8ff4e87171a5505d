"""What the crawl logs: next to nothing, because every page reports for itself in its `Fetch`."""

from __future__ import annotations

from typing import Any

from scrapy.logformatter import LogFormatter


class QuietLogFormatter(LogFormatter):
    """Leaves out the line per page that Scrapy builds even when nobody reads it."""

    def crawled(self, *args: Any, **kwargs: Any) -> Any:
        """Return None: no line."""
        return
