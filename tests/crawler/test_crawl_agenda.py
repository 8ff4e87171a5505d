"""How a plan is handed out to a crawl: bit by bit, no host without work, each page once."""

from __future__ import annotations

from collections import Counter, deque

import pytest

from crawler import Fetch, Health, KnownPage, Plan, Target, whole
from crawler.agenda import Feed, Listed
from crawler.urls import host_of


def plan(*sizes: int) -> Plan:
    """A plan with hosts of so many pages, a target for each page."""
    known = [
        KnownPage(f"https://gme{host}.example.edu/{number}")
        for host, size in enumerate(sizes)
        for number in range(size)
    ]
    return Plan(tuple(Target(f"program:{n}", pages=(page,)) for n, page in enumerate(known)))


def urls(targets: tuple[Target, ...]) -> list[str]:
    return [page.url for target in targets for page in target.pages]


@pytest.mark.parametrize("pages", [200, 2_000])
def test_what_a_crawl_holds_does_not_grow_with_its_plan(pages: int) -> None:
    feed = Feed(Listed(plan(pages, pages // 2, 3)))
    waiting: deque[str] = deque()
    ahead: Counter[str] = Counter()
    given: list[str] = []
    lasts = []
    for work in feed.begin():
        lasts.append(work.last)
        waiting += urls(work.targets)
        given += urls(work.targets)
    while waiting:
        ahead = Counter(map(host_of, waiting))
        assert max(ahead.values()) <= 12
        if not lasts[-1]:
            assert ahead["gme0.example.edu"] > 4
        url = waiting.popleft()
        if work := feed.after(Fetch((), url, url, Health.OK)):
            lasts.append(work.last)
            waiting += urls(work.targets)
            given += urls(work.targets)
    assert sorted(given) == sorted(urls(plan(pages, pages // 2, 3).targets))
    assert lasts == [False] * (len(lasts) - 1) + [True]


def test_the_largest_host_is_begun_with() -> None:
    (work, *_) = Feed(Listed(plan(2, 40, 7))).begin()
    hosts = list(dict.fromkeys(map(host_of, urls(work.targets))))
    assert hosts == ["gme1.example.edu", "gme2.example.edu", "gme0.example.edu"]


def test_what_is_small_is_given_at_once() -> None:
    (work,) = Feed(Listed(plan(3, 4))).begin()
    assert (len(work.targets), work.last) == (7, True)
    (nothing,) = Feed(Listed(Plan(()))).begin()
    assert (nothing.targets, nothing.last) == ((), True)


def test_all_spellings_of_an_address_come_together() -> None:
    others = plan(40).targets
    twice = [f"https://gme0.example.edu/0{tail}" for tail in ("?utm_source=mail", "#top")]
    late = tuple(Target(url, pages=(KnownPage(url),)) for url in twice)
    agenda = Listed(Plan((*others, *late)))
    assert urls(agenda.take("gme0.example.edu", 1)) == [others[0].pages[0].url, *twice]


def test_a_plan_is_the_same_in_the_end() -> None:
    pages = tuple(KnownPage(f"https://gme{n}.example.edu/im") for n in range(3))
    targets = (
        Target("im", ("https://gme0.example.edu/",), pages, discover=True),
        Target("surgery", ("https://gme1.example.edu/",), pages[1:]),
        Target("family", ("https://gme2.example.edu/",), discover=True),
    )
    found = {target.key: target for target in whole(Listed(Plan(targets))).targets}
    assert found.keys() == {target.key for target in targets}
    for target in targets:
        assert set(found[target.key].pages) == set(target.pages)
        assert found[target.key].site_urls == target.site_urls
        assert found[target.key].discover == target.discover
