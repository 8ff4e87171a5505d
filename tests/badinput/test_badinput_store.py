"""A cycle whose database fails it: it says so, and what it has seen is not lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

import pytest
from loopback import Site, Visit
from processes import let_go, powerless, start
from shell import Shell

from store.database import Store

PAGE = b"<title>Visas</title><h1>Visas</h1><p>We sponsor J-1 visas only.</p>"
PATHS = ("/first", "/second", "/third")
HOLD = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def site(web: Site) -> Site:
    for path in PATHS:
        web.page(path, PAGE)
    return web


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands wait for a lock as long as ever, only in less time."""
    patience = Store.__init__.__kwdefaults__
    assert patience is not None
    monkeypatch.setitem(patience, "busy_seconds", 0.1)


@pytest.fixture
def shell(public: Path, site: Site) -> Shell:
    """Programs whose pages are all good."""
    shell = Shell(public)
    shell.watch({path.strip("/"): site.url(path) for path in PATHS})
    return shell


@pytest.fixture
def holder(shell: Shell) -> Iterator[list[Popen[str]]]:
    """Processes that hold the database; they have let go at the end."""
    holders: list[Popen[str]] = []
    yield holders
    for process in holders:
        process.kill()
        process.communicate()


def crawl(shell: Shell, site: Site, *, status: int) -> str:
    return shell("crawl", "--json", "--allow-host", site.host, status=status).err


def categories(shell: Shell) -> list[str]:
    return [policy["category"] for policy in shell.policies().values()]


@pytest.mark.usefixtures("impatient")
def test_a_database_that_is_locked_during_the_crawl(
    shell: Shell, site: Site, holder: list[Popen[str]]
) -> None:
    def lock_and_answer(visit: Visit) -> None:
        holder.append(start(HOLD, str(shell.db)))
        visit.send(PAGE)

    site.route("/second", lock_and_answer)
    said = crawl(shell, site, status=1)
    assert "another process holds the database" in said
    assert str(shell.db) in said

    assert let_go(holder.pop()) == 0
    site.page("/second", PAGE)
    assert shell.crawl(site.host)["cycle"] == 1  # the same one, gone on with
    assert categories(shell) == ["j1_only"] * len(PATHS)


@pytest.mark.usefixtures("impatient")
def test_a_database_that_is_locked_before_the_crawl(
    shell: Shell, site: Site, holder: list[Popen[str]]
) -> None:
    holder.append(start(HOLD, str(shell.db)))
    assert "another process holds the database" in crawl(shell, site, status=1)
    assert site.paths() == []
    assert categories(shell) == ["unstated"] * len(PATHS)  # reading goes on


def test_a_database_that_may_not_be_written(shell: Shell, site: Site) -> None:
    shell.db.chmod(0o444)
    with powerless():
        said = crawl(shell, site, status=1)
        assert "Give this user write access" in said
        assert categories(shell) == ["unstated"] * len(PATHS)
    assert site.paths() == []


def test_a_database_of_a_later_version(shell: Shell, site: Site) -> None:
    with sqlite3.connect(shell.db) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('visawatch', 'm999_later', '2031-01-01')"
        )
    connection.close()
    before = shell.db.read_bytes()
    for command in ("crawl", "policies", "changes"):
        said = shell(command, "--json", status=1)
        assert "m999_later" in said.err
        assert "nothing was changed" in said.err
        assert said.out == ""
    assert shell.db.read_bytes() == before
    assert site.paths() == []


def test_a_database_that_is_none(shell: Shell, site: Site) -> None:
    shell.db.write_bytes(b"program_id,institution\n" * 100)
    assert "not a SQLite database" in crawl(shell, site, status=1)
    assert site.paths() == []
