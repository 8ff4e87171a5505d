"""Tries again after a failure that may pass, and waits as long as the host asks for.

RFC 9110, 10.2.3: Retry-After is a number of seconds or a date. While we wait, nothing else is
asked of that host either. A host that asks for more than RETRY_AFTER_SECONDS is left alone for
the rest of the crawl.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from crawler.failures import is_broken_connection, was_kept_connection
from crawler.frontier import Frontier
from crawler.refusal import Refused
from crawler.values import Health

RETRIED = frozenset({429, 500, 502, 503, 504, 520, 521, 522, 523, 524})
_SHORTEST_BACK_OFF = 0.05  # seconds
_PRIORITY = 500


class RetryMiddleware:
    """Returns the request again, holding its host back meanwhile, up to RETRY_TIMES times."""

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._retries = settings.getint("RETRY_TIMES")
        self._longest_wait = settings.getfloat("RETRY_AFTER_SECONDS")
        self._back_off = max(settings.getfloat("DOWNLOAD_DELAY"), _SHORTEST_BACK_OFF)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RetryMiddleware:
        """Build it from the settings RETRY_TIMES, RETRY_AFTER_SECONDS and DOWNLOAD_DELAY."""
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Refuse a request to a host that has asked to be left alone for longer than we wait."""
        frontier = self._crawler.engine.scheduler
        if isinstance(frontier, Frontier) and (refused := frontier.refusal(request)):
            raise refused

    def process_response(self, request: Request, response: Response) -> Response | Request:
        """Return the request again for a status that may pass, else the response."""
        if response.status not in RETRIED:
            return response
        wait = 0.0
        if response.status in (429, 503):
            wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        if wait > self._longest_wait:
            host = urlparse_cached(request).hostname or ""
            detail = (
                f"{host} answered with status {response.status} and asked to be left alone "
                f"for {wait:.0f} seconds, longer than the {self._longest_wait:g} that we wait"
            )
            refused = Refused(Health.RATE_LIMITED, detail, response.status)
            frontier = self._crawler.engine.scheduler
            if isinstance(frontier, Frontier):
                frontier.leave_alone(request, refused, wait)
            raise refused
        return self._again(request, wait) or response

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """Return the request again if its connection broke.

        One on a kept connection does not count as an attempt, once: no other has to be spent
        because a server closes what is idle. It has its host's pause before it, as any.
        """
        if was_kept_connection(exception) and not request.meta.get("kept_broke"):
            meta = {**request.meta, "kept_broke": True}
            meta.pop("download_slot", None)
            return request.replace(meta=meta, priority=max(request.priority, _PRIORITY))
        if is_broken_connection(exception):
            return self._again(request, 0.0)
        return None

    def _again(self, request: Request, wait: float) -> Request | None:
        attempt = request.meta.get("attempt", 0)
        if attempt >= self._retries:
            return None
        frontier = self._crawler.engine.scheduler
        if isinstance(frontier, Frontier):
            frontier.hold(request, max(wait, self._back_off * 2**attempt))
        meta = {**request.meta, "attempt": attempt + 1}
        meta.pop("download_slot", None)
        return request.replace(meta=meta, priority=max(request.priority, _PRIORITY))


def retry_after(value: bytes | None, now: datetime) -> float:
    """Return the seconds that a Retry-After header asks for; 0 if there is none to be read.

    >>> retry_after(b"120", datetime(2027, 1, 1, tzinfo=UTC))
    120.0
    >>> retry_after(b"Fri, 01 Jan 2027 00:01:00 GMT", datetime(2027, 1, 1, tzinfo=UTC))
    60.0
    """
    text = (value or b"").decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())
