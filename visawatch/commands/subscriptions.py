"""`visawatch subscribe`, `unsubscribe` and `subscriptions`: who gets which mail."""

from __future__ import annotations

import re
from dataclasses import asdict

import click
from rich.table import Table
from rich.text import Text

from crawler.guard import Guard
from extractors.values import Visa
from monitor.alerts import (
    AddressError,
    address,
    canonical,
    channel,
    described,
    is_channel,
    lets_through,
    shown,
)
from store import programs, subscriptions
from store.records import Subscription
from visawatch.app import App

FREQUENCIES = {"at-once": "at_once", "daily": "daily", "weekly": "weekly"}


def _address(context: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        return canonical(value) if is_channel(value) else address(value)
    except AddressError as error:
        raise click.BadParameter(str(error)) from error


def _canonical(who: str) -> str:
    try:
        return canonical(who) if is_channel(who) else who.strip()
    except AddressError as error:
        raise click.BadParameter(str(error)) from error


def _state(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if value and not re.fullmatch("[A-Za-z]{2}", value):
        raise click.BadParameter(f"'{value}' is not a state's two letters, such as WA")
    return value.upper()


def _one_line(context: click.Context, parameter: click.Parameter, value: str) -> str:
    return " ".join(value.split())


@click.command()
@click.argument("where", metavar="EMAIL_OR_URL", callback=_address)
@click.option("--program", "program_id", default="", metavar="ID", help="One program.")
@click.option(
    "--institution", default="", metavar="NAME", callback=_one_line, help="All of an institution."
)
@click.option("--specialty", default="", metavar="NAME", callback=_one_line, help="One specialty.")
@click.option("--state", default="", metavar="XX", callback=_state, help="One state, as WA.")
@click.option(
    "--visa",
    type=click.Choice([str(visa) for visa in Visa], case_sensitive=False),
    help="Changes about one visa.",
)
@click.option(
    "--severity",
    type=click.Choice(["critical", "major", "minor"]),
    default="major",
    show_default=True,
    help="The least severe changes that are mailed; minor ones only in digests.",
)
@click.option(
    "--frequency",
    type=click.Choice(list(FREQUENCIES)),
    default="at-once",
    show_default=True,
    help="One mail a cycle, a day (UTC) or a week (from Monday).",
)
@click.pass_obj
def subscribe(
    app: App,
    where: str,
    program_id: str,
    institution: str,
    specialty: str,
    state: str,
    visa: str | None,
    severity: str,
    frequency: str,
) -> None:
    """Tell an e-mail address, a webhook or a chat of changes, from now on.

    A URL is one of apprise's (slack://..., discord://..., jsons://host/path; docs/alerts.md has
    them all), or the https:// address of a webhook. It is a secret, and never shown again.

    Without filters of all changes; with several, of those that all of them let through.
    """
    wish = Subscription(
        0,
        where,
        program_id,
        institution,
        specialty,
        state,
        visa or "",
        severity,
        FREQUENCIES[frequency],
    )
    if is_channel(where):
        try:
            channel(where, Guard(app.config.crawl.allow_hosts))
        except AddressError as error:
            raise click.BadParameter(str(error), param_hint="EMAIL_OR_URL") from error
    with app.store() as store:
        if program_id:
            programs.get(store, program_id)  # names it when it is not watched
        watched = programs.listed(store)
        with store.writing():
            made = subscriptions.add(store, wish, app.now())
    click.echo(f"{shown(where)} is told of {described(made)}.")
    click.echo(f"To stop: visawatch unsubscribe {made.token}")
    if severity == "minor" and frequency == "at-once":
        app.note(
            "Note: minor changes are mailed in digests only; --frequency daily or weekly has them."
        )
    if not any(lets_through(made, program) for program in watched):
        app.note(
            "Note: no watched program passes these filters now; `visawatch programs list` has "
            "the names as they must be written."
        )


@click.command()
@click.argument("who", metavar="EMAIL_URL_OR_TOKEN")
@click.option("--id", "number", type=int, metavar="N", help="Only this one of the address.")
@click.pass_obj
def unsubscribe(app: App, who: str, number: int | None) -> None:
    """End the subscriptions of an address or a URL, or the one that a token names."""
    with app.store() as store, store.writing():
        if is_channel(who) or "@" in who:
            who = _canonical(who)
            ended = subscriptions.end(store, who, app.now(), subscription_id=number)
        else:
            ended = subscriptions.end_by_token(store, who.strip(), app.now())
    for subscription in ended:
        click.echo(f"{shown(subscription.address)} is no longer told of {described(subscription)}.")
    if not ended:
        click.echo("That had ended before.")


@click.command("subscriptions")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def list_subscriptions(app: App, as_json: bool) -> None:
    """List the subscriptions that have not ended."""
    with app.store() as store:
        found = subscriptions.listed(store)
    if as_json:
        for subscription in found:
            app.echo_json({**asdict(subscription), "address": shown(subscription.address)})
        return
    table = Table("ID", "Address", "Is told of", "Since", header_style="bold")
    for column in table.columns:
        column.overflow = "fold"
    for s in found:
        table.add_row(*map(Text, (str(s.id), shown(s.address), described(s), s.created_at[:10])))
    app.console().print(
        table if found else "No subscriptions; `visawatch subscribe EMAIL` adds one."
    )
