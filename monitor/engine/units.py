"""A plan by hosts: what is asked of one host is one unit of work, and one worker's."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from crawler import KnownPage, Plan, Target
from crawler.urls import host_of
from monitor.engine.wire import Unit


def units(plan: Plan) -> list[Unit]:
    """The plan's units, the longest first: so a night takes as long as its slowest host.

    A target with pages on several hosts is in several units, and is searched for in one.
    """
    by_host: dict[str, list[Target]] = defaultdict(list)
    for target in plan.targets:
        pages: dict[str, list[KnownPage]] = defaultdict(list)
        for page in target.pages:
            pages[host_of(page.url)].append(page)
        home = host_of(target.site_urls[0]) if target.discover and target.site_urls else None
        if home is not None:
            pages.setdefault(home, [])
        for host, known in pages.items():
            if home is not None and host != home:
                known = [_not_searched_for(page) for page in known]
            found = Target(target.key, target.site_urls, tuple(known), discover=host == home)
            by_host[host].append(found)
    found_units = [Unit(host, tuple(targets)) for host, targets in by_host.items()]
    return sorted(found_units, key=lambda unit: -len(unit.urls))


def left_of(unit: Unit, seen: set[str]) -> Unit:
    """What is left of a unit when these pages have come."""
    left = (
        Target(t.key, t.site_urls, tuple(p for p in t.pages if p.url not in seen), t.discover)
        for t in unit.targets
    )
    return Unit(unit.host, tuple(t for t in left if t.pages or t.discover))


def _not_searched_for(page: KnownPage) -> KnownPage:
    return replace(page, search_when_gone=False)
