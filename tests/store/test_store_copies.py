"""Copies: made while others write, proved, and put back so that nothing is lost or half there."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from faults import disk, make_newer, orphan, spoil_page, spoil_snapshot, truncate
from processes import let_go, powerless, running, start
from sqlite_utils import Database

from store import copies, cycles, outbox, programs, snapshots, users
from store.database import Store
from store.errors import (
    StoreDamaged,
    StoreExists,
    StoreFull,
    StoreLocked,
    StoreNewer,
    StoreReadOnly,
)
from store.records import Mail, Program
from store.schema import migrations, names

NOW = datetime(2026, 11, 25, 2, tzinfo=UTC)
LATER = NOW.replace(hour=3)
AT = "2026-11-25T02:00:00Z"
PROGRAM = Program("larkspur", "Larkspur Hospital", "Neurology", website_url="http://a/")
OTHER = Program("sorrel", "Sorrel Hospital", "Surgery", website_url="http://b/")
PAGE = b"<p>We sponsor J-1 visas only.</p>" + bytes(range(256)) * 40

# Writes two rows of one number in one step, without an end, and says each number that is kept.
WRITES = """
    import sys
    from store.database import Store
    with Store(sys.argv[1]) as store:
        number = 0
        while True:
            number += 1
            with store.writing():
                for name in ("left", "right"):
                    store.write("INSERT INTO failed_log_ins VALUES (?, ?)", (name, str(number)))
            print(number, flush=True)
"""
OPENS = """
    import sys
    from store.database import Store
    with Store(sys.argv[1]) as store:
        store.rows("SELECT 1 FROM programs")
        print("open", flush=True)
        sys.stdin.read()
"""


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database with a program, a page, a user who is signed in, and a mail that waits."""
    path = tmp_path / "visawatch.db"
    with Store(path) as store, store.writing():
        programs.save(store, [PROGRAM])
        snapshots.keep(store, snapshots.pack(PAGE), "text/html")
        users.add(store, "ada", "admin", "$argon2id$", AT)
        users.sign_in(store, users.get(store, "ada"), b"t" * 32, AT)
        outbox.enqueue(store, Mail(0, "<m>", "a@inbox.example", "News", b"x", AT), {})
        cycle, _ = cycles.open_one(store, AT)
        cycles.finish(store, cycle.id, AT, {"pages": 1})
    return path


@pytest.fixture
def backup(db: Path, tmp_path: Path) -> Path:
    file = tmp_path / "backup.db"
    copies.backup(db, file)
    return file


def watched(path: Path) -> list[str]:
    with Store(path) as store:
        return [program.program_id for program in programs.listed(store)]


def names_in(folder: Path) -> set[str]:
    """The files of a folder, without those that SQLite keeps beside a database in use."""
    return {f.name for f in folder.iterdir() if not f.name.endswith(("db-wal", "db-shm"))}


def add(path: Path) -> None:
    with Store(path) as store, store.writing():
        programs.save(store, [OTHER])


def test_a_copy_is_one_private_file_with_all_rows(db: Path, tmp_path: Path) -> None:
    made = copies.backup(db, tmp_path / "copy.db")
    assert (made.path, made.schema) == (tmp_path / "copy.db", names()[-1])
    assert (made.rows["programs"], made.rows["outbox"], made.rows["sessions"]) == (1, 1, 1)
    assert made.last is not None
    assert made.bytes == (tmp_path / "copy.db").stat().st_size
    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    assert names_in(tmp_path) == {"visawatch.db", "copy.db"}


def test_a_copy_is_made_of_one_moment_while_others_write(db: Path, tmp_path: Path) -> None:
    file = tmp_path / "copy.db"
    with running(WRITES, str(db)) as writer:
        assert writer.stdout is not None
        for _ in range(8):
            before = int(writer.stdout.readline())
            copies.backup(db, file, replace=True)
            with closing(sqlite3.connect(file)) as copy:
                rows = copy.execute("SELECT key, at FROM failed_log_ins").fetchall()
                assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            left, right = ([at for key, at in rows if key == name] for name in ("left", "right"))
            assert left == right == [str(n + 1) for n in range(len(left))]
            assert len(left) >= before


