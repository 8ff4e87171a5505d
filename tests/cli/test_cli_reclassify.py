"""`visawatch reclassify`: better rules over stored pages are no news of a program."""

from __future__ import annotations

import pytest
from loopback import Site
from shell import Shell

from store.database import Store

PAGE = "<title>Visas</title><h1>Visas</h1><p>We sponsor J-1 visas only.</p>"
KEYS = ["program_id", "kind", "severity", "before", "after"]


@pytest.fixture
def stale(shell: Shell, web: Site) -> Shell:
    """A program whose page was read by older rules, which took `only` for nothing."""
    web.page("/visas", PAGE)
    shell.watch({"larkspur": web.url("/visas")})
    shell.crawl(web.host)
    with Store(shell.db) as store, store.writing():
        older = "json_set(json_remove({}, '$.stances.\"H-1B\"'), '$.category', 'j1_h1b_unstated')"
        policy, reading = older.format("policy"), older.format("reading")
        half = (
            "(SELECT json_group_array(json(value)) FROM json_each(statements)"
            " WHERE json_extract(value, '$.visa') = 'J-1')"
        )
        store.write(f"UPDATE readings SET rules = 'older', statements = {half}")
        store.write(f"UPDATE policies SET policy = {policy}, reading = {reading}")
    assert shell.policies()["larkspur"]["category"] == "j1_h1b_unstated"
    return shell


def test_what_would_flip_is_shown_and_not_written(stale: Shell) -> None:
    said = stale("reclassify", "--json")
    (flip,) = said.json
    assert list(flip) == KEYS
    assert flip["program_id"] == "larkspur"
    assert flip["before"]["category"] == "j1_h1b_unstated"
    assert flip["after"]["category"] == "j1_only"
    assert "1 pages read by new rules, 1 policies flip: nothing written" in said.err
    assert "J-1, H-1B not stated -> J-1 only" in stale("reclassify").out
    assert stale.policies()["larkspur"]["category"] == "j1_h1b_unstated"


def test_applying_writes_it_and_flags_nothing(stale: Shell) -> None:
    assert "1 policies flip: written" in stale("reclassify", "--apply").err
    assert stale.policies()["larkspur"]["category"] == "j1_only"
    assert stale.changes() == []
    again = stale("reclassify", "--apply", "--json")
    assert again.out == ""
    assert "0 pages read by new rules, 0 policies flip" in again.err


def test_a_cycle_with_new_rules_flags_nothing(stale: Shell, web: Site) -> None:
    assert stale.crawl(web.host)["changes"] == 0
    assert stale.changes() == []


def test_a_decision_of_a_maintainer_is_kept(stale: Shell) -> None:
    with Store(stale.db) as store, store.writing():
        store.write("UPDATE policies SET origin = 'corrected'")
    stale("reclassify", "--apply")
    assert stale.policies()["larkspur"]["category"] == "j1_h1b_unstated"
    assert stale("reclassify", "--json").out == ""
