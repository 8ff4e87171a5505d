"""What an errand holds beside its plan, however many pages that names."""

from __future__ import annotations

import asyncio
import gc
from collections import deque

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse
from scrapy.utils.test import get_crawler

from crawler import Fetch, KnownPage, Limits, Target
from crawler.errand import Errand, Manner
from crawler.guard import Guard
from crawler.ledger import Page, Shelf
from crawler.shows import Shows, renderer

HOSTS = 3
LIMITS = Limits()


async def held(pages: int) -> int:
    """The most requests at a time of an errand of so many pages, each answered in its turn."""
    known = [KnownPage(f"https://gme{n % HOSTS}.example.edu/{n}") for n in range(pages)]
    targets = tuple(Target(f"program:{n}", pages=(page,)) for n, page in enumerate(known))
    came: list[str] = []
    ends: list[int] = []

    async def hand_on(fetch: Fetch) -> None:
        came.append(fetch.url)

    async def ended() -> None:
        ends.append(len(came))

    crawler = get_crawler()
    shows = Shows(crawler, renderer(LIMITS), LIMITS, {})
    manner = Manner(Guard(), {}, LIMITS.timeout_seconds, Shelf(), lambda: shows)
    errand = Errand(LIMITS, manner, hand_on, lambda origin: (), ended)
    waiting: deque[Request] = deque([request async for request in errand.add(targets, last=True)])
    most = len(waiting)
    while waiting:
        request = waiting.popleft()
        answer = HtmlResponse(request.url, body=b"<p>We sponsor J-1 visas.</p>", request=request)
        assert request.callback is not None
        waiting += await request.callback(answer)
        most = max(most, len(waiting))
    assert sorted(came) == sorted(page.url for page in known)
    assert ends == [pages]
    # Of what has come, the last one is still at hand here.
    assert sum(type(thing) is Page for thing in gc.get_objects()) <= 1
    return most


@pytest.mark.parametrize("pages", [200, 2_000])
def test_requests_are_made_as_answers_come(pages: int) -> None:
    assert asyncio.run(held(pages)) <= 8 * HOSTS
