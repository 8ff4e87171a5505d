"""Short ways to crawl in tests."""

from __future__ import annotations

from dataclasses import replace

from loopback import Site
from sharing import shared

from crawler import Fetch, KnownPage, Limits, Plan, Target

QUICK = Limits(delay_seconds=0.0, per_host=8, timeout_seconds=5.0, retries=0)


def limits(*sites: Site, **changes: object) -> Limits:
    """Return limits that allow some sites, without a delay."""
    allowed = tuple(site.host for site in sites)
    return replace(QUICK, **{"allow_hosts": allowed, **changes})


def crawl(plan: Plan) -> list[Fetch]:
    """Return all that a crawl yields."""
    with shared(plan) as pages:
        return list(pages)


def fetch(limits: Limits, *pages: str | KnownPage) -> dict[str, Fetch]:
    """Return what became of some pages, by their URL; each must come exactly once."""
    known = tuple(KnownPage(page) if isinstance(page, str) else page for page in pages)
    found = crawl(Plan((Target("program", pages=known),), limits))
    asked = [page for page in found if not page.discovered]
    assert sorted(page.url for page in asked) == sorted({page.url for page in known})
    return {page.url: page for page in asked}