def test_a_copy_takes_the_place_of_another_only_by_force(db: Path, backup: Path) -> None:
    add(db)
    with pytest.raises(StoreExists, match="--force"):
        copies.backup(db, backup)
    assert watched(backup) == ["larkspur"]
    copies.backup(db, backup, replace=True)
    assert watched(backup) == ["larkspur", "sorrel"]


def test_a_database_is_no_copy_of_itself(db: Path, tmp_path: Path) -> None:
    (tmp_path / "link.db").symlink_to(db)
    for file in (db, tmp_path / "link.db"):
        with pytest.raises(StoreExists, match="the database itself"):
            copies.backup(db, file, replace=True)
        with pytest.raises(StoreExists, match="the database itself"):
            copies.restore(file, db, NOW, replace=True)


@pytest.mark.parametrize("spoiling", [spoil_page, spoil_snapshot, orphan])
def test_a_damaged_database_makes_no_copy(db: Path, backup: Path, spoiling: object) -> None:
    assert callable(spoiling)
    spoiling(db)
    with pytest.raises(StoreDamaged, match=r"visawatch\.db.*damaged"):
        copies.backup(db, backup, replace=True)
    assert watched(backup) == ["larkspur"]  # the good one is still there
    assert names_in(backup.parent) == {"visawatch.db", "backup.db"}


def test_without_a_database_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(StoreDamaged, match="no such file"):
        copies.backup(tmp_path / "nothing.db", tmp_path / "copy.db")
    assert names_in(tmp_path) == set()


