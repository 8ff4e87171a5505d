"""Opening a database: made once, made by many, and every file that cannot be used."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from processes import let_go, powerless, running, start
from sqlite_utils import Database

from store import outbox, programs, subscriptions
from store.database import Store
from store.errors import StoreDamaged, StoreFull, StoreLocked, StoreNewer, StoreReadOnly
from store.records import Program
from store.schema import migrations, names

PROGRAM = Program("larkspur-neurology", "Larkspur Hospital", "Neurology", website_url="http://a/")
IN_A_HURRY = 0.05  # seconds to wait for a lock that nobody will give back

# Processes that open the same new files at the same instants; prints what went wrong.
RACE = """
    import multiprocessing, sys
    from store.database import Store

    def open_all(barrier, folder, rounds):
        for number in range(rounds):
            barrier.wait()
            Store(f"{folder}/{number}.db").close()

    fork = multiprocessing.get_context("fork")
    racers, rounds = int(sys.argv[2]), int(sys.argv[3])
    barrier = fork.Barrier(racers, timeout=30)
    started = [
        fork.Process(target=open_all, args=(barrier, sys.argv[1], rounds)) for _ in range(racers)
    ]
    for racer in started:
        racer.start()
    for racer in started:
        racer.join()
    print("raced", flush=True)
    sys.exit(sum(racer.exitcode != 0 for racer in started))
"""
HOLD = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("BEGIN " + sys.argv[2])
    print("ready", flush=True)
    sys.stdin.read()
    connection.rollback()
"""


def schema(path: Path) -> list[tuple[str, ...]]:
    """All tables, indexes and triggers, and the migrations that made them."""
    with sqlite3.connect(path) as connection:
        made = connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()
        applied = connection.execute("SELECT name FROM _sqlite_migrations ORDER BY 1").fetchall()
    connection.close()
    return made + applied


def filled(path: Path) -> Path:
    """A database with a program, all of it in its one file."""
    with Store(path) as store, store.writing():
        programs.save(store, [PROGRAM])
    return path


def test_a_new_database_has_every_migration(tmp_path: Path) -> None:
    Store(tmp_path / "new.db").close()
    assert {row[0] for row in schema(tmp_path / "new.db")} >= {*names(), "programs", "outbox"}


def test_mail_of_an_earlier_version_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "earlier.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = on")
        earlier = Database(connection)
        migrations.apply(earlier, stop_before="m008_addresses_and_doubts")
        connection.executescript("""
            INSERT INTO institutions VALUES (1, 'Larkspur Hospital', NULL);
            INSERT INTO programs (id, institution_id, specialty, level)
                VALUES ('larkspur', 1, 'Neurology', 'residency');
            INSERT INTO cycles (id, started_at) VALUES (1, '');
            INSERT INTO changes VALUES
                (7, 'larkspur', 1, 'conflict', 'major', 'open', '{}', '{}', NULL, '');
            INSERT INTO subscriptions (email, severity, frequency, token, created_at)
                VALUES ('ada@inbox.example', 'major', 'daily', 't', '');
            INSERT INTO outbox (id, message_id, email, subject, message, created_at, state,
                attempts, next_attempt_at) VALUES (3, '<m>', 'ada@inbox.example', 'News', x'00',
                '2026-11-25T02:00:00Z', 'queued', 2, '2026-11-25T03:00:00Z');
            INSERT INTO mailed VALUES ('ada@inbox.example', 7, 3);
        """)
    with Store(path) as store:
        (wish,) = subscriptions.listed(store)
        assert (wish.address, wish.frequency) == ("ada@inbox.example", "daily")
        assert outbox.mailed(store, "ADA@inbox.example", [7]) == {7: 0}
        (row,) = store.rows("SELECT message_id, address, attempts, doubts FROM outbox")
        assert tuple(row) == ("<m>", "ada@inbox.example", 2, 0)
        assert store.rows("PRAGMA foreign_key_check") == []


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    path = filled(tmp_path / "twice.db")
    before, bytes_before = schema(path), path.read_bytes()
    Store(path).close()
    assert schema(path) == before
    assert path.read_bytes() == bytes_before


def test_an_empty_file_becomes_a_database(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with Store(path) as store:
        assert programs.listed(store) == []


def test_processes_that_create_it_at_once_make_one_schema(tmp_path: Path) -> None:
    racers, rounds = 8, 40
    assert let_go(start(RACE, str(tmp_path), str(racers), str(rounds))) == 0
    Store(tmp_path / "alone.db").close()
    for number in range(rounds):
        assert schema(tmp_path / f"{number}.db") == schema(tmp_path / "alone.db")


def test_a_database_of_a_later_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = filled(tmp_path / "newer.db")
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('visawatch', 'm999_from_the_future', '2031-01-01')"
        )
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreNewer, match=r"m999_from_the_future.*Upgrade"):
        Store(path)
    assert path.read_bytes() == before


