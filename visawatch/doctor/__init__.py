"""Looks at all that can be wrong with an installation, says what to do, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from store.database import BUSY_SECONDS
from visawatch.config import Config, ConfigError
from visawatch.doctor import database, places, watch, workers
from visawatch.doctor.findings import Finding, Patient, Status, note, ok, wrong

Check = Callable[[Patient], Iterator[Finding]]

# What is looked at without the database; in it; and in one that is whole and of this version.
_AROUND: dict[str, Check] = {
    "files": places.files,
    "secrets": places.secrets,
    "mail": watch.mail,
    "disk": places.disk,
    "engine": workers.engine,
}
_FILE: dict[str, Check] = {
    "access": places.access,
    "lock": database.lock,
    "database": database.whole,
}
_WATCH: dict[str, Check] = {"clock": watch.clock, "cycle": watch.cycle, "outbox": watch.queue}


def examine(
    db: Path,
    settings: Callable[[], Config],
    config_file: Path | None,
    now: datetime,
    *,
    engine: str = "",
    patience: float = BUSY_SECONDS,
) -> Iterator[Finding]:
    """What is found, one check after the other. Raises nothing: what goes wrong is a finding.

    `engine` is the address of the one to look at; lacking that, the one in the settings is.
    Nobody in this process may have the database open (see store.locks).
    """
    try:
        config = settings()
    except ConfigError as error:
        yield wrong("settings", str(error), "Mend it: docs/configuration.md lists all settings.")
        config = Config()  # the defaults, to look at the rest with
    else:
        yield ok("settings", f"{config_file} can be used" if config_file else "the defaults")
    patient = Patient(db, config, config_file, now, patience, engine or config.engine.url)
    for name, check in _AROUND.items():
        yield from _tried(name, check, patient)
    if not db.is_file():
        yield wrong(
            "database",
            f"there is no database at {db}",
            "Name it with --db; `visawatch programs import` makes one, `visawatch restore` too.",
        )
        return
    usable = True
    for name, check in _FILE.items():
        for finding in _tried(name, check, patient):
            usable = usable and (finding.well or name != "database")
            yield finding
    if usable:
        schema = list(_tried("schema", database.schema, patient))
        yield from schema
        if all(finding.status is Status.OK for finding in schema):
            for name, check in _WATCH.items():
                yield from _tried(name, check, patient)
            return
        if all(finding.well for finding in schema):
            yield note("cycle", "clock, cycles and outbox are looked at after the upgrade")
            return
    for name in _WATCH:
        yield Finding(name, Status.UNKNOWN, "not looked at: the database cannot be used")


def _tried(name: str, check: Check, patient: Patient) -> Iterator[Finding]:
    """What a check finds; one that fails finds just that."""
    try:
        yield from check(patient)
    except Exception as error:  # noqa: BLE001 (a doctor who falls ill tells nobody anything)
        why = str(error) or type(error).__name__
        yield Finding(name, Status.UNKNOWN, f"could not be looked at: {why}")


__all__ = ["Finding", "Status", "examine"]
