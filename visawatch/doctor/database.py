"""The database: its locks, whether it is whole, and which version's tables it has."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from store import leases, locks, proof
from store.database import Store
from store.errors import StoreError, StoreLocked, StoreReadOnly, explained
from visawatch.doctor.findings import Finding, Patient, note, ok, size, wrong

_RESTORE = (
    "Put a backup in its place: `visawatch restore --force FILE`; this one is kept beside it."
)


def lock(patient: Patient) -> Iterator[Finding]:
    """Whether somebody who writes comes to an end, and who holds which lease."""
    # Before this process has the file open: see store.locks.
    holder = locks.writer(patient.db) or locks.user(patient.db)
    uri = f"{patient.db.absolute().as_uri()}?mode=rw"
    try:
        with (
            explained(patient.db),
            closing(
                sqlite3.connect(uri, uri=True, timeout=patient.patience, isolation_level=None)
            ) as connection,
        ):
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except StoreLocked:
        holder = locks.writer(patient.db) or holder or "another process"
        yield wrong(
            "lock",
            f"{holder} has held the write lock for {patient.patience:g} seconds and longer",
            "Wait, if that is a long job; else stop that process: the lock ends with it, and what "
            "it had not committed is rolled back.",
        )
    except StoreReadOnly as error:
        yield wrong("lock", str(error), "See `disk` and `access`.")
    except StoreError:
        pass  # `database` says what is wrong with it
    else:
        yield ok("lock", f"free; {holder} has it open" if holder else "free")
    yield from _leases(patient)


def _leases(patient: Patient) -> Iterator[Finding]:
    try:
        with closing(Store(patient.db, read_only=True)) as store:
            holders = leases.holders(store, patient.now)
    except StoreError:
        return
    for holder in holders:
        if holder.alive:
            yield ok("lock", f"{holder} is running")
        else:
            yield note("lock", f"{holder} has died; who needs the lease next takes it over")


def whole(patient: Patient) -> Iterator[Finding]:
    """Whether every page, every reference and every snapshot of the file is what it was."""
    if lost := proof.cut(patient.db):
        yield wrong(
            "database",
            f"{patient.db} is truncated: it has {size(lost[0])} of its {size(lost[1])}",
            _RESTORE,
        )
        return
    try:
        with closing(Store(patient.db, read_only=True)) as store:
            faults = proof.faults(store)
    except StoreReadOnly as error:
        yield wrong("database", str(error), "See `disk` and `access`.")
        return
    except StoreError as error:
        faults = [str(error)]
    for fault in faults:
        yield wrong("database", f"{patient.db} is damaged: {fault}", _RESTORE)
    if not faults:
        yield ok("database", f"every page of {size(patient.db.stat().st_size)} is whole")


def schema(patient: Patient) -> Iterator[Finding]:
    """Whether this version of the program can work with it."""
    with closing(Store(patient.db, read_only=True)) as store:
        found = proof.version(store)
    if found.unknown:
        yield wrong(
            "schema",
            f"written by a later version of VisaWatch: it has {', '.join(found.unknown)}",
            "Upgrade VisaWatch; or restore the backup that was made before the upgrade.",
        )
    elif not found.last:
        yield wrong(
            "schema",
            "it has no tables of VisaWatch",
            "Is it the right file (--db)? In a new one, `visawatch programs import` makes them.",
        )
    elif found.missing:
        yield note(
            "schema",
            f"of an earlier version: the next command that opens it adds {found.missing[0]}"
            + (f" and {len(found.missing) - 1} more" if len(found.missing) > 1 else ""),
            "Make a backup first: an upgrade cannot be undone.",
        )
    else:
        yield ok("schema", f"{found.last}, as this version has it")
