"""Refuses addresses that must not be fetched, in every request: pages, robots.txt, redirects."""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler

from crawler.guard import Guard
from crawler.refusal import Refused
from crawler.values import Health


class GuardMiddleware:
    """Raises `Refused` for a URL that the guard refuses."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GuardMiddleware:
        """Build it from the setting ALLOW_HOSTS."""
        return cls(Guard(crawler.settings.getlist("ALLOW_HOSTS")))

    def process_request(self, request: Request) -> None:
        """Let the request pass or refuse it."""
        reason = self._guard.refusal(request.url)
        if reason is not None:
            raise Refused(Health.FORBIDDEN_ADDRESS, reason)
