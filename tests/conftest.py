"""Fixtures and helpers that several folders share.

The servers of tests/crawler (loopback.py), tests/alerts (mailserver.py) and tests/engine
(redisserver.py), the command line of tests/cli (shell.py) and the processes of tests/store
(processes.py) can be imported from every folder.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

for _folder in ("alerts", "crawler", "cli", "engine", "hostile", "sources", "store", "web"):
    _path = str(Path(__file__).parent / _folder)
    if _path not in sys.path:
        sys.path.append(_path)

from loopback import Site  # noqa: E402
from mailserver import MailServer, serving  # noqa: E402
from shell import Shell  # noqa: E402

from store.database import Store  # noqa: E402

# On a busy machine an example takes as long as it takes; a test that hangs has its own limit.
settings.register_profile("visawatch", deadline=None)
settings.load_profile("visawatch")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A new database."""
    with Store(tmp_path / "visawatch.db") as store:
        yield store


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder whose parents everybody may enter."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)
        Path(name).chmod(0o777)


@pytest.fixture
def web() -> Iterator[Site]:
    """A web site without pages, on loopback."""
    with Site() as site:
        yield site


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server that takes everything."""
    with serving(MailServer()) as server:
        yield server


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """The command line, over a database and a settings file of its own."""
    return Shell(tmp_path)
