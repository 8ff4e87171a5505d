"""`visawatch export`: files that are whole, ours, and left alone when they are the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import feedparser
import pytest
from click import ClickException
from shell import Shell

from visawatch import tree

ROWS = (
    "larkspur,Larkspur Hospital,Neurology,http://l.example/",
    "sorrel,Sorrel Clinic,Surgery,http://s.example/",
)


@pytest.fixture
def shell(shell: Shell) -> Shell:
    shell.load(ROWS)
    return shell


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_same_twice_and_what_is_gone_is_removed(shell: Shell) -> None:
    folder = shell.folder / "public"
    said = shell("export", str(folder))
    assert said.out == (
        f"5 feeds in {folder / 'feeds'}: 5 written, 0 removed\n"
        f"17 files of data in {folder / 'data'}: 17 written, 0 removed\n"
    )
    assert "web.base_url is empty" in said.err
    mine = folder / "feeds" / "program" / "mine.atom"
    mine.write_text("not yours")
    before = files(folder)
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.atom")}
    assert shell("export", str(folder)).out.count("0 written, 0 removed") == 2
    assert files(folder) == before
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.atom")} == times
    shell("programs", "remove", "sorrel")
    assert "0 written, 2 removed" in shell("export", str(folder)).out
    left = {name for name in files(folder) if name.endswith(".atom")}
    assert len(left) == 4
    assert "feeds/program/mine.atom" in left
    assert "feeds/program/sorrel.atom" not in left


def test_json_lists_the_feeds(shell: Shell) -> None:
    shell.settings = {"web": {"base_url": "https://visas.example/"}}
    lines = shell("export", str(shell.folder / "public"), "--json").json
    assert lines[0] == {
        "path": "feeds/all.atom",
        "title": "Visa policies: all changes",
        "url": "https://visas.example/feeds/all.atom",
        "entries": 0,
        "updated": "2000-01-01T00:00:00Z",
    }
    for line in (line for line in lines if line["path"].startswith("feeds/")):
        assert not feedparser.parse(str(shell.folder / "public" / line["path"])).bozo


def test_a_file_in_the_way_is_named_and_kept(shell: Shell) -> None:
    mine = shell.folder / "public" / "feeds" / "all.atom"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert f"{mine} is there" in shell("export", str(shell.folder / "public"), status=1).err
    assert files(shell.folder / "public") == {"feeds/all.atom": b"mine"}


def test_a_folder_that_cannot_be_made_is_named(shell: Shell) -> None:
    (shell.folder / "file").touch()
    assert "file" in shell("export", str(shell.folder / "file"), status=2).err


@pytest.mark.parametrize(
    "listed", ["not json", "{}", '["../outside", "/etc/passwd", "", 7]', "[[]]"]
)
def test_a_damaged_list_removes_nothing(tmp_path: Path, listed: str) -> None:
    (tmp_path / "outside").write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / tree.LIST).write_text(listed)
    tree.replace_all(folder, {"a.atom": b"1"})
    assert (tmp_path / "outside").read_text() == "mine"
    assert (folder / "a.atom").read_bytes() == b"1"
    (folder / tree.LIST).unlink()
    with pytest.raises(ClickException, match=r"a\.atom is there"):
        tree.replace_all(folder, {"a.atom": b"2"})


WRITE = """
import sys
from pathlib import Path
from visawatch import tree
print("ready", flush=True)
for n in range(1000000):
    names = [f"{k}/{i}.atom" for k in "ab" for i in range(n % 7, n % 7 + 5)]
    tree.replace_all(Path(sys.argv[1]), {name: b"%d" % n * 20000 for name in names})
"""


def test_a_killed_export_leaves_whole_files_and_is_tidied_up(shell: Shell) -> None:
    folder, chance = shell.folder / "public", random.Random(4)
    for _ in range(6):
        with subprocess.Popen(
            ["python", "-c", WRITE, str(folder)],
            executable=shell.command()[0],
            stdout=subprocess.PIPE,
            env=shell.environment(),
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.1))  # the instant is what is being tried
            os.kill(process.pid, signal.SIGKILL)
        for name, data in files(folder).items():
            if name.endswith(".atom"):
                assert data == data[: len(data) // 20000] * 20000
                assert data
    tree.replace_all(folder, {"c/last.atom": b"1"})
    assert set(files(folder)) == {"c/last.atom", tree.LIST}
    assert {path.name for path in folder.iterdir()} == {"c", tree.LIST}
