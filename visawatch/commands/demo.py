"""`visawatch demo`: three nights of an invented web, from empty database to mail."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from extractors import Visa
from monitor import clock
from monitor.alerts import shown
from monitor.cycle import run
from monitor.status import statuses
from shortlist import whatif
from shortlist.knowledge import knowledge
from shortlist.profile import profile
from shortlist.target import ask, shortlist
from sources import asking, mailbox
from sources.deciding import accept, settle
from sources.freida import import_
from sources.incoming import take
from sources.weigh import sides, weigh
from store import changes, outbox, programs, subscriptions
from store.database import Store
from store.records import Subscription
from visawatch.app import App
from visawatch.commands.alerts import text_of
from visawatch.commands.sources import print_sides
from visawatch.config import (
    Config,
    CrawlSettings,
    MailSettings,
    MonitorSettings,
    WebSettings,
)
from visawatch.cycling import progress_bar, report, settings_of
from visawatch.demo import NIGHTS, DemoSite
from visawatch.show import policies_table, show_changes
from visawatch.show_shortlist import show, show_what_ifs
from visawatch.truth import policy_said

EVERYTHING = "fellow@inbox.example"
ONLY_H1B = "applicant@inbox.example"
ASKED = "lantern-hill-surgery"  # whose page says J-1 only, and FREIDA both
COORDINATOR = "surgery@inbox.example"


@click.command()
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Keep the demo's database and mail in DIR, to look around in.",
)
@click.pass_obj
def demo(app: App, keep: Path | None) -> None:
    """Watch an invented web for three nights: its policies, what changes, and the mail.

    A real web server serves invented hospitals on loopback. Nothing leaves this machine, and
    your own database is not touched.
    """
    console = app.console()
    with _folder(keep) as folder, DemoSite() as site:
        demo_app = _demo_app(app, folder)
        with demo_app.store() as store:
            with store.writing():
                programs.save(store, site.programs)
                _subscribe(store, _morning(0))
            for night in NIGHTS:
                site.night = night
                _run_night(demo_app, store, site, night)
            console.print()
            console.print(policies_table(statuses(store), title="Policies after three nights"))
            _show_changes(console, store)
            _show_mail(console, store)
            _show_disagreement(demo_app, store)
            _show_list(console, store)
    _farewell(console, keep)


def _run_night(app: App, store: Store, site: DemoSite, night: int) -> None:
    app.console().print(Rule(Text(f"Night {night}"), align="left"))
    with progress_bar() as progress:
        summary, delivery = run(
            store,
            settings_of(app, site.hosts),
            clock=clock.fixed(_morning(night - 1)),
            progress=progress,
        )
    report(app, summary, delivery, as_json=False)


def _show_changes(console: Console, store: Store) -> None:
    known = {program.program_id: program for program in programs.listed(store)}
    found = [change for change in changes.listed(store) if change.severity != "minor"]
    console.print()
    console.print(Rule(Text(f"{len(found)} changes to review"), align="left"))
    show_changes(console, found, known)


def _show_mail(console: Console, store: Store) -> None:
    mails = outbox.listed(store)
    console.print(Rule(Text(f"{len(mails)} mails"), align="left"))
    for mail in mails:
        console.print(Text(f"to {shown(mail.address)}: {mail.subject}"))
    if mails:
        console.print(Rule(Text("The last one"), align="left", characters="·"))
        console.print(Text(text_of(mails[-1])))


def _show_disagreement(app: App, store: Store) -> None:
    """FREIDA says otherwise than a page: the coordinator is asked, and a maintainer decides."""
    now, console = _morning(NIGHTS[-1] - 1) + timedelta(hours=1), app.console()
    console.print()
    console.print(Rule(Text(f"A disagreement on {ASKED}"), align="left"))
    program = programs.get(store, ASKED)
    table = (
        f"Institution,Specialty,Visa\n{program.institution},{program.specialty},J-1; H-1B visa\n"
    )
    import_(store, table.encode(), now, by="you")
    weigh(store, now)
    print_sides(console, sides(store, ASKED, now), [Visa.H1B])

    draft = asking.draft(replace(program, coordinator_email=COORDINATOR), asking.template())
    asking.ask(store, [draft], now, by="you", sender="")
    question = outbox.listed(store)[-1]
    letter = f"From: {COORDINATOR}\nMessage-ID: <1@inbox.example>\nIn-Reply-To: "
    letter += f"{question.message_id}\n\nJ-1 only. No H-1B.\n\nBest,\nPat\n"
    console.print(Text(f"asked {COORDINATOR}, who answers: J-1 only. No H-1B.", style="bold"))
    raw = letter.encode()
    (outcome,) = take(store, [mailbox.Found("answer", raw, len(raw))], now)
    accept(store, outcome.evidence_id or 0, by="you", now=now)
    truth = policy_said("sponsored", "not_sponsored", ())
    note = "the coordinator's answer and the page agree"
    settle(store, ASKED, truth, by="you", note=note, now=now + timedelta(minutes=1))
    console.print(Text("a maintainer reads it, and settles the matter:", style="bold"))
    print_sides(console, sides(store, ASKED, now + timedelta(minutes=1)), [Visa.H1B])


def _show_list(console: Console, store: Store) -> None:
    """Where somebody may apply who would rather have an H-1B, and passes Step 3 in January."""
    mine = profile({"visa": "H-1B", "step3": "2027-01-15", "applications": 3})
    question = ask(store, mine, knowledge(), _morning(NIGHTS[-1]))
    found = shortlist(question)
    console.print()
    console.print(Rule(Text("A target list: an H-1B, Step 3 on 2027-01-15"), align="left"))
    show(console, found, found.targets(store, found.chosen, stale_after_cycles=3))
    what_ifs = whatif.proposals(question)
    named = {i for one in what_ifs for i in (*one.opens, *one.closes)}
    show_what_ifs(console, what_ifs, programs.ever_listed(store, named))


def _farewell(console: Console, keep: Path | None) -> None:
    if keep is None:
        console.print(Text("Look around in it: visawatch demo --keep demo", style="bold"))
        return
    database = keep / "visawatch.db"
    for command in (
        "serve",
        "changes",
        "shortlist --visa either --step3 2027-01-15",
        "review 1 accept --by you",
        "alerts show",
        f"sources show {ASKED}",
        "policies --json",
    ):
        console.print(Text(f"visawatch --db {database} {command}", style="bold"))


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="visawatch-demo-") as name:
            yield Path(name)
        return
    keep.mkdir(parents=True, exist_ok=True)
    if (keep / "visawatch.db").exists():
        raise click.UsageError(f"{keep} has a visawatch.db already; name another folder")
    yield keep


def _demo_app(app: App, folder: Path) -> App:
    """The same program on a database of its own; in a hurry, as its hosts are our own."""
    config = Config(
        crawl=CrawlSettings(delay_seconds=0, timeout_seconds=5),
        monitor=MonitorSettings(confirm_delay_seconds=0),
        mail=MailSettings(maildir=str(folder / "mail")),
        web=WebSettings(),
    )
    return replace(app, db=folder / "visawatch.db", settings=lambda: config)


def _morning(night: int) -> datetime:
    """02:00 UTC of the night, counted so that the last one is the latest that has been."""
    last = datetime.now(UTC) - timedelta(hours=2)
    last = last.replace(hour=2, minute=0, second=0, microsecond=0)
    return last + timedelta(days=night - len(NIGHTS) + 1)


def _subscribe(store: Store, now: datetime) -> None:
    for subscription in (
        Subscription(id=0, address=EVERYTHING),
        Subscription(id=0, address=ONLY_H1B, visa="H-1B", severity="critical"),
    ):
        subscriptions.add(store, subscription, now)
