"""One cycle at a time, gone on with when it was stopped; and rules that change between nights."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

import pytest
from conftest import BOTH, FIRST_NIGHT, J1_ONLY, Watch
from loopback import Visit

from extractors import RULES_VERSION, Policy, Stance, Statement, Visa, read_page
from monitor.cycle import CycleBusy, CycleStopped, Stop
from monitor.rules import apply, reclassify
from store import cycles
from store.records import Program

HOLD = """
import sys
from datetime import UTC, datetime
from store import leases
from store.database import Store
with Store(sys.argv[1]) as store:
    leases.take(store, "cycle", datetime.now(UTC))
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_told_who_runs_the_cycle(watch: Watch) -> None:
    command = [sys.executable, "-c", HOLD, str(watch.store.path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CycleBusy, match=f"process {holder.pid} on .* is already running it"):
            watch.night()
        holder.kill()
    assert watch.night().cycle == 1  # a killed holder holds nothing


def test_a_stopped_cycle_is_gone_on_with(watch: Watch) -> None:
    for n in range(4):
        watch.program(f"/{n}", f"p{n}")
    stop = Stop()

    def stopping(visit: Visit) -> None:
        stop.request()
        visit.send(J1_ONLY.encode())

    for n in range(4):
        watch.site.route(f"/{n}", stopping)
    with pytest.raises(CycleStopped, match="the next run goes on from here"):
        watch.night(stop=stop)
    seen = len(cycles.observed(watch.store, 1))
    assert seen == 1  # the page in hand, and no other
    assert watch.night().cycle == 1
    assert sorted(p for p in watch.site.paths() if p != "/robots.txt") == ["/0", "/1", "/2", "/3"]
    assert watch.night().cycle == 2


def test_only_some_programs_can_be_crawled(watch: Watch) -> None:
    for n in range(3):
        watch.program(f"/{n}", f"p{n}")
        watch.site.page(f"/{n}", J1_ONLY)
    summary = watch.night(only=["p1"])
    assert (summary.programs, summary.fetched) == (1, 1)
    assert [watch.category(f"p{n}") for n in range(3)] == ["never seen", "j1_only", "never seen"]


def old_rules_read(watch: Watch, statements: Sequence[Statement], policy: Policy) -> None:
    """As if the rules of an earlier version had read all pages, and read this in them."""
    stated = json.dumps([statement.to_json() for statement in statements])
    text = json.dumps(policy.to_json())
    with watch.store.writing():
        watch.store.write("UPDATE readings SET rules = 'older', statements = ?", (stated,))
        watch.store.write("UPDATE policies SET policy = ?1, reading = ?1", (text,))


def misread(watch: Watch) -> None:
    """The first night's page, of which older rules saw only the J-1 half."""
    watch.program()
    watch.site.page("/visa", BOTH)
    watch.night()
    status = watch.status().policy
    assert status is not None
    half = tuple(e for e in status.evidence if e.visa is Visa.J1)
    statements = [s for s in read_page(BOTH.encode()) if s.visa is Visa.J1]
    policy = Policy(((Visa.J1, Stance.SPONSORED),), evidence=half)
    old_rules_read(watch, statements, policy)
    assert watch.category() == "j1_h1b_unstated"


def test_what_only_the_rules_changed_is_not_flagged(watch: Watch) -> None:
    misread(watch)
    watch.site.page("/visa", BOTH + "<p>a new footer</p>")
    assert watch.night().changes == 0
    assert watch.category() == "j1_h1b_unstated"  # until somebody has seen the flip


def test_what_the_page_changed_under_new_rules_is_flagged(watch: Watch) -> None:
    misread(watch)
    watch.site.page("/visa", J1_ONLY)
    assert watch.night().changes == 1
    assert watch.category() == "j1_only"


def test_reclassify_shows_flips_and_writes_only_when_told(watch: Watch) -> None:
    misread(watch)
    result = reclassify(watch.store)
    assert [flip.program_id for flip in result.flips] == ["im"]
    assert watch.category() == "j1_h1b_unstated"
    apply(watch.store, result, FIRST_NIGHT)
    assert watch.category() == "j1_and_h1b"
    assert watch.changes() == []
    rules = {row["rules"] for row in watch.store.rows("SELECT rules FROM readings")}
    assert rules == {RULES_VERSION}
    assert reclassify(watch.store).flips == ()


def test_pages_that_several_programs_find_are_their_institutions(watch: Watch) -> None:
    apply_link = '<p><a href="/gme/visa">Visa policy</a></p>'
    names = ("medicine", "surgery")
    for name in names:
        watch.site.page(f"/{name}", f"<h1>{name}</h1><p>Welcome to us.</p>{apply_link}")
    watch.site.page("/gme/visa", J1_ONLY)
    watch.programs(*(Program(n, "Fernway", n, website_url=watch.site.url(f"/{n}")) for n in names))
    watch.night()
    assert [watch.category(n) for n in names] == ["j1_only", "j1_only"]
    assert [watch.status(n).inherited_from for n in names] == ["Fernway", "Fernway"]
    before = len(watch.site.paths())
    watch.night()
    assert watch.site.paths()[before:] == ["/robots.txt", "/gme/visa"]
