"""The feeds on the web are those of `visawatch export`."""

from __future__ import annotations

from pathlib import Path

import feedparser
from serving import NOON, Serve, Served

from monitor.feeds import feed, feeds, rendered
from monitor.review import decide
from store.database import Store


def test_each_feed_is_as_it_is_exported(watched: Path, public: Served) -> None:
    with Store(watched) as store:
        made = {one.path: rendered(one) for one in feeds(store)}
    for path, document in made.items():
        answer = public.get(f"/feeds/{path}")
        assert answer.content == document
        assert answer.headers["content-type"] == "application/atom+xml"
    assert len(feedparser.parse(made["all.atom"]).entries) == 4


def test_a_reader_that_has_it_is_told_so_until_something_changes(
    database: Path, serve: Serve
) -> None:
    served = serve(database)
    first = served.get("/feeds/all.atom")
    known = {"If-None-Match": first.headers["etag"]}
    assert served.get("/feeds/all.atom", 304, headers=known).content == b""
    assert served.get("/feeds/program/lantern-hill-surgery.atom", headers=known).content
    with Store(database) as store:
        decide(store, 1, "accepted", by="ada", now=NOON)
    assert served.get("/feeds/all.atom", headers=known).content != first.content


def test_pages_lead_to_their_feeds(public: Served) -> None:
    for path in ("/programs/lantern-hill-surgery", "/institutions/1", "/changes", "/subscribe"):
        links = [a.get("href") for a in public.page(path).cssselect('main a[href*="/feeds/"]')]
        assert links
        for link in links:
            public.get(link)


def test_no_such_feed(watched: Path, public: Served) -> None:
    for path in (
        "x.atom",
        "program/%2E%2E/all.atom",
        "program/nobody.atom",
        "institution/.atom",
        "",
    ):
        public.get(f"/feeds/{path}", 404)
    with Store(watched) as store:
        assert feed(store, "program/x.atom") is None
