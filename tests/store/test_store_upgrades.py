"""A database of every earlier version, with data of its time, is upgraded and has lost nothing."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import zstandard
from shell import Shell
from sqlite_utils import Database
from test_store_open import schema

from store import proof, snapshots
from store.database import Store
from store.schema import migrations, names

PAGE = b"<title>Visas</title><h1>Visas</h1><p>We sponsor J-1 visas only.</p>"
HASH = hashlib.sha256(PAGE).hexdigest()
EVIDENCE = {
    "visa": "J-1",
    "stance": "sponsored",
    "quote": "We sponsor J-1 visas only.",
    "start": 13,
    "end": 39,
    "rules": ["only-visa"],
    "url": "https://larkspur.example/visas",
    "fetched_at": "2026-11-24T02:00:00Z",
    "snapshot": HASH,
    "context": "We sponsor J-1 visas only.",
}
POLICY = {
    "category": "j1_only",
    "stances": {"J-1": "sponsored", "H-1B": "not_sponsored"},
    "conditions": [{"visa": "J-1", "kind": "ecfmg_certified"}],
    "confidence": 0.97,
    "needs_review": False,
    "evidence": [EVIDENCE],
}
BEFORE = {
    "category": "unstated",
    "stances": {},
    "conditions": [],
    "confidence": 0.5,
    "needs_review": True,
    "evidence": [],
}
WORDS = {
    "policy": json.dumps(POLICY),
    "before": json.dumps(BEFORE),
    "body": zstandard.compress(PAGE).hex(),
    "mail": zstandard.compress(b"Subject: News\r\n\r\nx").hex(),
    "hash": HASH,
}

# By the migration after which it is written: SQL of that time.
_PARTS = re.split(
    r"^-- after (\w+)\n", Path(__file__).with_name("earlier.sql").read_text(), flags=re.MULTILINE
)
DATA = dict(zip(_PARTS[1::2], _PARTS[2::2], strict=True))

# What is to be found after the upgrade of what was written then.
KEPT = {
    "m001_programs_and_pages": [
        (
            "SELECT p.id, i.name, removed_at IS NULL FROM programs p JOIN institutions i"
            " ON i.id = p.institution_id ORDER BY p.id",
            [("gone", "Larkspur Hospital", 0), ("larkspur", "Larkspur Hospital", 1)],
        ),
        (
            "SELECT url, etag, snapshot_id FROM pages",
            [("https://larkspur.example/visas", '"e"', 1)],
        ),
        ("SELECT old_url FROM page_moves", [("https://larkspur.example/old",)]),
        ("SELECT program_id, found FROM watches", [("larkspur", "named")]),
        ("SELECT words LIKE '%larkspur%neurology%' FROM programs WHERE id = 'larkspur'", [(1,)]),
    ],
    "m002_cycles_and_observations": [
        (
            "SELECT id, night, finished_at IS NULL FROM cycles",
            [(1, "2026-11-24T02:00Z", 0), (2, None, 1)],
        ),
        (
            "SELECT cycle_id, health, snapshot_id FROM observations ORDER BY cycle_id",
            [(1, "ok", 1), (2, "gone", None)],
        ),
        ("SELECT health FROM pages", [("gone",)]),
    ],
    "m003_policies_and_changes": [
        (
            "SELECT origin, policy FROM policies ORDER BY id",
            [("read", WORDS["before"]), ("corrected", WORDS["policy"])],
        ),
        ("SELECT review_id FROM policies ORDER BY id", [(None,), (1,)]),
        ("SELECT id, status, after FROM changes", [(7, "corrected", WORDS["policy"])]),
        ("SELECT change_id, verdict, by, note FROM reviews", [(7, "corrected", "ada", "asked")]),
        ("SELECT program_id, kind, cycles FROM pending", [("larkspur", "withdrawn", 1)]),
        (
            "SELECT category, needs_review, confidence FROM standings WHERE category <> 'unseen'",
            [("j1_only", 0, 0.97)],
        ),
        (
            "SELECT visa, stance FROM standing_stances ORDER BY visa",
            [("H-1B", "not_sponsored"), ("J-1", "sponsored")],
        ),
        ("SELECT kind FROM standing_conditions", [("ecfmg_certified",)]),
    ],
    "m004_subscriptions_and_outbox": [
        (
            "SELECT address, state, frequency, token, after_change FROM subscriptions",
            [
                ("Ada@inbox.example", "MA", "daily", "t", 0),
                ("cyd@inbox.example", None, "weekly", "v", 7),
            ],
        ),
        (
            "SELECT id, address, state, attempts, doubts FROM outbox",
            [(3, "Ada@inbox.example", "queued", 2, 0)],
        ),
        (
            "SELECT address, change_id, outbox_id, told FROM mailed",
            [("ada@inbox.example", 7, 3, 1)],
        ),
    ],
    "m006_outages": [("SELECT page_id, reported_cycle, detail FROM outages", [(1, 2, "404")])],
    "m012_review_room": [
        ("SELECT name, role FROM users", [("ada", "admin")]),
        ("SELECT change_id, text FROM remarks", [(7, "I have asked")]),
    ],
    "m014_invitations": [("SELECT key, state FROM invitations", [("ben@inbox.example", "MA")])],
    "m015_waves_and_flaps": [
        ("SELECT wave_id FROM changes", [(1,)]),
        ("SELECT program_id FROM turns", [("larkspur",)]),
    ],
    "m017_reported": [("SELECT what FROM reported", [("outage 1 2",)])],
}


def made(path: Path, version: str) -> list[str]:
    """A database as that version has left it: each step upgraded what the ones before had filed."""
    known = names()
    steps = known[: known.index(version) + 1]
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys = on")
        for name in steps:
            following = known[known.index(name) + 1 :]
            migrations.apply(Database(connection), stop_before=following[:1])
            connection.executescript(DATA.get(name, "").format(**WORDS))
    return steps


@pytest.mark.parametrize("version", names())
def test_a_database_of_this_version_is_upgraded(tmp_path: Path, version: str) -> None:
    shell = Shell(tmp_path, options=["--now", "2026-11-25T09:00:00Z"])
    steps = made(shell.db, version)
    Store(tmp_path / "new.db").close()
    with Store(shell.db) as store:
        assert proof.faults(store) == []
        assert snapshots.get(store, 1).body == PAGE
        for step in steps:
            for question, answer in KEPT.get(step, []):
                assert store.tuples(question) == answer, question
    assert schema(shell.db) == schema(tmp_path / "new.db")

    policies = shell.policies()
    known = "m003_policies_and_changes" in steps
    assert set(policies) == {"larkspur"}
    assert policies["larkspur"]["category"] == ("j1_only" if known else "unstated")
    assert [c["id"] for c in shell.changes()] == ([7] if known else [])
    mails = shell("alerts", "show", "--json").json
    assert [mail["state"] for mail in mails] == ["queued"] * ("m004" in " ".join(steps))
    checks = shell("doctor", "--json", status=1 if len(steps) > 1 else 0).json
    wrong = {line["check"] for line in checks if line["status"] == "wrong"}
    assert wrong <= {"cycle", "outbox"}  # a cycle that was broken off, a mail that waits
