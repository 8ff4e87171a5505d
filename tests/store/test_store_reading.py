"""Connections that only read: they cannot write, and see one moment."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from store import programs
from store.database import Store
from store.errors import StoreDamaged, StoreReadOnly
from store.reading import Readers
from store.records import Program


def add(store: Store, *names: str) -> None:
    with store.writing():
        programs.save(store, [Program(name, "Fernway Hospital", "Medicine") for name in names])


def names(store: Store) -> list[str]:
    return [program.program_id for program in programs.listed(store)]


def test_a_reader_cannot_write(store: Store) -> None:
    readers = Readers(store.path)
    with readers.reading() as reader, pytest.raises(StoreReadOnly):
        reader.rows("DELETE FROM programs")
    readers.close()


def test_a_loan_sees_one_moment_and_the_next_one_a_later(store: Store) -> None:
    add(store, "a")
    readers = Readers(store.path)
    with readers.reading() as reader:
        assert names(reader) == ["a"]
        add(store, "b")
        assert names(reader) == ["a"]
    with readers.reading() as reader:
        assert names(reader) == ["a", "b"]
    readers.close()


def test_a_whole_file_in_the_place_of_a_damaged_one_is_read(store: Store, tmp_path: Path) -> None:
    add(store, "a")
    store.close()  # which leaves all in one file
    readers = Readers(store.path)
    with readers.reading() as one, readers.reading() as other:  # two that are kept
        assert names(one) == names(other) == ["a"]
    with Store(tmp_path / "whole.db") as whole:
        add(whole, "b")
    store.path.write_bytes(b"not a database" * 100_000)
    with pytest.raises(StoreDamaged), readers.reading() as reader:
        reader.rows("SELECT * FROM observations")  # of which no page is kept in memory
    (tmp_path / "whole.db").replace(store.path)
    for _ in range(2):
        with readers.reading() as reader:
            assert names(reader) == ["b"]
    readers.close()


def test_connections_go_from_thread_to_thread(store: Store) -> None:
    add(store, "a")
    readers, seen = Readers(store.path), []

    def read() -> None:
        with readers.reading() as reader:
            seen.append((id(reader), names(reader)))

    for _ in range(2):  # one after the other: the second gets the first one's connection
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    assert seen == [seen[0]] * 2
    assert seen[0][1] == ["a"]
    readers.close()


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreReadOnly, match="cannot be opened"), Readers(tmp_path / "x").reading():
        pass
