"""What a crawl has to do, as it is told: bit by bit, host by host, as its pages come.

A plan is larger than all else of a crawl, and most of it waits for the pace of its hosts. So each
host has a few pages ahead of it, and is given others when some of these have come. All hosts
are begun with at once: none waits for another.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from crawler.urls import canonical, host_of
from crawler.values import Fetch, KnownPage, Limits, Plan, Target
from crawler.wire import Work

_LEAST = 4  # pages of a host that are ahead of it, as long as it has others; then it is given ...
_PORTION = 8  # ... so many more
_TOGETHER = 256  # targets in one message, when a crawl begins
_NAME = "plan"


class Agenda(Protocol):
    """The targets of a crawl, wherever they are kept: each is handed out once."""

    limits: Limits

    def searches(self) -> Iterable[Target]:
        """The targets that are looked for, without their pages."""

    def hosts(self) -> list[str]:
        """The hosts that have pages, the one with the most first: it takes longest."""

    def take(self, host: str, most: int) -> tuple[Target, ...]:
        """The next pages of a host, for all that want them; none when there are no others.

        They are as many as asked for, or a few more: all spellings of an address come together.
        """


class Listed(Agenda):
    """The agenda of a plan that is there as a whole."""

    def __init__(self, plan: Plan) -> None:
        self.limits = plan.limits
        self._targets = plan.targets
        pages: dict[str, list[tuple[Target, KnownPage]]] = defaultdict(list)  # by address
        for target in plan.targets:
            for page in target.pages:
                pages[canonical(page.url)].append((target, page))
        by_host: dict[str, deque[list[tuple[Target, KnownPage]]]] = defaultdict(deque)
        for address, wanted in pages.items():
            by_host[host_of(address)].append(wanted)
        self._waiting = by_host

    def searches(self) -> Iterable[Target]:
        """See `Agenda`."""
        return (replace(target, pages=()) for target in self._targets if target.discover)

    def hosts(self) -> list[str]:
        """See `Agenda`."""
        return sorted(self._waiting, key=lambda host: -len(self._waiting[host]))

    def take(self, host: str, most: int) -> tuple[Target, ...]:
        """See `Agenda`."""
        waiting = self._waiting[host]
        found: dict[str, Target] = {}
        count = 0
        while waiting and count < most:
            wanted = waiting.popleft()
            count += len(wanted)
            for target, page in wanted:
                before = found.get(target.key, replace(target, pages=(), discover=False))
                found[target.key] = replace(before, pages=(*before.pages, page))
        return tuple(found.values())


def whole(agenda: Plan | Agenda) -> Plan:
    """All that an agenda hands out, as a plan."""
    if isinstance(agenda, Plan):
        return agenda
    found = {target.key: target for target in agenda.searches()}
    for host in agenda.hosts():
        while taken := agenda.take(host, _TOGETHER):
            for target in taken:
                before = found.get(target.key, replace(target, pages=()))
                found[target.key] = replace(before, pages=before.pages + target.pages)
    return Plan(tuple(found.values()), agenda.limits)


class Feed:
    """Hands an agenda out to a crawl, as work of one errand."""

    def __init__(self, agenda: Agenda) -> None:
        self._agenda = agenda
        self._ahead: dict[str, int] = {}  # by host that has others, pages that have not come

    def begin(self) -> Iterator[Work]:
        """What a crawl begins with: all searches, and the first pages of each host."""
        self._ahead = dict.fromkeys(self._agenda.hosts(), 0)
        targets = list(self._agenda.searches())
        for host in list(self._ahead):
            targets += self._more(host)
            if len(targets) >= _TOGETHER and self._ahead:
                yield Work(_NAME, tuple(targets), last=False)
                targets.clear()
        yield self._work(targets)

    def after(self, fetch: Fetch) -> Work | None:
        """What the crawl is to do beside when this page has come."""
        host = host_of(fetch.url)
        if fetch.discovered or host not in self._ahead:
            return None
        self._ahead[host] -= 1
        targets = self._more(host)
        return self._work(targets) if targets or not self._ahead else None

    def _work(self, targets: list[Target]) -> Work:
        return Work(_NAME, tuple(targets), last=not self._ahead)

    def _more(self, host: str) -> list[Target]:
        """The next targets of a host, if it is time for them."""
        found: list[Target] = []
        while self._ahead[host] <= _LEAST:
            taken = self._agenda.take(host, _PORTION)
            if not taken:
                del self._ahead[host]
                break
            found += taken
            self._ahead[host] += len({page.url for target in taken for page in target.pages})
        return found
