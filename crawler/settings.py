"""Scrapy's settings for this project: every default that matters to a site is set here.

Scrapy's own are made for general crawling and wrong for us: robots.txt ignored, no delay,
bodies up to 1 GiB, 180 seconds, certificates not checked. `crawling()` overrides what its
`Limits` say; `scrapy crawl pages -a url=...` runs with what stands here.
"""

from __future__ import annotations

from typing import Any

from crawler.values import Limits

_defaults = Limits()

BOT_NAME = "VisaWatch"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"

# Politeness. Hosts go side by side, up to CONCURRENT_REQUESTS; each host gets one request at a
# time and a pause between two. The frontier keeps that; the downloader's slots keep it again.
USER_AGENT = "VisaWatch/0.1"
ROBOTSTXT_USER_AGENT = "VisaWatch"
CONCURRENT_REQUESTS = 128
CONCURRENT_REQUESTS_PER_DOMAIN = _defaults.per_host
DOWNLOAD_DELAY = _defaults.delay_seconds
DOWNLOAD_DELAY_JITTER = 0.0  # the delay is a promise, not an average
RETRY_TIMES = _defaults.retries
RETRY_AFTER_SECONDS = _defaults.retry_after_seconds
COOKIES_ENABLED = False  # every request is a first visit: nobody is tracked, nothing is shared
REFERER_ENABLED = False

# Safety. Sizes and times are bounded, and the resolver hands on public addresses only.
ALLOW_HOSTS: list[str] = []
DOWNLOAD_TIMEOUT = _defaults.timeout_seconds
DOWNLOAD_MAXSIZE = _defaults.max_bytes
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_FAIL_ON_DATALOSS = True  # a body that broke off is no evidence
DOWNLOAD_VERIFY_CERTIFICATES = True  # Scrapy's default accepts any: quotes could be forged
URLLENGTH_LIMIT = 2083
TWISTED_DNS_RESOLVER = "crawler.resolver.GuardedResolver"
DNSCACHE_ENABLED = True
DNSCACHE_SIZE = 50_000
REACTOR_THREADPOOL_MAXSIZE = 64  # DNS look-ups: a few dead names must not hold up the others

# Speed. 700 pages/s instead of 470: the faster event loop, and only the components we need.
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
ASYNCIO_EVENT_LOOP = "uvloop.Loop"
SCHEDULER = "crawler.frontier.Frontier"
DOWNLOADER = "crawler.frontier.HostDownloader"
DOWNLOAD_HANDLERS = {
    "http": "crawler.heads.BoundedHandler",
    "https": "crawler.heads.BoundedHandler",
    "data": None,
    "file": None,
    "ftp": None,
    "s3": None,
}
DOWNLOADER_MIDDLEWARES_BASE: dict[str, int] = {}
DOWNLOADER_MIDDLEWARES = {
    "crawler.middlewares.guard.GuardMiddleware": 100,
    "crawler.middlewares.robots.RobotsMiddleware": 200,
    "crawler.middlewares.retry.RetryMiddleware": 300,
    "crawler.middlewares.redirect.RedirectMiddleware": 400,
    "crawler.middlewares.compression.CompressionMiddleware": 500,
}
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}
EXTENSIONS_BASE: dict[str, int] = {}  # no telnet console, no remote control, no memory monitor
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
STATS_CLASS = "scrapy.statscollectors.DummyStatsCollector"
LOG_FORMATTER = "crawler.logs.QuietLogFormatter"
LOG_LEVEL = "INFO"
LOG_VERSIONS: list[str] = []  # looking them up takes a tenth of the start-up
WARN_ON_GENERATOR_RETURN_VALUE = False
CONCURRENT_ITEMS = 1  # Scrapy starts as many tasks for each page, even for one without items
SCRAPER_SLOT_MAX_ACTIVE_SIZE = 500_000  # bytes of pages waiting for the parent


def user_agent(contact: str) -> str:
    """Return how we introduce ourselves: `VisaWatch/0.1 (+contact)`.

    >>> user_agent("mailto:watch@example.org")
    'VisaWatch/0.1 (+mailto:watch@example.org)'
    """
    contact = "".join(char for char in contact.strip() if " " <= char <= "~")
    return f"{USER_AGENT} (+{contact})" if contact else USER_AGENT


def for_limits(limits: Limits) -> dict[str, Any]:
    """Return the settings that a plan's limits decide."""
    return {
        "LOG_INSTALL_ROOT_HANDLER": False,  # the child has its own
        "USER_AGENT": user_agent(limits.contact),
        "CONCURRENT_REQUESTS_PER_DOMAIN": limits.per_host,
        "DOWNLOAD_DELAY": limits.delay_seconds,
        "RETRY_TIMES": limits.retries,
        "RETRY_AFTER_SECONDS": limits.retry_after_seconds,
        "DOWNLOAD_TIMEOUT": limits.timeout_seconds,
        "DOWNLOAD_MAXSIZE": limits.max_bytes,
        "ALLOW_HOSTS": list(limits.allow_hosts),
    }
