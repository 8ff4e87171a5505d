"""The command as scripts run it: a process, with pipes, signals and odd locales."""

from __future__ import annotations

import re
import signal
import subprocess
import threading

import pytest
from loopback import Site, Visit
from shell import PATIENCE, Shell

QUOTE = "Nous parrainons: “we sponsor J‑1 visas only” – résidence №1 Ω."
PAGE = f"<meta charset=utf-8><title>Visas</title><p>{QUOTE}</p>".encode()


def test_standard_output_has_the_json_and_nothing_else(shell: Shell, web: Site) -> None:
    web.page("/visas", PAGE)
    shell.watch({"larkspur": web.url("/visas"), "sorrel": web.url("/gone")})
    shell.options = ["-v"]
    said = shell.process("crawl", "--json", "--allow-host", web.host)
    assert [line["cycle"] for line in said.json] == [1]
    assert [line["health"] for line in shell.process("policies", "--json").json] == ["ok", "gone"]


@pytest.mark.parametrize(("locale", "encoding"), [("C", "utf-8"), ("POSIX", "ascii")])
def test_any_locale_prints_any_quote(shell: Shell, locale: str, encoding: str) -> None:
    env = {"LC_ALL": locale, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    said = shell.process("classify", "--json", stdin=PAGE, env=env)
    assert QUOTE in {evidence["quote"] for evidence in said.json[0]["evidence"]}


@pytest.mark.parametrize("arguments", [("--json",), ()])
def test_a_reader_that_has_seen_enough_is_no_fault(
    shell: Shell, arguments: tuple[str, ...]
) -> None:
    shell.watch({f"program-{n}": f"https://p{n}.example/" for n in range(1000)})
    with subprocess.Popen(
        shell.command("programs", "list", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=shell.environment(),
        cwd=shell.folder,
    ) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        assert listing.stdout.read(20)
        listing.stdout.close()  # far more is to come than a pipe holds
        said = listing.stderr.read().decode()
        assert listing.wait(PATIENCE) in (0, 1)
    assert "Traceback" not in said
    assert "Exception" not in said


def crawling(shell: Shell, site: Site) -> subprocess.Popen[str]:
    """A cycle in a process of its own."""
    return subprocess.Popen(
        shell.command("crawl", "--json", "--allow-host", site.host),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=shell.environment(),
        cwd=shell.folder,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_cycle_that_was_ended_is_gone_on_with(
    shell: Shell, web: Site, number: signal.Signals
) -> None:
    def end_and_answer(visit: Visit) -> None:
        crawl.send_signal(number)
        visit.send(PAGE)

    web.route("/slow", end_and_answer)
    web.page("/quick", PAGE)
    shell.watch({"larkspur": web.url("/slow"), "sorrel": web.url("/quick")})
    crawl = crawling(shell, web)
    out, err = crawl.communicate(timeout=PATIENCE)
    killed = number == signal.SIGKILL
    assert (crawl.returncode, out) == (-number if killed else 1, "")
    assert killed or ("stopped in cycle 1" in err and "Traceback" not in err)

    web.page("/slow", PAGE)
    assert shell.crawl(web.host)["cycle"] == 1
    assert [policy["health"] for policy in shell.policies().values()] == ["ok", "ok"]
    assert shell.changes() == []


def test_a_second_cycle_at_the_same_time_is_refused(shell: Shell, web: Site) -> None:
    opened = threading.Event()

    def answer_late(visit: Visit) -> None:
        if len(web.visits_of("/slow")) == 1:  # else it is the second cycle, which should not be
            opened.wait(PATIENCE)
        visit.send(PAGE)

    web.route("/slow", answer_late)
    shell.watch({"larkspur": web.url("/slow")})
    shell.settings = {"crawl": {"timeout_seconds": PATIENCE}}
    first = crawling(shell, web)
    web.wait_for("/slow")
    try:
        said = shell("crawl", "--allow-host", web.host, status=1).err
    finally:
        opened.set()
        out, _ = first.communicate(timeout=PATIENCE)
    assert f"a cycle is under way: process {first.pid} on " in said
    assert first.returncode == 0
    assert '"fetched": 1' in out


def test_a_schedule_runs_until_it_is_told_to_stop(shell: Shell) -> None:
    shell.options = ["-v"]
    with subprocess.Popen(
        shell.command("schedule"),
        stderr=subprocess.PIPE,
        text=True,
        env=shell.environment(),
        cwd=shell.folder,
    ) as schedule:
        assert schedule.stderr is not None
        # Each night, or each of so many: that is as the season's date today has it.
        assert re.match("a cycle each .*at 02:00 UTC", schedule.stderr.readline())
        assert any("next cycle: " in line for line in schedule.stderr)
        schedule.send_signal(signal.SIGTERM)
        assert "Traceback" not in schedule.stderr.read()
        assert schedule.wait(PATIENCE) == 0


def test_the_demo_shows_four_changes_and_can_be_looked_into(shell: Shell) -> None:
    said = shell.bare("demo", "--keep", "kept")
    assert said.err == ""
    assert "4 changes to review" in said.out
    assert "H-1B:      not sponsored -> sponsored" in said.out  # a mail
    assert "A target list" in said.out
    found = shell.bare("--db", "kept/visawatch.db", "changes", "--json").json
    assert [change["status"] for change in found] == ["open"] * 4
    assert all(f"#{change['id']} {change['severity']} " in said.out for change in found)
    assert not (shell.folder / "visawatch.db").exists()
    assert "another folder" in shell.bare("demo", "--keep", "kept", status=2).err
