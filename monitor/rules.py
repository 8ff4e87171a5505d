"""New rules over old snapshots: which policies they would flip, without a crawl.

When the rules get better, what they make of a page may change though the page did not. That is
for a maintainer to see and apply, not an alert that a program has changed its policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from extractors import READER_VERSION, RULES_VERSION, Policy, policy_for
from monitor.compare import Difference, difference
from monitor.flag import Suspicion
from monitor.reading import Reading, asker_of, read, read_anew
from monitor.watchlist import Watchlist, load
from store import policies, snapshots
from store.database import Store
from store.opinions import Opinions
from store.records import Standing, stamp


@dataclass(frozen=True, slots=True)
class Flip:
    """A program whose policy the new rules read otherwise, in the very same snapshots."""

    program_id: str
    before: Standing
    reading: Reading
    difference: Difference


@dataclass(frozen=True, slots=True)
class Reclassified:
    """What new rules make of the stored snapshots; nothing of it is written yet."""

    snapshots: dict[int, list[dict[str, Any]]]  # statements newly read, by id
    flips: tuple[Flip, ...]
    opinions: Opinions  # of the second reader, on what no page has said before


def reclassify(store: Store, version: str = RULES_VERSION) -> Reclassified:
    """Reads every snapshot that other rules have read, and compares. Writes nothing."""
    opinions = Opinions(store, READER_VERSION)
    newly = dict(_read_anew(store, version, opinions))
    watched = load(store)
    stated = snapshots.readings(store, _snapshot_ids(watched))
    readings = read(store, watched, list(watched.programs), statements={**stated, **newly})
    standing = policies.standing(store)
    flips = []
    for reading in readings:
        before = standing.get(reading.program.program_id)
        if before is None or reading.policy is None:
            continue
        found = difference(Policy.from_json(before.reading), reading.policy)
        if found is not None:
            flips.append(Flip(reading.program.program_id, before, reading, found))
    return Reclassified(newly, tuple(flips), opinions)


def apply(store: Store, result: Reclassified, now: datetime) -> None:
    """Writes the new readings, and the policies that they flip, as one transaction.

    A policy that a maintainer has corrected or kept stays; what its page is read to say is
    noted, so that only a change of the page will end it. No change is flagged, none is mailed.
    """
    with store.writing():
        for snapshot_id, statements in result.snapshots.items():
            snapshots.save_reading(store, snapshot_id, RULES_VERSION, statements)
        result.opinions.save()
        for flip in result.flips:
            assert flip.reading.policy is not None  # noqa: S101 (see reclassify)
            reading = flip.reading.policy.to_json()
            decided = flip.before.origin != "read"
            policies.record(
                store,
                Standing(
                    program_id=flip.program_id,
                    since=stamp(now),
                    origin=flip.before.origin,
                    policy=flip.before.policy if decided else reading,
                    reading=reading,
                    inherited_from=flip.reading.inherited_from,
                    cycle_id=flip.before.cycle_id,
                    review_id=flip.before.review_id if decided else None,
                ),
            )


def only_the_rules_changed(store: Store, suspicion: Suspicion, standing: Standing) -> bool:
    """Whether today's rules read in yesterday's bytes what they read in today's."""
    before = Policy.from_json(standing.reading)
    hashes = {e.snapshot for e in before.evidence if e.snapshot is not None}
    ids = snapshots.with_hashes(store, hashes)
    stale = [i for i in ids if not snapshots.is_read(store, i, RULES_VERSION)]
    if not stale or suspicion.reading.policy is None:
        return False
    anew, _ = policy_for(
        [read_anew(store, i) for i in ids], asker=asker_of(suspicion.reading.program)
    )
    return difference(anew, suspicion.reading.policy) is None


def _read_anew(
    store: Store, version: str, opinions: Opinions
) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    for snapshot_id in snapshots.unread(store, version):
        statements = read_anew(store, snapshot_id, opinions)
        yield snapshot_id, [statement.to_json() for statement in statements]


def _snapshot_ids(watched: Watchlist) -> set[int]:
    return {page.snapshot_id for page in watched.pages() if page.snapshot_id is not None}
