"""What each program's pages say now, read from the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from extractors import (
    READER_VERSION,
    Asker,
    Policy,
    Statement,
    policy_for,
    read_page,
    with_source,
)
from monitor.watchlist import Watchlist
from store import cycles, snapshots
from store.database import Store
from store.opinions import Opinions
from store.records import Observation, Page, Program, stamp

Stated = Sequence[dict[str, Any]]  # a page's statements, as the store keeps them


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
    gone_after: int = 2,
    statements: Mapping[int, Stated] | None = None,
    instead: Mapping[int, int | None] | None = None,
) -> list[Reading]:
    """The readings of some of the programs on the watchlist.

    Each program asks for itself: of a page that several share, each hears what speaks of it.
    A page that cannot be seen keeps saying what it last said. One that has been gone for
    `gone_after` cycles is not heard any more, if its program has another one.
    `statements`, by snapshot id, take the place of what the store holds (see reclassify), the
    snapshots of `instead`, by page id, the place of those that were seen last.
    """
    if not program_ids:
        return []
    wanted = [watchlist.programs[program_id] for program_id in program_ids]
    watched = {p.id: p for program_id in program_ids for p in watchlist.pages_of(program_id)}
    for page_id, snapshot_id in (instead or {}).items():
        watched[page_id] = replace(watched[page_id], snapshot_id=snapshot_id)
    seen = cycles.latest_good(store, watched)
    silent = cycles.gone(store, gone_after, watched)
    gone = cycles.gone_of_late(store, watched)
    ids = {page.snapshot_id for page in watched.values() if page.snapshot_id is not None}
    stated = snapshots.readings(store, ids) if statements is None else statements
    hashes = snapshots.hashes(store, ids)
    heard: dict[int, tuple[Statement, ...]] = {}

    def said(pages: list[Page], voices: set[int]) -> list[tuple[Statement, ...]]:
        out = []
        for page in (watched[page.id] for page in pages):
            if page.id not in voices or page.snapshot_id is None:
                continue
            if page.id not in heard:
                found = statements_of(store, page.snapshot_id, stated)
                heard[page.id] = _sourced(found, page, seen.get(page.id), hashes)
            out.append(heard[page.id])
        return out

    readings = []
    for program in wanted:
        own, office = watchlist.own_pages(program), watchlist.office_pages(program)
        everyone = {page.id for page in (*own, *office)}
        voices = everyone - silent or everyone
        ours, theirs = said(own, voices), said(office, voices)
        if not (ours or theirs):
            readings.append(Reading(program, None, gone=False))
            continue
        policy, inherited = policy_for(ours, theirs, asker_of(program))
        readings.append(
            Reading(
                program,
                policy,
                program.institution if inherited and policy.stances else None,
                gone=bool(everyone) and everyone <= gone,
            )
        )
    return readings


def asker_of(program: Program) -> Asker:
    """Who asks what a page says, when it is read for this program."""
    return Asker(program.level, program.specialty, program.institution)


def statements_of(
    store: Store, snapshot_id: int, stated: Mapping[int, Stated]
) -> tuple[Statement, ...]:
    """What a snapshot states; one that nobody has read yet is read now."""
    if snapshot_id in stated:
        return tuple(Statement.from_json(row) for row in stated[snapshot_id])
    return read_anew(store, snapshot_id)


def read_anew(
    store: Store, snapshot_id: int, opinions: Opinions | None = None
) -> tuple[Statement, ...]:
    """What today's rules read in a snapshot. New `opinions` are kept by who saves them."""
    snapshot = snapshots.get(store, snapshot_id)
    known = opinions or Opinions(store, READER_VERSION)
    return read_page(snapshot.body, snapshot.content_type, known)


def _sourced(
    found: tuple[Statement, ...], page: Page, seen: Observation | None, hashes: Mapping[int, str]
) -> tuple[Statement, ...]:
    """The statements with their page's address, time and hash."""
    return with_source(
        found,
        url=page.url,
        fetched_at=stamp(datetime.fromtimestamp(seen.at, UTC)) if seen else "",
        snapshot=hashes[page.snapshot_id] if page.snapshot_id is not None else "",
    )
