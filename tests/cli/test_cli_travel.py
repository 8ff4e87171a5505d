"""`history`, `replay`, `snapshot` and `export --warc` over the demo's database."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from shell import Shell
from warcio.archiveiterator import ArchiveIterator

from store import snapshots
from store.database import Store


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell in the folder of a demo that is over, with one of its changes corrected."""
    shell = Shell(tmp_path_factory.mktemp("travel") / "demo")
    shell.folder.mkdir()
    assert shell("demo", "--keep", str(shell.folder)).status == 0
    by = ("--by", "Ana\x1b[2J", "--note", "asked the coordinator")
    shell("review", "4", "correct", "--j1", "sponsored", "--h1b", "conditional", *by)
    return shell


def program(shell: Shell) -> str:
    return str(shell.changes()[3]["program_id"])


def test_history_for_people(demo: Shell) -> None:
    said = demo("history", program(demo)).out
    assert "Season of the " in said
    assert "corrected by Ana[2J on " in said, "a name cannot move the cursor"
    assert "asked the coordinator" in said
    assert said.index("J-1 only") < said.index("#4 critical") < said.index("case by case")
    assert "“" in said
    assert ", snapshot " in said


def test_history_for_programs(demo: Shell) -> None:
    lines = demo("history", program(demo), "--json").json
    policies = [line for line in lines if line["entry"] == "policy"]
    assert [p["channel"] for p in policies] == ["website", "website", "maintainer"]
    assert [p["began"] for p in policies] == ["first_sight", "change", "review"]
    assert [p["until"] for p in policies] == [policies[1]["at"], policies[2]["at"], None]
    assert policies[2]["reviews"][0]["note"] == "asked the coordinator"
    assert policies[1]["policy"]["evidence"][0]["quote"]
    assert "context" not in policies[1]["policy"]["evidence"][0]
    change = next(line for line in lines if line["entry"] == "change")
    assert (change["change"]["id"], change["change"]["status"]) == (4, "corrected")


def test_replay_of_the_demo_is_the_same(demo: Shell) -> None:
    lines = demo("replay", "--from", "2026-01-01", "--json").json
    assert [line["verdict"] for line in lines] == ["same"] * 4
    assert [line["then"]["id"] for line in lines] == [1, 2, 3, 4]
    said = demo("replay", "--from", "2026-01-01", "--program", program(demo))
    assert said.out.count("= same: #4") == 1
    assert "1 same, 0 otherwise, 0 would be new" in said.err


def test_what_replay_cannot_do(demo: Shell) -> None:
    assert "no cycle began in that time" in demo("replay", "--from", "2090-01-01", status=1).err
    assert "--from" in demo("replay", status=2).err
    assert "is not a time" in demo("replay", "--from", "yesterday", status=2).err
    turned = demo("replay", "--from", "2026-02-01", "--to", "2026-01-01", status=2)
    assert "--to is before --from" in turned.err


def test_snapshot_gives_the_bytes(demo: Shell, tmp_path: Path) -> None:
    digest = demo.changes()[3]["after"]["evidence"][0]["snapshot"]
    for name in (digest, digest[:12], "change:4", "change:4:after"):
        out = tmp_path / "page"
        said = demo("snapshot", name, "--out", str(out))
        assert hashlib.sha256(out.read_bytes()).hexdigest() == digest
        assert digest in said.err
    before = tmp_path / "before"
    demo("snapshot", "change:4:before", "--out", str(before))
    assert before.read_bytes() != out.read_bytes()
    piped = demo("snapshot", "change:1")
    assert piped.out.startswith("<!DOCTYPE html>")
    assert "no change 99" in demo("snapshot", "change:99", status=1).err
    assert "names no snapshot" in demo("snapshot", "4", status=1).err


def test_the_archive_holds_every_snapshot(demo: Shell, tmp_path: Path) -> None:
    file = tmp_path / "pages.warc.gz"
    said = demo("export", "--warc", str(file)).out
    with file.open("rb") as stream:
        bodies = [
            record.content_stream().read()
            for record in ArchiveIterator(stream, check_digests="raise")
            if record.rec_type == "resource"
        ]
    with Store(demo.db) as store:
        ids = [row["id"] for row in store.rows("SELECT id FROM snapshots")]
        assert set(bodies) == {snapshots.get(store, i).body for i in ids}
    assert f"{len(bodies)} pages in" in said
    again = tmp_path / "again" / file.name
    again.parent.mkdir()
    demo("export", "--warc", str(again))
    assert again.read_bytes() == file.read_bytes()


def test_what_export_cannot_do(demo: Shell, tmp_path: Path) -> None:
    assert "name a DIR" in demo("export", status=2).err
    assert "for --warc" in demo("export", str(tmp_path / "x"), "--program", "im", status=2).err
    file = tmp_path / "pages.warc.gz"
    none = demo("export", "--warc", str(file), "--from", "2090-01-01", status=1)
    assert "no page was seen then" in none.err
    assert "no program 'im'" in demo("export", "--warc", str(file), "--program", "im", status=1).err
    lost = demo("export", "--warc", str(tmp_path / "no" / "pages.warc.gz"), status=1)
    assert "make the folder" in lost.err
    assert list(tmp_path.iterdir()) == []
