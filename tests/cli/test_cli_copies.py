"""`visawatch backup` and `restore`, while a cycle is under way and after."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback import Site, Visit
from processes import running
from shell import PATIENCE, Shell

from store.schema import names

PAGE = "<title>Visas</title><h1>Visas</h1><p>We sponsor J-1 visas only.</p>"
NOW = "2026-11-25T02:00:00Z"
OPENS = """
    import sys
    from store.reading import Readers
    with Readers(sys.argv[1]).reading() as store:
        print("open", flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def crawling(shell: Shell, web: Site) -> Iterator[subprocess.Popen[str]]:
    """A cycle that has seen one of two pages, and waits for the other."""
    answer = threading.Event()

    def late(visit: Visit) -> None:
        answer.wait(PATIENCE)
        visit.send(PAGE.encode())

    web.page("/quick", PAGE)
    web.route("/slow", late)
    shell.watch({"quick": web.url("/quick")})
    shell.crawl(web.host)
    shell.watch({"quick": web.url("/quick"), "slow": web.url("/slow")})
    shell.settings = {"crawl": {"timeout_seconds": PATIENCE}}
    command = shell.command("crawl", "--json", "--allow-host", web.host)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=shell.environment(), cwd=shell.folder
    ) as crawl:
        web.wait_for("/slow")
        yield crawl
        answer.set()
        assert crawl.wait(PATIENCE) == 0


def test_a_copy_made_in_a_cycle_can_be_gone_on_with(
    shell: Shell, web: Site, crawling: subprocess.Popen[str]
) -> None:
    file = shell.folder / "copy.db"
    (made,) = shell("backup", "--json", str(file)).json
    assert list(made) == ["path", "bytes", "schema", "last_cycle", "rows"]
    assert made["schema"] == names()[-1]
    assert (made["rows"]["programs"], made["rows"]["cycles"]) == (2, 2)
    assert made["last_cycle"] is not None

    said = shell("restore", "--force", str(file), status=1).err
    assert f"process {crawling.pid} on " in said
    assert "Stop `visawatch serve`" in said

    other = shell.folder / "other"
    other.mkdir()
    copy = Shell(other)
    assert "every check passed" in copy("restore", str(file)).out
    web.page("/slow", PAGE)
    assert copy.crawl(web.host)["cycle"] == 2
    assert [p["category"] for p in copy.policies().values()] == ["j1_only"] * 2


def test_nothing_is_overwritten_without_force(shell: Shell, web: Site) -> None:
    file = shell.folder / "copy.db"
    shell.watch({"larkspur": web.url("/visas")})
    shell("backup", str(file))
    shell("programs", "remove", "larkspur")
    for command in ("backup", "restore"):
        assert "--force" in shell(command, str(file), status=1).err
    shell.options = ["--now", NOW]
    said = shell("restore", "--force", "--json", str(file))
    assert said.json[0]["aside"] == str(shell.db) + ".before-2026-11-25T020000Z"
    assert "is visawatch.db.before" not in said.err
    assert "The database that was there is " in said.err
    assert shell("programs", "list", "--json").json[0]["program_id"] == "larkspur"
    shell.options = ["--db", said.json[0]["aside"]]
    assert shell("programs", "list", "--json").out == ""


def test_a_web_server_that_only_reads_is_in_the_way_too(shell: Shell, web: Site) -> None:
    file = shell.folder / "copy.db"
    shell.watch({"larkspur": web.url("/visas")})
    shell("backup", str(file))
    with running(OPENS, str(shell.db)) as reader:
        assert f"process {reader.pid} (" in shell("restore", "--force", str(file), status=1).err


def test_copies_in_a_folder_are_named_by_their_time(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    shell("programs", "list")
    for day in (23, 24, 25):
        shell.options = ["--now", f"2026-11-{day}T02:00:00Z"]
        shell("backup", "--keep", "2", str(folder))
    assert sorted(file.name for file in folder.iterdir()) == [
        "visawatch-2026-11-24T020000Z.db",
        "visawatch-2026-11-25T020000Z.db",
    ]
    assert "make it first" in shell("backup", "--keep", "2", "nowhere", status=2).err


def test_without_a_database_or_a_backup_nothing_is_made(shell: Shell) -> None:
    assert "there is no such file" in shell("backup", "copy.db", status=1).err
    assert "there is no such file" in shell("restore", "copy.db", status=1).err
    assert not shell.db.exists()
