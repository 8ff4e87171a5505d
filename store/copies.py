"""Copies of a database: made while it is used, proved, and put into its place again.

A copy is one file (no log beside it), is there whole or not at all, and nobody but its owner may
read it: it holds the addresses of subscribers and the hashes of passwords.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from pathlib import Path

from store import cycles, leases, locks, outbox, proof, users
from store.database import Store
from store.errors import StoreDamaged, StoreError, StoreExists, StoreLocked, explained
from store.records import Cycle

_BESIDE = ("-wal", "-shm", "-journal")  # what SQLite puts beside a database
_PATTERN = "visawatch-*Z.db"  # of the copies in a folder


@dataclass(frozen=True, slots=True)
class Copy:
    """What is in a copy that was proved."""

    path: Path
    bytes: int
    schema: str  # the last migration that it has had
    rows: Mapping[str, int]  # by table
    last: Cycle | None  # the last finished cycle


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place, and what it replaced."""

    copy: Copy
    aside: Path | None  # where the database is that was there before
    unconfirmed: int  # mails that were waiting in the copy, and may have been sent since


def name_of(now: datetime) -> str:
    """What a copy in a folder of copies is called: they sort by age.

    >>> from datetime import UTC
    >>> name_of(datetime(2026, 11, 25, 2, tzinfo=UTC))
    'visawatch-2026-11-25T020000Z.db'
    """
    return f"visawatch-{now:%Y-%m-%dT%H%M%SZ}.db"


def backup(path: Path, file: Path, *, replace: bool = False) -> Copy:
    """Copies the database at `path` into `file` as it is at one moment, and proves the copy.

    Cycles go on meanwhile. Raises StoreExists unless `replace`, StoreDamaged when the copy (and so
    the database) is damaged, other StoreErrors, and OSError; `file` is then as it was before.
    """
    _not_the_same(path, file)
    with _part(file) as part:
        if file.exists() and not replace:
            raise StoreExists(
                f"{file}: is there already; name another file, or replace it by --force"
            )
        made = _copied(path, part, file)
        _settle(part)
        part.replace(file)
        _settle(file.parent)
    return made


def forget(folder: Path, keep: int) -> list[Path]:
    """Deletes the oldest of the copies in a folder that `name_of` has named; gives their paths."""
    old = sorted(folder.glob(_PATTERN), reverse=True)[keep:]
    for file in old:
        file.unlink()
    return old


def restore(file: Path, path: Path, now: datetime, *, replace: bool = False) -> Restored:
    """Puts a proved copy of `file` in the place of the database at `path`.

    `file` stays as it is. The copy is brought to this version's tables first. Who was signed in has
    to sign in again; mail that waits in it may have been sent since, so it is unconfirmed. What was
    at `path` is put beside it; that needs `replace`.

    Raises StoreExists when it is there and `replace` is false, StoreLocked while another process
    has it open, StoreDamaged, StoreNewer, other StoreErrors, and OSError. What is at `path` is
    then as it was before; at no moment is nothing there, or half of it.
    """
    path = path.resolve()  # of a link, what it points to
    _not_the_same(path, file)
    with _part(path) as part:
        if path.exists() and not replace:
            raise StoreExists(
                f"{path}: there is a database already. With --force it is put aside, beside it; "
                "or name another place with --db. Nothing was changed."
            )
        aside = _free(path.with_name(f"{path.name}.before-{now:%Y-%m-%dT%H%M%SZ}"))
        _copied(file, part, file)
        unconfirmed = _made_ready(part, now)
        with closing(_connected(part, "ro")) as connection:
            made = _contents(part, path, connection)
        _settle(part)
        replaced = _replace(part, path, aside, now)
    return Restored(made, aside if replaced else None, unconfirmed)


def _copied(path: Path, part: Path, name: Path) -> Copy:
    """Copies a database into one file, and proves it: whole, ours, and with as many rows."""
    if not path.is_file():
        raise StoreDamaged(f"{path}: there is no such file")
    if lost := proof.cut(path):
        raise StoreDamaged(f"{path}: truncated: it has {lost[0]} of its {lost[1]} bytes")
    with explained(path), closing(_connected(path, "ro")) as source:
        source.execute("BEGIN")  # the rows that are counted are those that are copied
        expected = proof.counts(source)
        with explained(part), closing(_connected(part, "rw")) as target:
            source.backup(target)
            target.execute("PRAGMA journal_mode = delete")
            made = _contents(part, name, target)
    if made.rows != expected:
        raise StoreDamaged(f"{name}: the copy of {path} has other rows than it")
    with closing(Store(part, read_only=True)) as store:
        try:
            proof.prove(store)
        except StoreError as error:  # which names the copy, that will be gone
            raise type(error)(str(error).replace(str(part), str(path))) from error
    return made


def _contents(part: Path, name: Path, connection: sqlite3.Connection) -> Copy:
    with explained(part), closing(Store(part, read_only=True)) as store:
        rows = proof.counts(connection)
        last = cycles.last_finished(store) if "cycles" in rows else None
        return Copy(name, part.stat().st_size, proof.version(store).last, rows, last)


