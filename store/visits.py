"""How often somebody has done what costs others something; forgotten when it counts no more."""

from __future__ import annotations

from datetime import datetime, timedelta

from store.database import Store
from store.records import stamp


def allowed(
    store: Store, what: str, who: str, *, most: int, within: timedelta, now: datetime
) -> bool:
    """Whether `who`, a hash, may do this once more; if so, that counts. Inside `writing()`."""
    store.write(
        "DELETE FROM visits WHERE what = ? AND at NOT BETWEEN ? AND ?",
        (what, stamp(now - within), stamp(now)),
    )
    made = store.tuples("SELECT count(*) FROM visits WHERE what = ? AND who = ?", (what, who))
    if made[0][0] >= most:
        return False
    store.write("INSERT INTO visits VALUES (?, ?, ?)", (what, who, stamp(now)))
    return True
