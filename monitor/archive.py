"""The stored pages: which one a name means, and every sight of them in order."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crawler import Health
from monitor import watchlist
from store import changes, cycles, pages, policies, programs, snapshots
from store.database import Store
from store.records import stamp
from store.snapshots import Snapshot

LEAST_DIGITS = 4  # of a hash; fewer are as likely to be the number of something else

FORMS = """\
HASH               the first digits of its SHA-256, as "snapshot" in --json has it
change:7           the page that a change was read from; change:7:before the one before it
program:ID         the page that proves a program's policy
URL                the page that was last seen there; cycle:3:URL the one of a cycle"""


class ArchiveError(Exception):
    """A name that means no stored page, or several."""


@dataclass(frozen=True, slots=True)
class Capture:
    """One sight of a page: where it was then, when, and with which bytes.

    `not_modified` says that the server sent none, as they were those from before.
    """

    url: str
    at: str
    snapshot_id: int
    sha256: str
    not_modified: bool


def find(store: Store, name: str) -> Snapshot:
    """The snapshot that `name` means, in one of FORMS.

    Raises ArchiveError when there is none or several, NotFound for an unknown change or program,
    StoreDamaged when its bytes are.
    """
    form, _, rest = name.partition(":")
    if "://" in name and form != "cycle":
        return snapshots.get(store, _of_page(store, name, None))
    if form == "cycle":
        cycle, _, url = rest.partition(":")
        if not cycle.isdecimal() or not url:
            raise ArchiveError(f"'{name}' names no page of a cycle: write cycle:3:URL")
        return snapshots.get(store, _of_page(store, url, int(cycle)))
    if form == "change":
        return _of_evidence(store, _of_change(store, name, rest), name)
    if form == "program":
        programs.ever(store, rest)
        stood = policies.history(store, rest)
        return _of_evidence(store, stood[-1].policy if stood else {}, name)
    return _of_hash(store, name)


def captures(
    store: Store,
    first: datetime | None = None,
    last: datetime | None = None,
    *,
    only: Collection[str] = (),
) -> Iterator[Capture]:
    """Every sight of every page in finished cycles, by page, then oldest first.

    From `first` to `last`, of the pages of the programs in `only`; without them, of all. Raises
    NotFound for a program that was never watched.
    """
    finished = [cycle.id for cycle in cycles.listed(store) if cycle.finished_at is not None]
    newest = max(finished, default=0)
    wanted = _pages_of(store, only)
    moved: dict[int, list[pages.Move]] = defaultdict(list)
    for move in pages.moves(store):
        moved[move.page_id].append(move)
    low = first.timestamp() if first else 0
    high = last.timestamp() if last else float("inf")
    for page in pages.listed(store):
        if wanted is not None and page.id not in wanted:
            continue
        seen = [
            (o, o.snapshot_id)
            for o in cycles.of_page(store, page.id)
            if o.snapshot_id is not None and o.cycle_id <= newest and low <= o.at <= high
        ]
        hashes = snapshots.hashes(store, {snapshot_id for _, snapshot_id in seen})
        for o, snapshot_id in seen:
            yield Capture(
                pages.was_at(page.url, moved[page.id], o.cycle_id),
                stamp(datetime.fromtimestamp(o.at, UTC)),
                snapshot_id,
                hashes[snapshot_id],
                o.health == Health.NOT_MODIFIED,
            )


def _pages_of(store: Store, only: Collection[str]) -> set[int] | None:
    """The ids of the pages of some programs, with those that moved into them; None for all."""
    if not only:
        return None
    found = set()
    for program_id in only:
        program, _ = programs.ever(store, program_id)
        found |= {page.id for page in watchlist.of_one(store, program)}
    return found | {move.page_id for move in pages.moves(store) if move.heir in found}


def _of_hash(store: Store, name: str) -> Snapshot:
    digits = name.lower()
    if not re.fullmatch(rf"[0-9a-f]{{{LEAST_DIGITS},64}}", digits):
        raise ArchiveError(
            f"'{name}' names no snapshot: write at least {LEAST_DIGITS} digits of its hash, or "
            "change:7, program:ID or a URL (`visawatch snapshot --help`)"
        )
    found = snapshots.matching(store, digits)
    if not found:
        raise ArchiveError(f"no snapshot has a hash that begins with '{name}'")
    if len(found) > 1:
        raise ArchiveError(f"several snapshots begin with '{name}': {', '.join(found)}")
    return snapshots.get(store, snapshots.with_hashes(store, found)[0])


def _of_change(store: Store, name: str, rest: str) -> dict[str, Any]:
    number, _, side = rest.partition(":")
    if not number.isdecimal() or side not in ("", "before", "after"):
        raise ArchiveError(f"'{name}' names no change: write change:7 or change:7:before")
    change = changes.get(store, int(number))
    return change.before if side == "before" else change.after


def _of_evidence(store: Store, policy: Mapping[str, Any], name: str) -> Snapshot:
    """The one page that a policy's evidence is from."""
    found = {
        e["snapshot"]: e.get("url", "") for e in policy.get("evidence", ()) if e.get("snapshot")
    }
    if not found:
        raise ArchiveError(f"{name}: nothing about visas was read there, so no page proves it")
    if len(found) > 1:
        lines = "".join(f"\n  {digest}  {url}" for digest, url in found.items())
        raise ArchiveError(f"{name} rests on {len(found)} pages; name one by its hash:{lines}")
    digest = next(iter(found))
    ids = snapshots.with_hashes(store, [digest])
    if not ids:
        raise ArchiveError(f"{name} was read in snapshot {digest}, which is not stored here")
    return snapshots.get(store, ids[0])


def _of_page(store: Store, url: str, cycle_id: int | None) -> int:
    page = pages.at(store, pages.places(store, [url])[url])
    if page is None:
        raise ArchiveError(
            f"no page is or was watched at {url}; `visawatch programs show` has them"
        )
    before = [m.page_id for m in pages.moves(store) if m.heir == page.id and m.page_id != page.id]
    seen = [o for i in (*before, page.id) for o in cycles.of_page(store, i)]
    seen = [o for o in seen if cycle_id in (None, o.cycle_id)]
    if cycle_id is not None and not seen:
        raise ArchiveError(f"{url} was not fetched in cycle {cycle_id}")
    there = [o.snapshot_id for o in seen if o.snapshot_id is not None]
    if not there:
        why = seen[-1].detail or seen[-1].health if seen else "it was never fetched"
        raise ArchiveError(
            f"{url} was not seen{f' in cycle {cycle_id}' if cycle_id else ''}: {why}"
        )
    return there[-1]
