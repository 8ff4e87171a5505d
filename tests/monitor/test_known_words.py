"""What the second reader read in an earlier night, it does not read again."""

from __future__ import annotations

import pytest
from conftest import FIRST_NIGHT, J1_ONLY, Watch

from crawler import Fetch, Health
from extractors import READER_VERSION
from extractors.second import chances_of
from monitor.reads import statements
from monitor.rules import apply, reclassify
from store.database import Store
from store.errors import StoreDamaged
from store.opinions import Opinions


def read_anew() -> int:
    """The windows that the model has read since `forget`."""
    return chances_of.cache_info().misses


@pytest.fixture
def forget() -> None:
    """A process that begins knows nothing, as each night's does."""
    chances_of.cache_clear()


def test_the_same_words_in_a_new_page_are_not_read_again(watch: Watch, forget: None) -> None:
    watch.program()
    watch.site.page("/visa", J1_ONLY)
    watch.night()
    assert read_anew() == 1
    chances_of.cache_clear()
    watch.site.page("/visa", f"<nav>Home</nav>{J1_ONLY}<footer>2027</footer>")
    assert watch.night().fetched == 1
    assert watch.store.tuples("SELECT count(*) FROM snapshots") == [(2,)]
    assert read_anew() == 0
    assert watch.category() == "j1_only"


def test_new_rules_are_applied_without_reading_known_words_again(
    watch: Watch, forget: None
) -> None:
    watch.program()
    watch.site.page("/visa", J1_ONLY)
    watch.night()
    chances_of.cache_clear()
    with watch.store.writing():
        watch.store.write("UPDATE readings SET rules = 'older'")
    result = reclassify(watch.store)
    assert len(result.snapshots) == 1
    assert read_anew() == 0
    with watch.store.writing():
        watch.store.write("DELETE FROM opinions")
    apply(watch.store, reclassify(watch.store), FIRST_NIGHT)
    assert read_anew() == 1
    assert watch.store.tuples("SELECT reader FROM opinions") == [(READER_VERSION,)]


def test_a_fault_of_the_database_is_no_fault_of_the_page(store: Store) -> None:
    ((root, size),) = store.tuples(
        "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = 'opinions'"
    )
    store.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with store.path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    store = Store(store.path)
    url = "https://larkspur.example/visas"
    page = Fetch(url, url, Health.OK, ("program:larkspur",), body=J1_ONLY.encode())
    with store, pytest.raises(StoreDamaged):
        statements(page, Opinions(store, READER_VERSION))
