"""`visawatch crawl`: one cycle, with its progress."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType
from urllib.parse import urlsplit

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from monitor import alerts
from monitor.cycle import Progress, Stop, Summary, run
from visawatch.app import App


def hosts(
    context: click.Context, parameter: click.Parameter, value: tuple[str, ...]
) -> tuple[str, ...]:
    """The values of --allow-host, each a host or host:port."""
    for host in value:
        try:
            parts = urlsplit(f"//{host}")
            name, _ = parts.hostname, parts.port
        except ValueError:
            name = None
        if not name or parts.netloc != host or " " in host:
            raise click.BadParameter(f"'{host}' is no host: write 127.0.0.1 or 127.0.0.1:8000")
    return value


@click.command()
@click.option("--program", "only", multiple=True, metavar="ID", help="Only this one; repeatable.")
@click.option(
    "--allow-host",
    "allow_hosts",
    multiple=True,
    metavar="HOST",
    callback=hosts,
    help="A private or loopback host that may be fetched; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="The summary as a JSON line.")
@click.pass_obj
def crawl(app: App, only: tuple[str, ...], allow_hosts: tuple[str, ...], as_json: bool) -> None:
    """Run one cycle: fetch, read, compare, confirm, flag, and send the mail.

    A cycle that was killed or stopped is gone on with.
    """
    with app.store() as store, progress_bar() as progress, stopped_by_signals() as stop:
        summary, delivery = run(
            store,
            app.cycle_settings(allow_hosts),
            only=only,
            clock=app.now,
            progress=progress,
            stop=stop,
        )
    report(app, summary, delivery, as_json=as_json)


def report(app: App, summary: Summary, delivery: alerts.Delivery, *, as_json: bool) -> None:
    """The last words of a cycle: faults of the mail on standard error, then the summary."""
    for problem in delivery.problems:
        app.note(problem)
    if as_json:
        app.echo_json(asdict(summary))
        return
    s = summary
    click.echo(
        f"cycle {s.cycle}: {s.programs} programs, {s.pages} pages ({s.fetched} fetched, of which "
        f"{s.not_modified} not modified; {s.failed} failed), {s.changes} changes, {s.mails} mails, "
        f"{s.seconds} s"
    )


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on standard error, when that is a terminal."""
    if not sys.stderr.isatty():
        yield Progress()
        return
    bar = Bar(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("pages"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=None)

        def update(progress: Progress) -> None:
            # Discovery meets pages that nobody could count before.
            total = max(progress.total, progress.done)
            bar.update(task, description=progress.stage, total=total, completed=progress.done)

        yield Progress(on_change=update)


@contextmanager
def stopped_by_signals() -> Iterator[Stop]:
    """While inside, SIGTERM and Ctrl-C finish the page in hand and stop the cycle."""
    stop = Stop()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.request()

    before = {n: signal.signal(n, on_signal) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