def test_the_newest_copies_of_a_folder_are_kept(db: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    (folder / "mine.db").touch()
    days = [copies.name_of(NOW.replace(day=day)) for day in (3, 1, 2)]
    for name in days:
        copies.backup(db, folder / name)
    assert [file.name for file in copies.forget(folder, keep=2)] == [days[1]]
    assert names_in(folder) == {"mine.db", days[0], days[2]}


def test_a_copy_comes_back_where_nothing_is(db: Path, backup: Path, tmp_path: Path) -> None:
    done = copies.restore(backup, tmp_path / "new.db", NOW)
    assert (done.aside, done.unconfirmed) == (None, 1)
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600
    assert watched(tmp_path / "new.db") == ["larkspur"]
    with Store(tmp_path / "new.db") as store:
        assert outbox.by_state(store) == {"unconfirmed": 1}
        assert store.rows("SELECT 1 FROM sessions") == []
        assert users.exist(store)
    with Store(backup) as store:
        assert outbox.by_state(store) == {"queued": 1}


def test_a_database_is_replaced_only_by_force_and_put_aside(db: Path, backup: Path) -> None:
    add(db)
    with pytest.raises(StoreExists, match="--force"):
        copies.restore(backup, db, NOW)
    assert watched(db) == ["larkspur", "sorrel"]
    done = copies.restore(backup, db, NOW, replace=True)
    assert watched(db) == ["larkspur"]
    assert done.aside is not None
    assert done.aside.name == "visawatch.db.before-2026-11-25T020000Z"
    assert watched(done.aside) == ["larkspur", "sorrel"]
    assert names_in(db.parent) == {"visawatch.db", "backup.db", done.aside.name}


def test_two_restores_in_a_second_put_two_databases_aside(db: Path, backup: Path) -> None:
    asides = [copies.restore(backup, db, NOW, replace=True).aside for _ in range(3)]
    assert [aside.name.partition("Z")[2] for aside in asides if aside] == ["", "-2", "-3"]


def test_what_is_in_the_log_of_a_killed_process_is_put_aside_with_it(
    db: Path, backup: Path
) -> None:
    with running(WRITES, str(db)) as writer:
        assert writer.stdout is not None
        kept = int(writer.stdout.readline())
        writer.kill()
        writer.wait()
    assert db.with_name("visawatch.db-wal").stat().st_size
    done = copies.restore(backup, db, NOW, replace=True)
    assert done.aside is not None
    with Store(done.aside) as store:
        assert store.rows("SELECT count(*) FROM failed_log_ins")[0][0] >= 2 * kept
    with Store(db) as store:
        assert store.rows("SELECT count(*) FROM failed_log_ins")[0][0] == 0


@pytest.mark.parametrize("script", [OPENS, WRITES])
def test_a_database_that_another_process_has_open_is_not_replaced(
    db: Path, backup: Path, script: str
) -> None:
    before = db.stat().st_ino
    with running(script, str(db)) as process, pytest.raises(StoreLocked) as raised:
        copies.restore(backup, db, NOW, replace=True)
    assert f"process {process.pid}" in str(raised.value)
    assert db.stat().st_ino == before
    assert names_in(db.parent) >= {"visawatch.db", "backup.db"}
    assert not any("before" in name or "part" in name for name in names_in(db.parent))
    copies.restore(backup, db, NOW, replace=True)


def test_who_comes_while_it_is_replaced_is_told(
    db: Path, backup: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comes = """
        import sqlite3, sys
        from store.database import Store
        from store.errors import StoreReadOnly
        sqlite3.connect(sys.argv[1], timeout=0).close()
        waits = sqlite3.connect(sys.argv[1], timeout=30)
        print("comes", flush=True)
        sys.stdin.readline()
        try:
            waits.execute("PRAGMA journal_mode = wal")
        except sqlite3.OperationalError as error:
            sys.exit(error.sqlite_errorcode == sqlite3.SQLITE_READONLY_DBMOVED and 7)
    """
    with running(comes, str(db)) as late:  # it has the file, and no lock on it yet
        copies.restore(backup, db, NOW, replace=True)
        late.communicate("go\n", timeout=30)
    assert late.returncode == 7


@pytest.mark.parametrize(
    "spoiling", [spoil_page, lambda path: path.write_bytes(b"no database" * 999)]
)
def test_a_damaged_database_can_be_replaced(db: Path, backup: Path, spoiling: object) -> None:
    assert callable(spoiling)
    spoiling(db)
    content = db.read_bytes()
    done = copies.restore(backup, db, NOW, replace=True)
    assert watched(db) == ["larkspur"]
    assert done.aside is not None
    assert done.aside.read_bytes()[100:] == content[100:]


def test_a_stray_log_spoils_no_database(db: Path, backup: Path, tmp_path: Path) -> None:
    """The log of a database that is gone would be taken for that of the one that comes."""
    with running(WRITES, str(db)) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        writer.kill()
        writer.wait()
    db.unlink()
    copies.restore(backup, db, NOW)
    with Store(db) as store:
        assert store.rows("SELECT count(*) FROM failed_log_ins")[0][0] == 0
    assert "visawatch.db.before-2026-11-25T020000Z-wal" in names_in(tmp_path)


@pytest.mark.parametrize(
    ("spoiling", "fault", "words"),
    [
        (spoil_page, StoreDamaged, "damaged"),
        (spoil_snapshot, StoreDamaged, "another hash|are damaged"),
        (make_newer, StoreNewer, "m999_later"),
        (truncate, StoreDamaged, "truncated"),
        (orphan, StoreDamaged, "names a row of institutions that is missing"),
        (lambda path: path.write_bytes(b"program_id\n" * 999), StoreDamaged, "not a SQLite"),
        (lambda path: path.unlink(), StoreDamaged, "no such file"),
    ],
)
def test_a_copy_that_is_of_no_use_replaces_nothing(
    db: Path, backup: Path, spoiling: object, fault: type[Exception], words: str
) -> None:
    assert callable(spoiling)
    spoiling(backup)
    with pytest.raises(fault, match=words) as raised:
        copies.restore(backup, db, NOW, replace=True)
    assert "backup.db" in str(raised.value)
    assert ".part" not in str(raised.value)
    assert watched(db) == ["larkspur"]
    assert not any("before" in name or "part" in name for name in names_in(db.parent))


def test_a_database_of_something_else_is_not_restored(db: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "music.db")) as connection, connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    with pytest.raises(StoreDamaged, match="not a database of VisaWatch"):
        copies.restore(tmp_path / "music.db", db, NOW, replace=True)


def test_a_copy_of_an_earlier_version_is_upgraded(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as connection:
        migrations.apply(Database(connection), stop_before="m012_review_room")
    before = (tmp_path / "old.db").read_bytes()
    done = copies.restore(tmp_path / "old.db", tmp_path / "new.db", NOW)
    assert done.copy.schema == names()[-1]
    assert (tmp_path / "old.db").read_bytes() == before


def test_a_copy_is_read_from_where_nothing_may_be_written(public: Path, db: Path) -> None:
    folder = public / "copies"
    folder.mkdir()
    copies.backup(db, folder / "copy.db")
    (folder / "copy.db").chmod(0o444)
    folder.chmod(0o555)
    with powerless():
        copies.restore(folder / "copy.db", public / "new.db", NOW)
        with pytest.raises((StoreReadOnly, PermissionError)):
            copies.backup(public / "new.db", folder / "other.db")
    folder.chmod(0o755)


def test_root_gives_what_it_restores_to_whose_it_was(db: Path, backup: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(db, 65534, 65534)
    copies.restore(backup, db, NOW, replace=True)
    assert (db.stat().st_uid, db.stat().st_gid) == (65534, 65534)


def test_a_full_disk_leaves_no_half_copy(db: Path, backup: Path, tmp_path: Path) -> None:
    with disk(tmp_path / "small", "128k") as small:
        with pytest.raises((StoreFull, OSError)):
            copies.backup(db, small / "copy.db")
        with pytest.raises((StoreFull, OSError)):
            copies.restore(backup, small / "visawatch.db", NOW)
        assert names_in(small) == set()


# Four who copy to one place at once, a few times over: each is done, or told of the other.
TOGETHER = """
    import os, sys
    from datetime import UTC, datetime
    from pathlib import Path
    from store import copies, proof
    from store.database import Store
    from store.errors import StoreLocked

    db, file = map(Path, sys.argv[2:])
    print("goes", flush=True)
    for number in range(6):
        ready, go = os.pipe()
        children = []
        for _ in range(4):
            children.append(os.fork())
            if children[-1] == 0:
                os.close(go)
                os.read(ready, 1)
                try:
                    if sys.argv[1] == "backup":
                        copies.backup(db, file, replace=True)
                    else:
                        copies.restore(file, db, datetime.now(UTC), replace=True)
                except StoreLocked:
                    os._exit(3)
                except BaseException as error:
                    print(repr(error), file=sys.stderr, flush=True)
                    os._exit(1)
                os._exit(0)
        os.close(ready), os.close(go)
        told = {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}
        assert 0 in told and told <= {0, 3}, told
        for copy in (db, file):
            with Store(copy, read_only=True) as store:
                proof.prove(store)
"""


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_of_two_at_once_none_puts_the_half_of_the_other_in_place(
    db: Path, backup: Path, command: str
) -> None:
    assert let_go(start(TOGETHER, command, str(db), str(backup))) == 0
    left = names_in(db.parent)
    assert not [name for name in left if ".part" in name]


# Kills itself at each of so many lines of a copy, in children, each over files of its own.
KILLS = """
    import os, shutil, signal, sys
    from datetime import UTC, datetime
    from pathlib import Path
    from store import copies

    def run(folder, at):
        lines = 0

        def trace(frame, event, argument):
            nonlocal lines
            if frame.f_code.co_filename != copies.__file__:
                return None
            lines += event == "line"
            if lines == at:
                os.kill(os.getpid(), signal.SIGKILL)
            return trace

        db, file = folder / "visawatch.db", folder / "backup.db"
        sys.settrace(trace)
        if sys.argv[1] == "backup":
            copies.backup(db, file, replace=True)
        else:
            copies.restore(file, db, datetime(2026, 11, 25, 2, tzinfo=UTC), replace=True)
        sys.settrace(None)
        return lines

    def fresh(name):
        folder = source / name
        folder.mkdir()
        for file in ("visawatch.db", "backup.db"):
            shutil.copy(source / file, folder)
        return folder

    source, last = Path(sys.argv[2]), int(sys.argv[3])
    lines = run(fresh("whole"), -1)
    early, late = range(1, lines - last, (lines - last) // 6), range(lines - last, lines)
    for at in (*early, *late):  # the last ones are those in which files are moved
        folder = fresh(str(at))
        child = os.fork()
        if child == 0:
            run(folder, at)
            os._exit(0)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    print("killed", flush=True)
"""


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_a_kill_at_any_line_leaves_both_files_whole(
    db: Path, backup: Path, tmp_path: Path, command: str
) -> None:
    add(db)
    assert let_go(start(KILLS, command, str(tmp_path), "20")) == 0
    for folder in [folder for folder in tmp_path.iterdir() if folder.is_dir()]:
        was = [watched(folder / name) for name in ("visawatch.db", "backup.db")]
        both, one = ["larkspur", "sorrel"], ["larkspur"]
        assert was in ([both, one], [both, both] if command == "backup" else [one, one])
        copies.restore(folder / "backup.db", folder / "visawatch.db", LATER, replace=True)
