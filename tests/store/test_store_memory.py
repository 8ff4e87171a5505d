"""What is worked out once is never older than the database, and is made once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial

import pytest

from store import programs, search
from store.database import Store
from store.memory import MOST_KEPT, MOST_OF_EACH, Memory
from store.reading import Readers
from store.records import Program
from store.search import Wish


@pytest.fixture
def readers(store: Store) -> Iterator[Readers]:
    made = Readers(store.path)
    yield made
    made.close()


def add(store: Store, name: str) -> None:
    with store.writing():
        programs.save(store, [Program(name, "Fernway Hospital", name.title(), state="MA")])


def test_what_was_written_is_seen_at_once(store: Store, readers: Readers) -> None:
    for number in range(1, 6):
        add(store, f"p{number}")
        for _ in range(2):
            with readers.reading() as reader:
                assert search.count(reader, Wish()) == number
                assert len(search.matrix(reader)) == number
                assert len(search.choices(reader).specialties) == number


def test_it_is_made_once_while_nothing_is_written(store: Store, readers: Readers) -> None:
    made: list[str] = []

    def value() -> str:
        made.append("made")
        return "value"

    for _ in range(3):
        with readers.reading() as reader:
            assert reader.once("key", value) == "value"
            assert reader.once("other", lambda: "other") == "other"
    assert len(made) == 1
    add(store, "p")
    with readers.reading() as reader:
        assert reader.once("key", value) == "value"
    assert len(made) == 2
    assert store.once("key", value) == "value"  # who can write keeps nothing
    assert len(made) == 3


def test_a_reader_from_before_a_write_keeps_what_it_sees(store: Store, readers: Readers) -> None:
    add(store, "a")
    with readers.reading() as before:
        add(store, "b")
        with readers.reading() as after:
            assert search.count(after, Wish()) == 2
            assert search.count(before, Wish()) == 1  # and does not get the later one's
            assert search.count(after, Wish()) == 2
    with readers.reading() as reader:
        assert search.count(reader, Wish()) == 2


def test_what_cannot_be_made_is_tried_again(store: Store, readers: Readers) -> None:
    with readers.reading() as reader:
        with pytest.raises(ZeroDivisionError):
            reader.once("key", lambda: 1 // 0)
        assert reader.once("key", lambda: 1) == 1


def test_many_at_once_wait_for_one(store: Store, readers: Readers) -> None:
    ready, made = threading.Barrier(4), []
    begun = threading.Event()

    def value() -> int:
        made.append(1)
        begun.wait(10)
        return 7

    def ask() -> None:
        with readers.reading() as reader:
            ready.wait(10)
            got.append(reader.once("key", value))

    got: list[int] = []
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    begun.set()
    for thread in threads:
        thread.join(10)
    assert (got, made) == ([7] * 4, [1])


def test_no_more_is_kept_than_is_allowed() -> None:
    memory = Memory()
    for number in range(MOST_KEPT + 1):
        memory.get(1, number, lambda: "early")
    assert memory.get(1, MOST_KEPT, lambda: "late") == "early"
    assert memory.get(1, 0, lambda: "late") == "late"


def test_of_a_list_only_the_rows_that_are_missing_are_made(store: Store, readers: Readers) -> None:
    asked: list[list[str]] = []

    def made(keys: list[str]) -> dict[str, str]:
        asked.append(keys)
        return {key: key.upper() for key in keys if key != "none"}

    with readers.reading() as reader:
        assert reader.each("kind", ["a", "b"], made) == {"a": "A", "b": "B"}
        assert list(reader.each("kind", ["c", "b", "none", "a"], made)) == ["c", "b", "a"]
        assert reader.each("other", ["a"], made) == {"a": "A"}
    assert asked == [["a", "b"], ["c", "none"], ["a"]]
    add(store, "p")
    with readers.reading() as reader:
        reader.each("kind", ["a"], made)
    assert asked[3:] == [["a"]]  # anew since the write
    assert store.each("kind", ["a"], made) == {"a": "A"}  # who can write keeps nothing
    assert asked[4:] == [["a"]]


def test_a_row_that_was_made_before_a_write_is_not_handed_out_after_it(
    store: Store, readers: Readers
) -> None:
    def institutions(reader: Store, ids: list[str]) -> dict[str, str]:
        return {i: found.name for i, found in programs.institutions_of(reader, ids).items()}

    add(store, "a")
    with readers.reading() as before:
        with store.writing():
            programs.save(store, [Program("a", "Other Hospital", "A")])
        for reader, name in ((before, "Fernway Hospital"), (None, "Other Hospital")):
            with readers.reading() as after:
                seen = reader or after
                assert seen.each("name", ["a"], partial(institutions, seen)) == {"a": name}


def test_no_more_rows_are_kept_than_are_allowed() -> None:
    memory = Memory()
    memory.each(1, "kind", range(MOST_OF_EACH + 1), lambda keys: dict.fromkeys(keys, "early"))
    late = memory.each(1, "kind", [0, MOST_OF_EACH], lambda keys: dict.fromkeys(keys, "late"))
    assert late == {0: "late", MOST_OF_EACH: "early"}
