"""`visawatch crawl`: one cycle, with its progress."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar
from urllib.parse import urlsplit

import click

from crawler import standing_by
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


F = TypeVar("F", bound=Callable[..., object])


def engine_option(command: F) -> F:
    """The option --engine, for a command that can have its pages fetched by workers."""
    return click.option(
        "--engine",
        default="",
        metavar="URL",
        help="The Redis server of the workers that fetch.  [default: engine.url, if it is set]",
    )(command)


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
@engine_option
@click.option("--json", "as_json", is_flag=True, help="The summary as a JSON line.")
@click.pass_obj
def crawl(
    app: App, only: tuple[str, ...], allow_hosts: tuple[str, ...], engine: str, as_json: bool
) -> None:
    """Run one cycle: fetch, read, compare, confirm, flag, and send the mail.

    A cycle that was killed or stopped is gone on with. With --engine, the pages are fetched by
    `visawatch worker`, on this machine or others.
    """
    with nullcontext() if engine else standing_by() as standby:
        # Not before: the crawl's process loads Scrapy while this one loads the rules.
        from visawatch.cycling import crawl_once, crawling_of

        fetching = crawling_of(app, engine, standby)
        crawl_once(app, allow_hosts, only=only, as_json=as_json, crawl=fetching)
