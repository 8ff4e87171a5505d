"""The bytes of pages, stored once each, and what the rules made of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import zstandard

from store.database import Store
from store.errors import StoreDamaged

_LEVEL = 3  # of zstandard
_decompress = zstandard.ZstdDecompressor().decompress


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A stored body."""

    id: int
    sha256: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """A body as it is stored."""

    sha256: bytes
    size: int
    compressed: bytes


def pack(body: bytes) -> Packed:
    """Hashes and compresses a body; other threads can run meanwhile."""
    return Packed(hashlib.sha256(body).digest(), len(body), zstandard.compress(body, _LEVEL))


def keep(store: Store, packed: Packed, content_type: str) -> int:
    """The id of the snapshot with these bytes, stored now if it is new. Inside `writing()`."""
    found = store.rows("SELECT id FROM snapshots WHERE sha256 = ?", (packed.sha256,))
    if found:
        return int(found[0]["id"])
    return store.write(
        "INSERT INTO snapshots (sha256, content_type, size, body) VALUES (?, ?, ?, ?)",
        (packed.sha256, content_type, packed.size, packed.compressed),
    )


def get(store: Store, snapshot_id: int) -> Snapshot:
    """One snapshot, unpacked. Raises StoreDamaged when these are not the bytes that were kept."""
    row = store.rows("SELECT * FROM snapshots WHERE id = ?", (snapshot_id,))[0]
    digest = row["sha256"].hex()
    try:
        body = _decompress(row["body"], max_output_size=row["size"])
    except zstandard.ZstdError as error:
        raise _damaged(store, digest, str(error)) from error
    if hashlib.sha256(body).digest() != row["sha256"]:
        raise _damaged(store, digest, "its bytes have another hash")
    return Snapshot(row["id"], digest, row["content_type"], body)


def matching(store: Store, prefix: str, *, most: int = 20) -> list[str]:
    """The hashes that begin with `prefix` (hexadecimal, up to 64 digits), the first `most`."""
    low, high = bytes.fromhex(prefix.ljust(64, "0")), bytes.fromhex(prefix.ljust(64, "f"))
    rows = store.rows(
        "SELECT sha256 FROM snapshots WHERE sha256 BETWEEN ? AND ? ORDER BY sha256 LIMIT ?",
        (low, high, most),
    )
    return [row["sha256"].hex() for row in rows]


def _damaged(store: Store, digest: str, why: str) -> StoreDamaged:
    return StoreDamaged(
        f"{store.path}: the stored bytes of snapshot {digest} are damaged ({why}). "
        "Take them from a backup; every other snapshot can still be read."
    )


def save_reading(
    store: Store, snapshot_id: int, rules: str, statements: list[dict[str, Any]]
) -> None:
    """Keeps what rules of version `rules` read in a snapshot. Inside `writing()`."""
    store.write(
        "INSERT INTO readings VALUES (?, ?, ?) ON CONFLICT (snapshot_id)"
        " DO UPDATE SET rules = excluded.rules, statements = excluded.statements",
        (snapshot_id, rules, json.dumps(statements, ensure_ascii=False) if statements else None),
    )


def is_read(store: Store, snapshot_id: int, rules: str) -> bool:
    """Whether rules of this version have read the snapshot."""
    return bool(
        store.rows(
            "SELECT 1 FROM readings WHERE snapshot_id = ? AND rules = ?", (snapshot_id, rules)
        )
    )


def readings(store: Store, snapshot_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """By snapshot id, the statements of those that were read; none for a page without any."""
    rows = store.rows(
        "SELECT snapshot_id, statements FROM readings WHERE snapshot_id IN"
        " (SELECT value FROM json_each(?))",
        (json.dumps(sorted(snapshot_ids)),),
    )
    return {row["snapshot_id"]: json.loads(row["statements"] or "[]") for row in rows}


def hashes(store: Store, snapshot_ids: Collection[int], rules: str | None = None) -> dict[int, str]:
    """By snapshot id, its SHA-256 in hexadecimal; of those that `rules` have read, if given."""
    rows = store.rows(
        "SELECT id, sha256 FROM snapshots s WHERE id IN (SELECT value FROM json_each(?1))"
        " AND (?2 IS NULL OR EXISTS"
        " (SELECT 1 FROM readings r WHERE r.snapshot_id = s.id AND r.rules = ?2))",
        (json.dumps(sorted(snapshot_ids)), rules),
    )
    return {row["id"]: row["sha256"].hex() for row in rows}


def unread(store: Store, rules: str) -> list[int]:
    """The snapshots that rules of another version have read, or none; oldest first."""
    rows = store.rows(
        "SELECT s.id FROM snapshots s LEFT JOIN readings r ON r.snapshot_id = s.id"
        " WHERE r.rules IS NOT ? ORDER BY s.id",
        (rules,),
    )
    return [row["id"] for row in rows]


def with_hashes(store: Store, hashes: Collection[str]) -> list[int]:
    """The ids of the snapshots with these SHA-256 hashes (hexadecimal)."""
    found = [
        store.rows("SELECT id FROM snapshots WHERE sha256 = ?", (bytes.fromhex(digest),))
        for digest in sorted(hashes)
    ]
    return [row["id"] for rows in found for row in rows]
