"""A cycle as commands run it: its settings, its progress, its signals, its last words."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from types import FrameType

import click

from crawler import Limits, RenderLimits, Standby, crawling, heap
from crawler.journal import told
from monitor import alerts, diff, flapping, outages, waves
from monitor.cycle import Crawling, Progress, Settings, Stop, Summary, run
from sources.weigh import Weighed, weigh
from store.database import Store
from visawatch.app import App


def crawl_once(
    app: App,
    allow_hosts: tuple[str, ...],
    *,
    only: Collection[str],
    as_json: bool,
    crawl: Crawling,
) -> None:
    """Runs one cycle and reports on it. Raises what `monitor.cycle.run` raises."""
    heap.keep_small()
    settings = settings_of(app, allow_hosts)
    weighed: list[Weighed] = []
    with app.store() as store:
        with progress_bar() as progress, stopped_by_signals() as stop:
            summary, delivery = run(
                store,
                settings,
                only=only,
                clock=app.now,
                progress=progress,
                stop=stop,
                crawl=crawl,
                weigh=lambda store, now: weighed.extend(weigh(store, now)),
            )
        tell_maintainers(app, store, summary, weighed)
    report(app, summary, delivery, as_json=as_json)


def crawling_of(app: App, engine: str, standby: Standby | None = None) -> Crawling:
    """How pages are fetched: by this machine, or by the workers of an engine.

    Raises EngineError for an engine of no use.
    """
    engine = engine or app.config.engine.url
    if not engine:
        return partial(crawling, standby=standby)
    from monitor.engine import link, writer
    from visawatch.engine import engine_of

    link.connect(engine).close()
    return partial(writer.crawling, engine_of(app, engine), str(app.db.resolve()))


def settings_of(app: App, allow_hosts: tuple[str, ...] = ()) -> Settings:
    """The configuration, as a cycle wants it."""
    crawl, monitor = app.config.crawl, app.config.monitor
    return Settings(
        mail=app.config.mail,
        limits=Limits(
            delay_seconds=crawl.delay_seconds,
            per_host=crawl.per_host,
            timeout_seconds=crawl.timeout_seconds,
            page_budget=crawl.page_budget,
            depth=crawl.depth,
            max_bytes=crawl.max_bytes,
            contact=crawl.contact,
            allow_hosts=(*crawl.allow_hosts, *allow_hosts),
            render=RenderLimits(**asdict(app.config.render)),
        ),
        base_url=app.config.web.base_url,
        confirm_delay_seconds=monitor.confirm_delay_seconds,
        withdraw_cycles=monitor.withdraw_cycles,
        stale_after_cycles=monitor.stale_after_cycles,
        flap=flapping.Settings(
            monitor.flap_reversals, monitor.flap_days, monitor.flap_stable_cycles
        ),
        wave=waves.Settings(monitor.wave_institutions, monitor.wave_days, monitor.wave_chance),
    )


def tell_maintainers(
    app: App, store: Store, summary: Summary, weighed: Collection[Weighed]
) -> None:
    """What a cycle has to report beside changes of pages, on standard error."""
    for line in (
        *waves.reports(store, summary.cycle),
        *flapping.reports(store, summary.cycle),
        *outages.reports(store, summary.cycle),
    ):
        app.note(str(line))
    say_weighed(app, weighed)


def say_weighed(app: App, weighed: Collection[Weighed]) -> None:
    """What became of the evidence beside pages, on standard error."""
    if weighed:
        disputed = sum(one.disputed for one in weighed)
        count = "1 policy is" if len(weighed) == 1 else f"{len(weighed)} policies are"
        in_dispute = f", {disputed} of them disputed: see /review" if disputed else ""
        app.note(f"{count} another by what other sources say{in_dispute}")
    for change in (one.change for one in weighed):
        if change is not None:
            app.note(f"change {change.id}: {change.program_id}: {diff.summary(change)}")


def report(app: App, summary: Summary, delivery: alerts.Delivery, *, as_json: bool) -> None:
    """The last words of a cycle: faults of the mail on standard error, then the summary."""
    for problem in delivery.problems:
        app.note(problem)
    if as_json:
        app.echo_json(asdict(summary))
        return
    s = summary
    words = (
        f"cycle {s.cycle}: {s.programs} programs, {s.pages} pages ({s.fetched} fetched, of which "
        f"{s.not_modified} not modified; {s.failed} failed), {s.changes} changes, {s.mails} mails, "
        f"{s.seconds} s"
    )
    if not told(words, fields=asdict(s)):
        click.echo(words)


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on standard error, when that is a terminal."""
    if not sys.stderr.isatty():
        yield Progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

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
    with on_signals(stop.request):
        yield stop


@contextmanager
def on_signals(call: Callable[[], None]) -> Iterator[None]:
    """While inside, SIGTERM and Ctrl-C call this, and nothing else."""

    def on_signal(number: int, frame: FrameType | None) -> None:
        call()

    before = {n: signal.signal(n, on_signal) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
