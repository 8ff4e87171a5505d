"""The comparison with other watchers: what they tell is read, and judged, as it should be."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.peers import __main__ as peers
from benchmarks.peers import usage
from benchmarks.peers.reports import Entry, entries, notification
from benchmarks.peers.scoring import Tally, tally
from benchmarks.peers.values import Alert, PeerError, Usage, program, watched
from benchmarks.simweb.server import Served
from benchmarks.simweb.truth import Due
from benchmarks.simweb.words import Meaning
from benchmarks.simweb.world import build

HERE = Path(__file__).parent
J1, BOTH = Meaning(frozenset({("J-1", "sponsored")})), Meaning()
SURGERY = frozenset({"surgery"})


def due(night: int, kind: str = "changed", program_id: str = "surgery") -> Due:
    return Due(program_id, night, night, kind, J1, BOTH)


def alert(night: int, text: str = "", about: str = "0/surgery", **more: object) -> Alert:
    return Alert(night, about, **{"programs": SURGERY, "text": text, **more})  # type: ignore[arg-type]


def counted(found: Tally) -> tuple[int, int, int, int, int]:
    return (
        len(found.right),
        len(found.missed),
        len(found.false),
        len(found.doubles),
        found.errors,
    )


@pytest.mark.parametrize(
    ("peer", "changed", "text"),
    [
        (
            "urlwatch",
            "6/neurology",
            "Home  \nNeurology  \nPediatrics  ",
        ),
        (
            "webchanges",
            "14/psychiatry",
            "  * Home\nYour privacy matters to us: choose which cookies you allow.",
        ),
    ],
)
def test_a_recorded_report_is_read(peer: str, changed: str, text: str) -> None:
    found = list(entries((HERE / f"{peer}.txt").read_text()))
    assert [entry.kind for entry in found] == ["change", "gone", "error"]
    assert found[0].name == changed
    assert "\n".join(line for line in found[0].text.splitlines() if line.strip()) == text
    assert found[1].text.startswith("404 Client Error")
    assert list(entries("")) == []


def test_recorded_notifications_are_read() -> None:
    lines = (HERE / "changedetection.jsonl").read_bytes().splitlines()
    assert [notification(line) for line in lines] == [
        Entry(
            "4/urology/faq", "Our program sponsors J-1 visas only; H-1B visas are not sponsored."
        ),
        Entry("4/urology", ""),
    ]


def test_what_is_told_in_time_is_right_and_the_rest_is_not() -> None:
    alerts = [alert(3, "both"), alert(5, "news"), alert(9, "both")]
    assert counted(tally([due(3), due(12)], alerts)) == (1, 1, 1, 1, 0)
    assert tally([due(3), due(12)], alerts).changes == 2


@pytest.mark.parametrize(("night", "right"), [(1, 0), (2, 1), (4, 1), (5, 0)])
def test_a_change_may_be_told_a_night_early_or_late(night: int, right: int) -> None:
    assert counted(tally([due(3)], [alert(night)])) == (right, 1 - right, 1 - right, 0, 0)


def test_the_page_of_an_office_tells_the_change_of_each_of_its_programs() -> None:
    both = frozenset({"surgery", "urology"})
    told = alert(3, about="0/office", programs=both)
    found = tally([due(3), due(3, program_id="urology")], [told])
    assert (counted(found), found.changes) == ((1, 0, 0, 0, 0), 2)


def test_the_second_page_of_a_program_repeats_the_first() -> None:
    assert counted(tally([due(3)], [alert(3), alert(3, about="0/surgery/faq")])) == (1, 0, 0, 1, 0)


def test_an_error_tells_no_more_than_that_a_page_is_gone() -> None:
    gone, broken = alert(3, kind="gone"), alert(3, kind="error")
    assert counted(tally([due(3, "gone")], [gone])) == (1, 0, 0, 0, 0)
    assert counted(tally([due(3, "gone")], [broken])) == (0, 1, 0, 0, 1)
    assert counted(tally([due(3)], [gone, broken])) == (0, 1, 0, 0, 2)


def test_a_change_that_could_not_be_due_may_be_told() -> None:
    assert tally([due(9, "unfinished")], []).changes == 0
    assert counted(tally([due(9, "unfinished")], [alert(9)])) == (1, 0, 0, 0, 0)


def test_the_goals_are_judged_beside_the_quietest_peer() -> None:
    def row(tool: str, false: int, cpu: float) -> peers.Row:
        found = Tally(changes=5, false=[alert(1)] * false)
        return peers.Row(tool, "best", found, Usage(cpu=cpu), checks=1000)

    loud, dear, cheap = row("loud", 90, 1), row("dear", 40, 9), row("cheap", 40, 8)
    others = [loud, dear, cheap]
    assert [s.split(":")[0] for s in peers.verdict(row("ours", 2, 8), others)] == ["reached"] * 2
    assert [s.split(":")[0] for s in peers.verdict(row("ours", 3, 8.5), others)] == ["MISSED"] * 2
    assert "cheap" in peers.verdict(row("ours", 2, 8), others)[0]


def test_every_setting_can_be_read() -> None:
    for peer in peers.PEERS:
        for setting in ("plain", "best"):
            assert "@frame" not in str(peers.settings(peer, setting))
    assert "nav" in str(peers.settings("urlwatch", "best"))


def test_all_pages_that_speak_for_a_program_are_watched_once() -> None:
    world = build(1, 20, 1)
    pages = watched(world, Served(80, sys.stdout, sys.stdin))
    assert len({page.url for page in pages}) == len(pages)
    spoken = {each.id for each in world.programs}
    assert frozenset().union(*(page.programs for page in pages)) == spoken
    office = next(page for page in pages if page.key.endswith("/office"))
    assert len(office.programs) > 1


def test_a_process_and_its_children_are_measured() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}]); print('x')"
    used = Usage()
    output = usage.run([sys.executable, "-c", child], used, env={}, timeout=60, ok=(0,))
    assert output == "x\n"
    assert used.cpu >= 0.3
    assert used.wall >= 0.3
    assert used.peak > 1_000_000


def test_a_peer_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(PeerError, match=r"ended with 3:\nno such filter"):
        usage.run(
            [sys.executable, "-c", "import sys; print('no such filter'); sys.exit(3)"],
            Usage(),
            env={},
            timeout=60,
            ok=(0,),
        )
    monkeypatch.setattr("benchmarks.peers.values.PEERS", tmp_path)
    with pytest.raises(PeerError, match="make peers"):
        program("urlwatch", "urlwatch")


def test_visawatch_watches_the_same_nights(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--programs", "30", "--nights", "3", "--only", peers.OURS]
    assert peers.main(arguments) == 0
    (row,) = [line for line in capsys.readouterr().out.split("\n") if line.startswith(peers.OURS)]
    alerts, per_change, missed, false, *_ = row.split()[1:]
    assert int(alerts) > 0
    assert (per_change, missed, false) == ("1.00", "0", "0")
