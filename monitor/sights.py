"""Which pages have to be seen again before a difference is believed: those that are its cause.

A page that is down repeats nothing, so what it said in an earlier night is not confirmed by it.
But most pages that are down are not what the difference is about: they said then what they had
said when the policy was confirmed, whatever else has changed on them since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from extractors import Stance, Statement
from monitor.reading import statements_of
from store import cycles, pages, snapshots
from store.database import Store
from store.records import Page

GIVEN_UP_AFTER = 7  # cycles; a page that is down longer may never come back


def unheard(
    store: Store, watched: Iterable[Page], since: int, answered: Collection[int]
) -> list[Page]:
    """The pages that did not answer, and when last seen said something else than in `since`.

    `since` is the cycle in which the policy was confirmed, `answered` are the pages that were
    seen, or seen to be gone, just now.
    """
    changed = pages.changed_since(store, since)
    silent = [page for page in watched if page.id in changed and page.id not in answered]
    if not silent:
        return []
    then = cycles.good_snapshots(store, [page.id for page in silent], since)
    ids = {p.snapshot_id for p in silent if p.snapshot_id is not None} | set(then.values())
    stated = snapshots.readings(store, ids)

    def said(snapshot_id: int | None) -> frozenset[object]:
        if snapshot_id is None:
            return frozenset()
        return frozenset(map(_gist, filter(_counts, statements_of(store, snapshot_id, stated))))

    return [page for page in silent if said(page.snapshot_id) != said(then.get(page.id))]


def missed(
    store: Store, watched: Iterable[Page], cycle_id: int, answered: Collection[int]
) -> list[Page]:
    """The pages that did not answer just now, but for those that have not for a long time."""
    last = cycles.latest_good(store)
    return [
        page
        for page in watched
        if page.id not in answered
        and page.id in last
        and cycle_id - last[page.id].cycle_id <= GIVEN_UP_AFTER
    ]


def _counts(statement: Statement) -> bool:
    """Whether a policy may rest on it: a sentence that only names a visa is none."""
    return statement.stance is not Stance.UNSTATED or bool(statement.conditions)


def _gist(statement: Statement) -> object:
    return statement.visa, statement.stance, frozenset(statement.conditions), statement.scope
