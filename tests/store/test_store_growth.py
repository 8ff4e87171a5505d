"""What an unchanged night adds to the database, over real cycles."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from loopback import Site, Visit
from sharing import shared

from crawler import Limits
from monitor import clock
from monitor.cycle import Settings, Summary, run
from store import programs
from store.database import Store
from store.records import Program
from visawatch.config import MailSettings

PAGES = 240
NIGHTS = 4
AFFORDED = 200  # bytes a page and night: 10,000 pages for a year are 730 MB
FIRST = datetime(2026, 11, 1, 2, tzinfo=UTC)


def page(number: int) -> bytes:
    return f"<title>{number}</title><h1>Visas</h1><p>We sponsor J-1 visas. {number}</p>".encode()


def answer(visit: Visit) -> None:
    """Half of the pages know conditional requests, half send the same bytes again."""
    number = int(visit.path.rpartition("/")[2])
    tag = f'"{number}"'
    if number % 2 and visit.headers.get("If-None-Match") == tag:
        visit.send(status=304, headers={"ETag": tag})
    else:
        visit.send(page(number), headers={"ETag": tag} if number % 2 else {})


def size(store: Store) -> int:
    """Bytes of the database, with nothing left in its write-ahead log."""
    busy, _, _ = store.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0]
    assert not busy
    return sum(file.stat().st_size for file in store.path.parent.glob(f"{store.path.name}*"))


def night(store: Store, site: Site, number: int) -> Summary:
    settings = Settings(
        mail=MailSettings(maildir=str(store.path.parent / "mail")),
        limits=Limits(delay_seconds=0, per_host=8, allow_hosts=(site.host,)),
    )
    summary, _ = run(
        store, settings, clock=clock.fixed(FIRST + timedelta(days=number)), crawl=shared
    )
    return summary


def test_an_unchanged_night_adds_little(tmp_path: Path, web: Site) -> None:
    for number in range(PAGES):
        web.route(f"/{number}", answer)
    watched = [
        Program(f"p{n}", f"Hospital {n}", "Neurology", eligibility_url=web.url(f"/{n}"))
        for n in range(PAGES)
    ]
    with Store(tmp_path / "visawatch.db") as store:
        with store.writing():
            programs.save(store, watched)
        assert night(store, web, 0).fetched == PAGES
        before = size(store)
        for number in range(1, NIGHTS + 1):
            summary = night(store, web, number)
            assert (summary.fetched, summary.not_modified) == (PAGES, PAGES // 2)
            assert (summary.failed, summary.changes) == (0, 0)
        added = (size(store) - before) / PAGES / NIGHTS
    print(f"{added:.0f} bytes a page and unchanged night")
    assert 0 < added < AFFORDED
