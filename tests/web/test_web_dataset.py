"""The public data set as others open it: SQLite, CSV and JSON, over three nights of the demo."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from serving import NOON, Served

from monitor.review import decide
from store import changes, policies, programs
from store.database import Store
from store.dataset import TABLES, VIEWS
from store.records import Program, Standing, stamp
from visawatch import dataset

FORMULA = '=HYPERLINK("http://evil.example", "J-1")'


def made(database: Path) -> dict[str, bytes]:
    with Store(database) as store:
        return dataset.files(store, stale_after_cycles=3, base_url="https://visas.example")


@pytest.fixture(scope="module")
def files(watched: Path) -> dict[str, bytes]:
    return made(watched)


@pytest.fixture(scope="module")
def db(files: dict[str, bytes]) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as db:
        db.deserialize(files["visawatch.db"])
        db.row_factory = sqlite3.Row
        yield db


def table(files: dict[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[f"csv/{name}.csv"].decode("utf-8-sig"))))


def test_the_file_is_whole_and_its_keys_lead_somewhere(db: sqlite3.Connection) -> None:
    assert [row[0] for row in db.execute("PRAGMA integrity_check")] == ["ok"]
    assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    links = {
        (t.name, row["from"], row["table"])
        for t in TABLES
        for row in db.execute(f"PRAGMA foreign_key_list([{t.name}])")
    }
    assert links == {(t.name, c.name, c.of) for t in TABLES for c in t.columns if c.of}
    for view in VIEWS:
        assert db.execute(f"SELECT * FROM [{view.name}]").fetchall()


def test_sqlite_csv_and_the_api_say_the_same(
    files: dict[str, bytes], db: sqlite3.Connection, public: Served
) -> None:
    for t in TABLES:
        rows = [dict(row) for row in db.execute(f"SELECT * FROM [{t.name}]")]
        assert [
            {key: "" if value is None else str(value) for key, value in row.items()} for row in rows
        ] == table(files, t.name)
        assert t.name == "institutions" or rows
    assert len(table(files, "programs")) == 17
    for line in files["json/programs.jsonl"].splitlines():
        one = json.loads(line)
        theirs = public.get(f"/api/v1/programs/{one['program_id']}").json()
        assert theirs.pop("coordinator_email") is not None
        assert one == theirs
    told = public.get("/api/v1/changes?limit=200").json()["items"]
    lines = files["json/changes.jsonl"].splitlines()
    assert [json.loads(line) for line in reversed(lines)] == told


def test_what_is_written_can_be_searched(db: sqlite3.Connection) -> None:
    found = db.execute(
        "SELECT p.program_id FROM programs_fts f JOIN programs p ON p.rowid = f.rowid"
        " WHERE programs_fts MATCH 'gullwing dermatology'"
    ).fetchall()
    assert [row[0] for row in found] == ["gullwing-point-dermatology"]
    assert db.execute("SELECT 1 FROM evidence_fts WHERE evidence_fts MATCH 'sponsor'").fetchone()


def test_every_table_and_column_is_described(
    files: dict[str, bytes], db: sqlite3.Connection
) -> None:
    """As docs.datasette.io/en/stable/metadata.html and the Data Package specification have it."""
    metadata = json.loads(files["metadata.json"])
    assert "not legal advice" in metadata["description"]
    assert metadata["about_url"] == "https://visas.example"
    described = metadata["databases"]["visawatch"]["tables"]
    package = json.loads(files["csv/datapackage.json"])["resources"]
    assert [resource["name"] for resource in package] == [t.name for t in TABLES]
    for resource in package:
        columns = [row["name"] for row in db.execute(f"PRAGMA table_info({resource['name']})")]
        assert [field["name"] for field in resource["schema"]["fields"]] == columns
        one = described[resource["name"]]
        assert one["title"]
        assert list(one["columns"]) == columns
        assert all(one["columns"].values())
        assert set(one.get("facets", ())) <= set(columns)
        assert one.get("label_column", columns[0]) in columns
        assert f"csv/{resource['path']}" in files
    for view in VIEWS:
        one = described[view.name]
        assert one["description"]
        columns = [row["name"] for row in db.execute(f"PRAGMA table_info({view.name})")]
        assert list(one["columns"]) == columns
        assert all(one["columns"].values())


def test_the_same_database_gives_the_same_bytes(files: dict[str, bytes], watched: Path) -> None:
    assert made(watched) == files


def test_reviewed_is_told_and_who_did_it_is_not(database: Path) -> None:
    def marks(files: dict[str, bytes]) -> dict[str, dict[str, str]]:
        return {row["program_id"]: row for row in table(files, "programs")}

    with Store(database) as store:
        change = next(c for c in changes.listed(store) if c.severity != "minor")
        assert marks(made(database))[change.program_id]["reviewed"] == ""
        decide(store, change.id, "accepted", by="zoe", note="called them", now=NOON)
        with store.writing():
            programs.save(store, [Program("new", "New Hospital", "Surgery")])
    files = made(database)
    row = marks(files)[change.program_id]
    assert (row["reviewed"], row["reviewed_at"]) == ("accepted", stamp(NOON))
    assert marks(files)["new"]["category"] == ""
    (told,) = [r for r in table(files, "changes") if r["change_id"] == str(change.id)]
    assert (told["status"], told["decided_by"]) == ("accepted", "maintainer")
    for data in files.values():
        assert b"zoe" not in data
        assert b"called them" not in data


def test_hostile_text_is_text(database: Path) -> None:
    policy: dict[str, Any] = {
        "category": "unclear",
        "stances": {"J-1": "not_sponsored"},
        "conditions": [],
        "confidence": 0.5,
        "needs_review": True,
        "evidence": [
            {"visa": "J-1", "stance": "not_sponsored", "quote": FORMULA, "start": 0, "end": 1,
             "rules": [], "url": "javascript:alert(1)"}
        ],
    }  # fmt: skip
    with Store(database) as store, store.writing():
        programs.save(store, [Program("evil", "+cmd|' /C calc'!A0", "'; DROP TABLE programs;--")])
        policies.record(store, Standing("evil", stamp(NOON), "read", policy, policy))
    files = made(database)
    cells = [c for name in ("evidence", "programs") for r in table(files, name) for c in r.values()]
    assert f"'{FORMULA}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    with closing(sqlite3.connect(":memory:")) as db:
        db.deserialize(files["visawatch.db"])
        quotes = db.execute("SELECT quote FROM evidence WHERE program_id = 'evil'").fetchall()
    assert quotes == [(FORMULA,)]
