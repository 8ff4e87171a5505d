"""`visawatch schedule`: a cycle each night, in the foreground."""

from __future__ import annotations

from datetime import datetime

import click

from monitor.alerts import deliver, enqueue
from monitor.cycle import Stop, run
from monitor.schedule import Nights
from shortlist.calendar import calendar
from shortlist.rhythm import due
from sources.weigh import Weighed, weigh
from store.database import Store
from visawatch.app import App
from visawatch.commands.crawl import engine_option, hosts
from visawatch.cycling import crawling_of, report, settings_of, tell_maintainers


@click.command()
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="HOST",
    callback=hosts,
    help="A private or loopback host that may be fetched; repeatable.",
)
@engine_option
@click.pass_obj
def schedule(app: App, allow_hosts: tuple[str, ...], engine: str) -> None:
    """Run a cycle each night at monitor.nightly_at (UTC), until stopped.

    In the months when policies rarely change, every second or third night (docs/shortlist.md).
    SIGTERM or Ctrl-C finishes the page in hand and stops. A night that was missed is caught up
    with once. Several processes on one database run each night once.
    """

    fetching = crawling_of(app, engine)

    def run_cycle(store: Store, night: str, stop: Stop) -> None:
        weighed: list[Weighed] = []
        summary, delivery = run(
            store,
            settings_of(app, allow_hosts),
            clock=app.now,
            night=night,
            stop=stop,
            crawl=fetching,
            weigh=lambda store, now: weighed.extend(weigh(store, now)),
        )
        tell_maintainers(app, store, summary, weighed)
        report(app, summary, delivery, as_json=False)

    def send_mail(store: Store) -> None:
        mail, now = app.config.mail, app.now()
        enqueue(store, now, sender=mail.sender, base_url=app.config.web.base_url)
        allowed = app.config.crawl.allow_hosts
        for problem in deliver(store, mail, now, allow_hosts=allowed).problems:
            app.note(problem)

    seasons = calendar(app.config.shortlist.path)

    def is_due(store: Store, night: datetime) -> bool:
        return due(store, night, seasons)

    at = app.config.monitor.nightly_at
    every = seasons.nights_between_looks(app.now().date())
    often = "" if every == 1 else f", each {every} nights in this part of the season"
    app.note(f"a cycle each night at {at} UTC{often}; Ctrl-C or SIGTERM stops")
    Nights(app.db, at, run_cycle, send_mail, app.now, is_due).serve()
