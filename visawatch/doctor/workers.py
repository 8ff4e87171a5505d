"""The engine, where workers fetch: its server, and whether what is under way gets on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from visawatch.doctor.findings import Finding, Patient, note, ok, size, wrong

if TYPE_CHECKING:
    from monitor.engine.survey import Run, Survey

_SEE = 'See docs/operations.md, "Many machines".'
_START = "Start one: `systemctl start visawatch-worker@1`, or `visawatch worker --engine`."


def engine(patient: Patient) -> Iterator[Finding]:
    """Whether the engine that was named can be used, and its workers work."""
    if not patient.engine:
        return
    from monitor.engine.errors import EngineError
    from monitor.engine.server import faults
    from monitor.engine.survey import survey

    try:
        found = survey(patient.engine)
    except EngineError as error:
        yield wrong("engine", str(error), f"Until then no page is fetched. {_SEE}")
        return
    wrongs = list(faults(found.server))
    for fault in wrongs:
        yield wrong("engine", f"{found.shown} {fault.found}", _sentence(fault.do))
    if any(fault.fatal for fault in wrongs):
        return
    if not wrongs:
        yield ok("engine", f"{found.shown}: Redis {found.server.version}, keeps what it is told")
    yield from _versions(found)
    if found.run is None:
        workers = len(found.workers)
        if workers:
            yield ok("engine", f"no crawl is under way; {workers} workers wait for one")
        else:
            yield note("engine", "no crawl is under way, and no worker waits for one", _START)
    else:
        yield from _crawl(found, found.run, patient.config.engine.lease_seconds)


def _versions(found: Survey) -> Iterator[Finding]:
    from monitor.engine.wire import Versions
    from visawatch import __version__

    ours = str(Versions(__version__))
    for name, versions in (*found.workers, *found.refused):
        if versions != ours:
            yield wrong(
                "engine",
                f"the worker {name} is {versions}, and this is {ours}: it takes no work",
                "Install the same version there, then restart it.",
            )
    if found.run is not None and found.run.versions != ours:
        yield wrong(
            "engine",
            f"the writer {found.run.writer} is {found.run.versions}, and this is {ours}",
            "Install the same version for writer, workers and doctor; the writer first.",
        )


def _crawl(found: Survey, run: Run, lease_seconds: float) -> Iterator[Finding]:
    from monitor.engine.board import MOST_BYTES, MOST_RESULTS

    words = f"the crawl {run.number} of {run.writer}"
    if not run.writer_alive:
        yield wrong(
            "engine",
            f"{words} has lost its writer: {run.results} pages wait to be stored",
            "`visawatch crawl --engine` goes on with it, `systemctl start visawatch-schedule` in "
            "the next night.",
        )
        return
    if run.units and not found.workers:
        yield wrong("engine", f"{words} has {run.units} hosts to fetch, and no worker", _START)
    for holder in run.holders:
        if holder.alive:
            continue
        dead = f"worker {holder.token} has died with {holder.units} hosts"
        if holder.idle_seconds > 10 * lease_seconds:
            yield wrong(
                "engine",
                f"{dead}, which nobody has taken over for {holder.idle_seconds:.0f} seconds",
                "Restart the workers; `visawatch -v worker` says what they do.",
            )
        else:
            yield note("engine", f"{dead}: others take them when its lease has run out")
    if run.results >= MOST_RESULTS or run.bytes >= MOST_BYTES:
        yield note(
            "engine",
            f"the writer is behind: {run.results} pages ({size(run.bytes)}) wait for it, and "
            "workers wait, too",
            "Nothing is lost. A faster disk for the database helps; more workers do not.",
        )
    yield ok(
        "engine",
        f"{words}: {run.units} hosts to do, {run.taken} of them taken by "
        f"{sum(holder.alive for holder in run.holders)} workers; {run.results} pages wait to be "
        "stored",
    )


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."
