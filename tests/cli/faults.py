"""Faults that are planted for real: in a database's file, on its disk, in the program's files."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from processes import ROOT

PACKAGES = ("crawler", "extractors", "monitor", "shortlist", "sources", "store", "visawatch", "web")


def spoil_page(path: Path) -> None:
    """Overwrites a page of the tree of a table, as a failing disk does."""
    with closing(sqlite3.connect(path)) as connection:
        ((root,),) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name='programs'")
        ((size,),) = connection.execute("PRAGMA page_size")
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xa5" * size)


def spoil_snapshot(path: Path) -> None:
    """Changes one bit of a stored page: SQLite sees nothing wrong."""
    with closing(sqlite3.connect(path)) as connection:
        ((body,), *_) = connection.execute("SELECT body FROM snapshots")
    content = path.read_bytes()
    place = content.index(body[:50]) + 30
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])


def orphan(path: Path) -> None:
    """Takes a row away that others name."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM institutions")


def truncate(path: Path) -> None:
    """Cuts the end off, as a copy that was broken off has it."""
    os.truncate(path, path.stat().st_size - 5000)


def make_newer(path: Path) -> None:
    """As a later version leaves it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('visawatch', 'm999_later', '2031-01-01')"
        )


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A small disk of its own at `folder`; skips the test where one may not be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Writes until the disk is full."""
    with (folder / "filling").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def program_without(folder: Path, *lost: str) -> dict[str, str]:
    """The program in a place of its own without some of its files: the environment to run it in."""
    folder.mkdir()
    for package in PACKAGES:
        _linked(ROOT / package, folder / package, {ROOT / name for name in lost})
    return {"PYTHONPATH": str(folder)}


def _linked(source: Path, target: Path, lost: set[Path]) -> None:
    if not any(source in path.parents for path in lost):
        target.symlink_to(source)
        return
    target.mkdir()
    for path in source.iterdir():
        if path not in lost and path.name != "__pycache__":
            _linked(path, target / path.name, lost)
