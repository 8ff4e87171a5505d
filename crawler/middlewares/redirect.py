"""Follows redirects, and remembers whether the page has moved for good.

A redirect becomes a request of its own, so that the guard, robots.txt and the pace of the new
host apply to it as to any other. RFC 9110, 15.4: 301 and 308 are permanent, 302, 303 and 307
are not. `<meta http-equiv="refresh">` without a wait counts as a temporary redirect.
"""

from __future__ import annotations

from typing import Any

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.httpobj import urlparse_cached

from crawler.guard import Guard
from crawler.markup import meta_refresh
from crawler.refusal import Refused
from crawler.urls import join, site_of
from crawler.values import Health

MAX_REDIRECTS = 10
_FOLLOWED = frozenset({301, 302, 303, 307, 308})
_PERMANENT = frozenset({301, 308})
_PRIORITY = 500
# Counts anew at the next address.
_OF_ONE_ADDRESS = ("download_slot", "download_latency", "attempt")


class RedirectMiddleware:
    """Returns a request for where a redirect leads, or raises `Refused`.

    What a page in a browser asks for has a `site` (see crawler.parts), which it may not leave.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RedirectMiddleware:
        """Build it from the setting ALLOW_HOSTS."""
        return cls(Guard(crawler.settings.getlist("ALLOW_HOSTS")))

    def process_response(self, request: Request, response: Response) -> Response | Request:
        """Return the next request of the chain, or the response that ends it."""
        target = response.headers.get("Location")
        if response.status in _FOLLOWED and target:
            location = target.decode("utf-8", errors="replace")
        elif response.status == 200 and (refresh := _refresh(request, response)):
            location = refresh
        else:
            return response
        url = join(request.url, location)
        chain: tuple[str, ...] = (*request.meta.get("chain", ()), request.url)
        host = urlparse_cached(request).netloc
        reason = self._guard.refusal(url)
        if reason is not None:
            raise Refused(
                Health.FORBIDDEN_ADDRESS,
                f"{host} redirects to an address that is not fetched: {reason}",
                response.status,
            )
        site = request.meta.get("site")
        if site is not None and site_of(url) != site:
            raise Refused(
                Health.FORBIDDEN_ADDRESS, f"{host} redirects to another site", response.status
            )
        if url in chain:
            if response.status == 200:
                return response  # a page that reloads itself
            raise Refused(
                Health.REDIRECT_LOOP,
                f"{host} redirects in a circle, through {url}",
                response.status,
            )
        if len(chain) > MAX_REDIRECTS:
            raise Refused(
                Health.REDIRECT_LOOP,
                f"{host} redirects more than {MAX_REDIRECTS} times",
                response.status,
            )
        meta: dict[str, Any] = {**request.meta, "chain": chain}
        for key in _OF_ONE_ADDRESS:
            meta.pop(key, None)
        meta["permanent"] = request.meta.get("permanent", True) and response.status in _PERMANENT
        return request.replace(url=url, meta=meta, priority=max(request.priority, _PRIORITY))


def _refresh(request: Request, response: Response) -> str:
    """Return where a page sends its visitors by itself; a part of one sends nobody."""
    return "" if "site" in request.meta else meta_refresh(response.body)
