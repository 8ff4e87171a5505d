"""What each program's pages say now, read from the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crawler import Health
from extractors import Policy, merge, with_source
from monitor.watchlist import Watchlist
from store import cycles, snapshots
from store.database import Store
from store.records import Observation, Page, Program, stamp

_GONE = (str(Health.GONE), str(Health.SOFT_404))


@dataclass(frozen=True, slots=True)
class Reading:
    """A program's policy as its pages state it, whether or not it was confirmed.

    `policy` is None when none of its pages was ever seen. `gone` says that every page that it
    has is gone.
    """

    program: Program
    policy: Policy | None
    inherited_from: str | None = None
    gone: bool = False


def read(
    store: Store,
    watchlist: Watchlist,
    program_ids: Collection[str],
    *,
    policies: Mapping[int, dict[str, Any]] | None = None,
) -> list[Reading]:
    """The readings of some of the programs on the watchlist.

    A page that cannot be seen keeps saying what it last said. One that is gone is not heard
    any more, if its program has another one.
    `policies`, by snapshot id, take the place of what the store holds (see reclassify).
    """
    wanted = [watchlist.programs[program_id] for program_id in program_ids]
    watched = {p.id: p for program_id in program_ids for p in watchlist.pages_of(program_id)}
    seen = cycles.latest_good(store)
    silent = {page_id for page_id, last in cycles.latest(store).items() if last.health in _GONE}
    ids = {page.snapshot_id for page in watched.values() if page.snapshot_id is not None}
    stated = snapshots.readings(store, ids) if policies is None else policies
    hashes = snapshots.hashes(store, stated.keys() & ids)

    def said(pages: list[Page], voices: set[int]) -> list[Policy]:
        return [
            _sourced(stated.get(page.snapshot_id), page, seen.get(page.id), hashes)
            for page in pages
            if page.id in voices and page.snapshot_id is not None
        ]

    readings = []
    for program in wanted:
        own, office = watchlist.own_pages(program), watchlist.office_pages(program)
        everyone = {page.id for page in (*own, *office)}
        voices = everyone - silent or everyone
        statements = (said(own, voices), said(office, voices))
        if not any(statements):
            readings.append(Reading(program, None, gone=False))
            continue
        policy, inherited = merge(*statements)
        readings.append(
            Reading(
                program,
                policy,
                program.institution if inherited and policy.stances else None,
                gone=bool(everyone) and everyone <= silent,
            )
        )
    return readings


def _sourced(
    stated: dict[str, Any] | None, page: Page, seen: Observation | None, hashes: Mapping[int, str]
) -> Policy:
    """What a page states, with the page's address, time and hash on every quote."""
    if stated is None or page.snapshot_id is None:
        return Policy()
    return with_source(
        Policy.from_json(stated),
        url=page.url,
        fetched_at=stamp(datetime.fromtimestamp(seen.at, UTC)) if seen else "",
        snapshot=hashes[page.snapshot_id],
    )
