"""The Scrapy project: which pages to fetch, and how politely. Knows HTTP and pages, not policies.

`crawling(plan)` is the way in, `standing_by()` a head start for it; everything else here are
the values that go in and come out.
"""

from crawler.errors import CrawlerError, CrawlError
from crawler.process import Crawl, Standby, crawling, standing_by
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
    "Standby",
    "Target",
    "crawling",
    "standing_by",
]
