"""Why a request ended without a page, said in the words of `Health`."""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest

from crawler.values import Health


class Refused(IgnoreRequest):
    """Raised by a middleware that ends a request; becomes the page's `Fetch`."""

    def __init__(self, health: Health, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.health = health
        self.detail = detail
        self.status = status
