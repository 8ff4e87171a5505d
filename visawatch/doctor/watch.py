"""The watch: whether its clock, its cycles and its mail are on time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta

from monitor.overdue import overdue
from shortlist.calendar import calendar
from shortlist.rhythm import due
from store import cycles, leases, outbox, programs
from store.database import Store
from store.newest import newest
from store.records import stamp
from visawatch.doctor.findings import Finding, Patient, note, ok, span, wrong

TOLERANCE = timedelta(minutes=5)  # that clocks may differ by
LONGEST_CYCLE = timedelta(hours=24)
LONGEST_QUEUE = timedelta(hours=25)  # a crawl each night sends what waits


def clock(patient: Patient) -> Iterator[Finding]:
    """Whether something was filed at a time that has not come yet."""
    with closing(Store(patient.db, read_only=True)) as store:
        last = newest(store)
    if last is None:
        yield ok("clock", f"it is {stamp(patient.now)}; nothing was filed yet")
        return
    ahead = datetime.fromisoformat(last.at) - patient.now
    if ahead > TOLERANCE:
        yield wrong(
            "clock",
            f"something in `{last.table}` is of {last.at}, and it is {stamp(patient.now)}: this "
            f"clock is {span(ahead)} behind, or was ahead then",
            "Set the clock (`timedatectl`). If it is right now, let it be: the next cycles are "
            "dated rightly, and what was filed ahead of time keeps its wrong date.",
        )
    else:
        yield ok("clock", f"it is {stamp(patient.now)}, after all that was filed")


def cycle(patient: Patient) -> Iterator[Finding]:
    """Whether the last night that was due was run, and nothing is left half done."""
    seasons = calendar(patient.config.shortlist.path)
    with closing(Store(patient.db, read_only=True)) as store:
        last = cycles.last_finished(store)
        begun = next((c for c in cycles.listed(store) if c.finished_at is None), None)
        alive = any(h.alive and h.lease == "cycle" for h in leases.holders(store, patient.now))
        missed = overdue(
            store,
            patient.now,
            patient.config.monitor.nightly_at,
            lambda store, night: due(store, night, seasons),
        )
        watched = len(programs.listed(store))
    if begun is not None:
        running = patient.now - datetime.fromisoformat(begun.started_at)
        words = f"cycle {begun.id}, begun at {begun.started_at},"
        if not alive:
            yield wrong(
                "cycle",
                f"{words} was broken off",
                "`visawatch crawl` goes on with it; `schedule` does in the next night.",
            )
        elif running > LONGEST_CYCLE:
            yield wrong(
                "cycle",
                f"{words} has been running for {span(running)}",
                "If it does not get on (`visawatch -v`), stop it: it can be gone on with.",
            )
            return
        else:
            yield ok("cycle", f"{words} is under way")
            return
    if missed is not None:
        late = span(patient.now - missed)
        yield wrong(
            "cycle",
            f"the night of {stamp(missed)} was not run: it is {late} overdue"
            + (f" (the last cycle began at {last.started_at})" if last else ""),
            "Is `visawatch schedule` running (`systemctl status visawatch-schedule`)? "
            "`visawatch crawl` makes up for it. If that night has not come yet, set the clock.",
        )
    elif begun is not None:
        return
    elif last is not None:
        yield ok("cycle", f"the last one began at {last.started_at}; none is overdue")
    elif watched:
        yield note("cycle", f"none was finished yet; {watched} programs wait", "visawatch crawl")
    else:
        yield note("cycle", "no programs are watched", "visawatch programs import FILE.csv")


def mail(patient: Patient) -> Iterator[Finding]:
    """Whether the settings of mail can be used, and what is in the outbox gets out."""
    from monitor.alerts import MailError, check

    settings = patient.config.mail
    try:
        check(settings)
    except MailError as error:
        yield wrong("mail", str(error), "Mend the [mail] settings (docs/configuration.md).")
    else:
        where = "to a mail server" if settings.smtp_url else f"into the folder {settings.maildir}"
        yield ok("mail", f"goes {where}")


def queue(patient: Patient) -> Iterator[Finding]:
    """Whether what is in the outbox gets out."""
    with closing(Store(patient.db, read_only=True)) as store:
        waiting = outbox.waiting(store)
        unconfirmed = outbox.by_state(store).get("unconfirmed", 0)
    if waiting is None:
        yield ok("outbox", "nothing waits")
    else:
        age = patient.now - datetime.fromisoformat(waiting.oldest)
        words = f"{waiting.mails} mails wait, the oldest for {span(max(age, timedelta()))}"
        if age <= LONGEST_QUEUE:
            yield ok("outbox", words)
        else:
            yield wrong(
                "outbox",
                f"{words}: {waiting.error or 'nobody has sent them'}",
                "`visawatch alerts send` tries now, and says what is in the way; `visawatch "
                "schedule` tries every five minutes. `visawatch alerts show` lists what waits.",
            )
    if unconfirmed:
        yield note(
            "outbox",
            f"{unconfirmed} mails may have arrived or not: they are not sent again by themselves",
            "`visawatch alerts send --unconfirmed` sends them once more.",
        )
