"""The demo's three nights, watched for real once, and served over copies of that database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from serving import NOON, PASSWORD, Serve, Served, serving
from sharing import shared

from crawler import Limits
from monitor import clock
from monitor.cycle import Settings, run
from store import programs
from store import users as table
from store.database import Store
from visawatch.config import MailSettings
from visawatch.demo import NIGHTS, DemoSite
from web import passwords
from web.site import Site, SiteSettings

NEEDED = "BROWSER_NEEDED"  # set in CI: then a browser must be there
expect.set_options(timeout=60_000)  # ms: a busy machine is slow to show a page, and no fault
FIRST_NIGHT = datetime(2026, 11, 22, 2, tzinfo=UTC)


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of three real nights. Not to be written to: `database` is a copy."""
    folder = tmp_path_factory.mktemp("watched")
    path = folder / "visawatch.db"
    with DemoSite() as site, Store(path) as store:
        with store.writing():
            programs.save(store, site.programs)
        for night in NIGHTS:
            site.night = night
            run(
                store,
                Settings(
                    mail=MailSettings(maildir=str(folder / "mail")),
                    limits=Limits(
                        delay_seconds=0, timeout_seconds=5, retries=0, allow_hosts=site.hosts
                    ),
                    confirm_delay_seconds=0,
                ),
                clock=clock.fixed(FIRST_NIGHT + timedelta(days=night - 1)),
                crawl=shared,
            )
    return path


@pytest.fixture
def database(watched: Path, tmp_path: Path) -> Path:
    """A copy of it, to be written to."""
    return Path(shutil.copy(watched, tmp_path / "visawatch.db"))


@pytest.fixture
def users(database: Path) -> Path:
    """The database with two who may log in: ada, an admin, and ben, a reviewer."""
    with Store(database) as store, store.writing():
        for name, role in (("ada", "admin"), ("ben", "reviewer")):
            table.add(store, name, role, _hash(), "2026-11-20T09:00:00Z")
    return database


@cache
def _hash() -> str:
    return passwords.hashed(PASSWORD)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves a database; keywords are those of SiteSettings."""
    with ExitStack() as stack:

        def start(path: Path, now: datetime = NOON, **settings: Any) -> Served:
            site = Site(path, clock.fixed(now), SiteSettings(**settings))
            return stack.enter_context(serving(site))

        yield start


@pytest.fixture(scope="session")
def public(watched: Path) -> Iterator[Served]:
    """The site over the three nights, for tests that only read."""
    with serving(Site(watched, clock.fixed(NOON))) as served:
        yield served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's Chromium. Without one the test is skipped, unless one is asked for."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    if found is None:
        words = "no Chromium on this machine (Debian: apt-get install chromium)"
        if os.environ.get(NEEDED):
            pytest.fail(f"{words}, and {NEEDED} is set")
        pytest.skip(words)
    with sync_playwright() as playwright:
        # Its sandbox needs a user namespace, which containers mostly have not.
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """An empty page of a visitor of its own; what takes longer than 15 s fails."""
    with browser.new_context() as context:
        context.set_default_timeout(15_000)
        yield context.new_page()
