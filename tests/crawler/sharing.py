"""Crawls that share a process, as both looks of a night do: loading Scrapy takes a second."""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from crawler import Crawl, Limits, Plan, Standby, crawling, standing_by
from crawler.agenda import Agenda


class Shared:
    """Crawls, each in the process of the one before it with the same limits, if that is fresh."""

    def __init__(self) -> None:
        self._until = ExitStack()  # of the process
        self._limits: Limits | None = None
        self._standby: Standby | None = None
        atexit.register(self._until.close)

    @contextmanager
    def __call__(self, plan: Plan | Agenda) -> Iterator[Crawl]:
        """See `crawling`."""
        if self._standby is None or not self._standby.waits or self._limits != plan.limits:
            self._until.close()
            self._standby = self._until.enter_context(standing_by())
            self._limits = plan.limits
        with crawling(plan, standby=self._standby) as crawl:
            yield crawl


shared = Shared()