def _made_ready(part: Path, now: datetime) -> int:
    """Upgrades a copy, and ends what was going on in it; gives how many mails waited."""
    with Store(part) as store:
        with store.writing():
            users.sign_all_out(store)
            leases.clear(store)
            unconfirmed = outbox.doubt_all(store, "waited in a backup; it may have been sent since")
        proof.prove(store)
        store.rows("PRAGMA journal_mode = delete")
    return unconfirmed


def _replace(part: Path, path: Path, aside: Path, now: datetime) -> bool:
    """Puts a copy in a place; says whether there was something, which is aside now."""
    there = path.exists()
    _own(part, path if there else path.parent)
    with _held(path, now) if there else nullcontext():
        if there:
            aside.hardlink_to(path)  # no rename: nobody is to find nothing, and make a new one
        for name in _beside(path):  # a log of another database would spoil the new one
            name.rename(aside.with_name(aside.name + name.name.removeprefix(path.name)))
        aside.with_name(aside.name + "-shm").unlink(missing_ok=True)  # it is made anew, if need be
        part.replace(path)
        _settle(path.parent)
    return there


@contextmanager
def _held(path: Path, now: datetime) -> Iterator[None]:
    """While inside nobody else can use the database. Raises StoreLocked."""
    try:
        connection = _exclusive(path, now)
    except StoreDamaged:  # SQLite cannot read it, and so not lock it either
        with locks.exclusively(path) as holder:
            if holder is not None:
                raise _in_use(path, holder) from None
            yield
        return
    with closing(connection):
        yield


def _exclusive(path: Path, now: datetime) -> sqlite3.Connection:
    """Locks all others out of the database; all of its log is in its one file then.

    Who opens it at this very moment waits, and is told by SQLite that the file was moved.
    """
    with closing(Store(path, read_only=True)) as store:
        for holder in leases.holders(store, now):
            if holder.alive:
                raise _in_use(path, str(holder))
    user = locks.user(path) or "another process"
    connection = _connected(path, "rw")
    try:
        with explained(path):
            connection.execute("PRAGMA locking_mode = exclusive")
            connection.execute("PRAGMA journal_mode = delete")
            connection.execute("PRAGMA journal_mode = off")  # nothing is written from here on
            connection.execute("BEGIN EXCLUSIVE")
            path.with_name(path.name + "-journal").unlink(missing_ok=True)
    except StoreLocked as error:
        connection.close()
        raise _in_use(path, user) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _in_use(path: Path, who: str) -> StoreLocked:
    return StoreLocked(
        f"{path}: {who} has the database open. Stop `visawatch serve`, `schedule` and whatever "
        "else uses it, and restore again. Nothing was changed."
    )


@contextmanager
def _part(path: Path) -> Iterator[Path]:
    """An empty file beside `path`, only its owner's, which is gone at the end of the block.

    Raises StoreLocked while another process makes one: each would put the other's half in place.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: make the folder {path.parent} first")
    part = path.with_name(f".{path.name}.part")
    descriptor = _locked(part, path)
    try:
        os.ftruncate(descriptor, 0)  # what a killed process has left
        for name in _beside(part):
            name.unlink(missing_ok=True)
        yield part
    finally:
        if _is(part, descriptor):  # it was not moved to where it belongs
            for name in (part, *_beside(part)):
                name.unlink(missing_ok=True)
        os.close(descriptor)


def _locked(part: Path, path: Path) -> int:
    """Opens the file, makes it if need be, and keeps others from it until it is closed."""
    while True:
        descriptor = os.open(part, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StoreLocked(
                f"{path}: another process is putting a copy there. Wait until it has finished, "
                "and run the command again. Nothing was changed."
            ) from None
        except OSError:
            pass  # a file system that knows no locks: as well as it can be done there
        if _is(part, descriptor):
            return descriptor
        os.close(descriptor)  # meanwhile it was moved, or deleted


def _is(path: Path, descriptor: int) -> bool:
    """Whether the name is that of the open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _free(path: Path) -> Path:
    """The name, or with a number behind it, that is not taken."""
    names = (path.with_name(f"{path.name}-{n}") for n in count(2))
    return next(name for name in chain((path,), names) if not name.exists())


def _beside(path: Path) -> list[Path]:
    names = (path.with_name(path.name + ending) for ending in _BESIDE)
    return [name for name in names if name.exists()]


def _own(part: Path, like: Path) -> None:
    """Gives a file to who owns another one: root may restore what a service runs on."""
    if os.geteuid() == 0:
        there = like.stat()
        os.chown(part, there.st_uid, there.st_gid)


def _settle(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _not_the_same(path: Path, file: Path) -> None:
    if file.exists() and path.exists() and file.samefile(path):
        raise StoreExists(f"{file}: is the database itself; name another file")


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=1, isolation_level=None)
