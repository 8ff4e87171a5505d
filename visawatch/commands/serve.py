"""`visawatch serve`: the public pages and the review room, until stopped."""

from __future__ import annotations

import gc
import logging
import signal
import socket
from collections.abc import Callable
from datetime import datetime
from types import FrameType

import click
import uvicorn

from monitor.alerts import Delivery, deliver
from shortlist.knowledge import knowledge
from store import users
from store.database import Store
from visawatch.app import App
from visawatch.config import Config
from visawatch.workers import run
from web.app import create_app
from web.logs import Discreet
from web.patience import Patient
from web.site import Site, SiteSettings, hosts_of

LONGEST_HEAD = 16_000  # bytes of a request's line and headers
MOST_CONNECTIONS = 1000


@click.command()
@click.option("--host", metavar="ADDRESS", help="Listen there.  [default: web.host]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Listen there; 0: any.  [default: web.port]"
)
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    help="Serve with so many processes, one for each core.  [default: web.workers]",
)
@click.pass_obj
def serve(app: App, host: str | None, port: int | None, workers: int | None) -> None:
    """Serve the public pages, until Ctrl-C or SIGTERM.

    Behind a proxy, web.base_url says where readers reach the site; a path in it is the prefix of
    every link.
    """
    config = app.config
    workers = workers or config.web.workers
    host = host or config.web.host
    with _listening(host, config.web.port if port is None else port) as listener:
        settings = SiteSettings(
            base_url=config.web.base_url,
            home=config.web.base_url or _address(listener),
            allowed_hosts=hosts_of(config.web.base_url, host),
            stale_after_cycles=config.monitor.stale_after_cycles,
            sender=config.mail.sender,
            nightly_at=config.monitor.nightly_at,
            metrics_token=config.web.metrics_token,
            shortlist_folder=config.shortlist.path,
        )
        site = Site(app.db, app.now, settings, _sender(config))
        knowledge(settings.shortlist_folder)
        create_app(site)  # they say what is wrong, once
        app.note(f"{_address(listener)}{settings.prefix}/ is served; Ctrl-C or SIGTERM stops")
        if not settings.allowed_hosts:
            app.note(
                "Note: anybody who reaches this machine is served, by whatever name. Set "
                "web.base_url to where readers reach the site, and only that name is answered."
            )
        with app.store() as store:
            if not users.exist(store):
                app.note(
                    f"The review room, {settings.prefix}/review, is open at this machine only: "
                    "`visawatch users add NAME` makes a user who may log in."
                )
        if workers == 1:
            _run(site, listener, verbose=app.verbose)
        else:
            status = run(workers, listener, lambda dealt: _run(site, dealt, verbose=app.verbose))
            if status:
                raise click.exceptions.Exit(status)


def _run(site: Site, listener: socket.socket, *, verbose: bool) -> None:
    """Serves in this process."""
    logging.getLogger("uvicorn.access").addFilter(Discreet())
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(site),
            loop="asyncio",  # see visawatch.workers.Dealt
            http=Patient,  # and h11, which bounds the size of headers
            ws="none",
            h11_max_incomplete_event_size=LONGEST_HEAD,
            limit_concurrency=MOST_CONNECTIONS,
            server_header=False,
            access_log=verbose,
            log_config=None,
            timeout_graceful_shutdown=5,
        )
    )

    def stop(number: int, frame: FrameType | None) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        # uvicorn takes them over once it has begun, stops in good order, and raises them again.
        signal.signal(number, stop)
    # What there is now is there to stay. To look through it again and again, whenever a page has
    # made many values, takes a fifth of the time of all pages.
    gc.collect()
    gc.freeze()
    server.run(sockets=[listener])


def _address(listener: socket.socket) -> str:
    host, port, *_ = listener.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _sender(config: Config) -> Callable[[Store, datetime], Delivery]:
    def send(store: Store, now: datetime) -> Delivery:
        return deliver(store, config.mail, now, allow_hosts=config.crawl.allow_hosts)

    return send


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens. Raises ClickException, which names what is in the way."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise click.ClickException(
            f"cannot listen on {host} port {port}: {error.strerror or error}. "
            "Name another with --host and --port, or in the [web] settings."
        ) from error