def test_a_writer_elsewhere_is_waited_for_and_then_named(tmp_path: Path) -> None:
    path = filled(tmp_path / "held.db")
    with running(HOLD, str(path), "IMMEDIATE"), Store(path, busy_seconds=IN_A_HURRY) as store:
        assert programs.listed(store) == [PROGRAM]  # reading is never held up
        with pytest.raises(StoreLocked, match="another process holds"), store.writing():
            programs.remove(store, PROGRAM.program_id, "2026-11-25T02:00:00Z")
        assert programs.listed(store) == [PROGRAM]


def test_a_writer_that_ends_in_time_is_not_noticed(tmp_path: Path) -> None:
    path = filled(tmp_path / "freed.db")
    with start(HOLD, str(path), "IMMEDIATE") as holder, Store(path) as store:
        let = holder.stdin
        assert let is not None
        # It ends when this one has begun to wait for it.
        store.db.conn.set_trace_callback(lambda sql: let.close() if "BEGIN" in sql else None)
        with store.writing():
            programs.remove(store, PROGRAM.program_id, "2026-11-25T02:00:00Z")
        assert programs.listed(store) == []
    assert holder.returncode == 0


def test_a_new_file_that_another_process_holds_is_locked(tmp_path: Path) -> None:
    path = tmp_path / "young.db"
    with running(HOLD, str(path), "EXCLUSIVE"), pytest.raises(StoreLocked):
        Store(path, busy_seconds=IN_A_HURRY)
    Store(path).close()


@pytest.mark.parametrize("content", [b"program_id,institution\n" * 300, b"\0" * 4096, b"%PDF-1.7"])
def test_what_is_no_database_is_refused_and_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "programs.csv"
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match="not a SQLite database"):
        Store(path)
    assert path.read_bytes() == content


def test_a_truncated_database_is_damaged(tmp_path: Path) -> None:
    path = filled(tmp_path / "cut.db")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(StoreDamaged), Store(path) as store:
        programs.listed(store)


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(StoreReadOnly, match="cannot be opened"):
        Store(tmp_path)


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreReadOnly, match="Its folder must exist"):
        Store(tmp_path / "nowhere" / "visawatch.db")


def test_a_read_only_file_can_be_read_and_not_written(public: Path) -> None:
    path = filled(public / "read-only.db")
    path.chmod(0o444)
    with powerless(), Store(path) as store:
        assert programs.listed(store) == [PROGRAM]
        with pytest.raises(StoreReadOnly, match="write access"), store.writing():
            programs.save(store, [PROGRAM])


def test_nothing_can_be_made_in_a_read_only_folder(public: Path) -> None:
    public.chmod(0o555)
    with powerless(), pytest.raises(StoreReadOnly):
        Store(public / "visawatch.db")
    assert list(public.iterdir()) == []


def test_a_database_in_a_read_only_folder_is_named(public: Path) -> None:
    path = filled(public / "visawatch.db")
    before = path.read_bytes()
    path.chmod(0o444)
    public.chmod(0o555)
    with powerless(), pytest.raises(StoreReadOnly), Store(path) as store:
        store.rows("SELECT 1 FROM programs")
    assert path.read_bytes() == before


def test_a_full_disk_rolls_the_whole_step_back(store: Store) -> None:
    with store.writing():
        programs.save(store, [PROGRAM])
    pages = store.rows("PRAGMA page_count")[0][0]
    store.rows(f"PRAGMA max_page_count = {pages + 1}")
    many = [Program(f"p{n}", "Larkspur", "x" * 500, website_url="http://a/") for n in range(100)]

    def replace_all() -> None:
        with store.writing():
            programs.remove(store, PROGRAM.program_id, "2026-11-25T02:00:00Z")
            programs.save(store, many)

    with pytest.raises(StoreFull, match="rolled back"):
        replace_all()
    assert programs.listed(store) == [PROGRAM]
    store.rows("PRAGMA max_page_count = 1000000")
    replace_all()
    assert len(programs.listed(store)) == len(many)


def test_an_error_inside_rolls_back_outer_and_inner_steps(store: Store) -> None:
    def fail_late() -> None:
        with store.writing():
            with store.writing():
                programs.save(store, [PROGRAM])
            raise KeyError

    with pytest.raises(KeyError):
        fail_late()
    assert programs.listed(store) == []


def test_writing_outside_a_transaction_is_a_mistake_that_shows(store: Store) -> None:
    with pytest.raises(AssertionError, match="belong inside Store"):
        store.write("DELETE FROM programs")
    with pytest.raises(AssertionError, match="belong inside Store"):
        store.write_many("DELETE FROM programs WHERE id = ?", [("a",)])
