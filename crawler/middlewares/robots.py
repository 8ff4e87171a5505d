"""Keeps away from what robots.txt disallows; the frontier has fetched it by then."""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler

from crawler.frontier import Frontier
from crawler.robots import Robots


class RobotsMiddleware:
    """Raises `Refused` for a URL that its origin's robots.txt disallows."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsMiddleware:
        """Build it."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Let the request pass or refuse it."""
        frontier = self._crawler.engine.scheduler
        if Robots.is_one(request) or not isinstance(frontier, Frontier):
            return
        refused = frontier.robots.refusal(request)
        if refused is not None:
            raise refused
