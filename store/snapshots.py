"""The bytes of pages, stored once each, and what the rules made of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import zstandard

from store.database import Store

_compress = zstandard.ZstdCompressor(level=6).compress
_decompress = zstandard.ZstdDecompressor().decompress


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stored body."""

    id: int
    sha256: str
    content_type: str
    body: bytes


def keep(store: Store, body: bytes, content_type: str) -> int:
    """The id of the snapshot with these bytes, stored now if it is new. Inside `writing()`."""
    digest = hashlib.sha256(body).digest()
    found = store.rows("SELECT id FROM snapshots WHERE sha256 = ?", (digest,))
    if found:
        return int(found[0]["id"])
    return store.write(
        "INSERT INTO snapshots (sha256, content_type, size, body) VALUES (?, ?, ?, ?)",
        (digest, content_type, len(body), _compress(body)),
    )


def all_of(store: Store) -> Iterator[Snapshot]:
    """Every snapshot, oldest first, one in memory at a time."""
    for row in store.rows("SELECT id FROM snapshots ORDER BY id"):
        yield get(store, row["id"])


def get(store: Store, snapshot_id: int) -> Snapshot:
    """One snapshot, unpacked."""
    row = store.rows("SELECT * FROM snapshots WHERE id = ?", (snapshot_id,))[0]
    return Snapshot(
        row["id"],
        row["sha256"].hex(),
        row["content_type"],
        _decompress(row["body"], max_output_size=row["size"]),
    )


def hash_of(store: Store, snapshot_id: int) -> str:
    """The SHA-256 of one snapshot, in hexadecimal."""
    row = store.rows("SELECT sha256 FROM snapshots WHERE id = ?", (snapshot_id,))[0]
    return str(row["sha256"].hex())


def save_reading(store: Store, snapshot_id: int, rules: str, policy: dict[str, Any] | None) -> None:
    """Keeps what rules of version `rules` read in a snapshot. Inside `writing()`."""
    store.write(
        "INSERT INTO readings VALUES (?, ?, ?) ON CONFLICT (snapshot_id)"
        " DO UPDATE SET rules = excluded.rules, policy = excluded.policy",
        (snapshot_id, rules, None if policy is None else json.dumps(policy, ensure_ascii=False)),
    )


def reading(store: Store, snapshot_id: int, rules: str) -> tuple[bool, dict[str, Any] | None]:
    """Whether these rules have read the snapshot, and what they read in it (None: nothing)."""
    rows = store.rows(
        "SELECT policy FROM readings WHERE snapshot_id = ? AND rules = ?", (snapshot_id, rules)
    )
    if not rows:
        return False, None
    text = rows[0]["policy"]
    return True, None if text is None else json.loads(text)
