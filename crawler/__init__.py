"""The Scrapy project: which pages to fetch, and how politely. Knows HTTP and pages, not policies.

`crawling(plan)` is the way in; everything else here are the values that go in and come out.
"""

from crawler.errors import CrawlerError, CrawlError
from crawler.process import Crawl, crawling
from crawler.values import Fetch, Health, KnownPage, Limits, Plan, Target

__all__ = [
    "Crawl",
    "CrawlError",
    "CrawlerError",
    "Fetch",
    "Health",
    "KnownPage",
    "Limits",
    "Plan",
    "Target",
    "crawling",
]
