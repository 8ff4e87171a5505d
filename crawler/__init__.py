"""The Scrapy project: which pages to fetch, and how politely. Knows HTTP and pages, not policies.

`crawling(plan)` is the way in, `standing_by()` a head start for it; `errands()` is the same for
one of several machines. Everything else here are the values that go in and come out.
"""

from crawler.agenda import Agenda, whole
from crawler.errors import CrawlerError, CrawlError
from crawler.process import Crawl, Errands, Standby, crawling, errands, standing_by
from crawler.values import Fetch, Health, KnownPage, Limits, Plan, RenderLimits, Target

__all__ = [
    "Agenda",
    "Crawl",
    "CrawlError",
    "CrawlerError",
    "Errands",
    "Fetch",
    "Health",
    "KnownPage",
    "Limits",
    "Plan",
    "RenderLimits",
    "Standby",
    "Target",
    "crawling",
    "errands",
    "standing_by",
    "whole",
]
