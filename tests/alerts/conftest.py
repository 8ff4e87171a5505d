from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
from alerts_bench import PAGE, PROGRAMS, Bench
from mailserver import MailServer, serving

from store import programs
from store.database import Store


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A store with three programs."""
    with Store(tmp_path / "visawatch.db") as store:
        with store.writing():
            programs.save(store, [replace(p, website_url=PAGE) for p in PROGRAMS])
        yield Bench(store)


@pytest.fixture
def server() -> Iterator[MailServer]:
    """A mail server without TLS."""
    with serving(MailServer()) as server:
        yield server


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """An authority that no machine trusts."""
    return trustme.CA()
