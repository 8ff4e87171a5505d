"""`visawatch worker`: fetches and reads pages for a `visawatch crawl --engine`."""

from __future__ import annotations

from dataclasses import asdict

import click

from crawler import RenderLimits
from visawatch.app import App
from visawatch.commands.crawl import engine_option, hosts


@click.command()
@engine_option
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="HOST",
    callback=hosts,
    help="A private or loopback host that may be fetched from this machine; repeatable.",
)
@click.pass_obj
def worker(app: App, engine: str, allow_hosts: tuple[str, ...]) -> None:
    """Fetch and read pages for a crawl with the same --engine, until stopped.

    Needs no database. As many may run as you like, on any machine: each host is asked by one of
    them at a time. SIGTERM or Ctrl-C finishes the pages in hand, gives the rest back, and stops.
    """
    url = engine or app.config.engine.url
    if not url:
        raise click.UsageError(
            "a worker needs --engine redis://HOST, or engine.url in the settings"
        )
    from monitor.engine.worker import Worker
    from visawatch.cycling import on_signals
    from visawatch.engine import engine_of

    allowed = (*app.config.crawl.allow_hosts, *allow_hosts)
    render = RenderLimits(**asdict(app.config.render))
    working = Worker(engine_of(app, url), allowed, render)

    with on_signals(working.drain):
        working.serve()
