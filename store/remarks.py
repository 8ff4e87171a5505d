"""What is said of a change beside decisions, and corrections that became labelled examples."""

from __future__ import annotations

import json
from collections.abc import Collection

from store.database import Store
from store.records import Example, Remark


def add(store: Store, remark: Remark) -> None:
    """Files a remark, for good. Inside `writing()`."""
    store.write(
        "INSERT INTO remarks (change_id, kind, text, by, at) VALUES (?, ?, ?, ?, ?)",
        (remark.change_id, remark.kind, remark.text, remark.by, remark.at),
    )


def of_changes(store: Store, change_ids: Collection[int]) -> dict[int, list[Remark]]:
    """By change id, all remarks on each of these changes that has any, oldest first."""
    found: dict[int, list[Remark]] = {}
    for row in store.rows(
        "SELECT * FROM remarks WHERE change_id IN (SELECT value FROM json_each(?)) ORDER BY id",
        (json.dumps(sorted(change_ids)),),
    ):
        remark = Remark(row["change_id"], row["kind"], row["text"], row["by"], row["at"])
        found.setdefault(remark.change_id, []).append(remark)
    return found


def keep_example(store: Store, example: Example) -> bool:
    """Keeps a labelled example; False when that of this review is kept already. In `writing()`."""
    store.write(
        "INSERT OR IGNORE INTO examples VALUES (?, ?, ?, ?)",
        (
            example.review_id,
            example.by,
            example.at,
            json.dumps(example.example, ensure_ascii=False),
        ),
    )
    return bool(store.rows("SELECT changes() AS n")[0]["n"])


def examples(store: Store) -> list[Example]:
    """All labelled examples, oldest first."""
    return [
        Example(row["review_id"], row["by"], row["at"], json.loads(row["example"]))
        for row in store.rows("SELECT * FROM examples ORDER BY review_id")
    ]
