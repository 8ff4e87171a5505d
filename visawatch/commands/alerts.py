"""`visawatch alerts`: deliver what waits, and read what was sent."""

from __future__ import annotations

from dataclasses import asdict
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from crawler.plain import printable
from monitor.alerts import check, deliver, enqueue, shown
from store import outbox
from store.records import Mail
from visawatch.app import App


@click.group()
def alerts() -> None:
    """Mail to subscribers."""


@alerts.command()
@click.option(
    "--unconfirmed",
    is_flag=True,
    help="Also what was handed over twice and never answered for, once more.",
)
@click.option("--json", "as_json", is_flag=True, help="The summary as one JSON line.")
@click.pass_obj
def send(app: App, unconfirmed: bool, as_json: bool) -> None:
    """Compose the mail that is due and deliver what waits in the outbox.

    Fails when a mail was refused, or could not be sent now, or may have arrived or not; what
    was not sent stays, and is sent by a later run.
    """
    settings = app.config.mail
    check(settings)
    with app.store() as store:
        base_url = app.config.web.base_url
        if unconfirmed:
            with store.writing():
                outbox.once_more(store, app.now())
        composed = enqueue(store, app.now(), sender=settings.sender, base_url=base_url)
        delivery = deliver(store, settings, app.now(), allow_hosts=app.config.crawl.allow_hosts)
    for problem in delivery.problems:
        app.note(problem)
    if as_json:
        app.echo_json({"composed": composed, **asdict(delivery)})
    else:
        where = "" if settings.smtp_url else f" into the folder {settings.maildir}"
        click.echo(
            f"{composed} composed, {delivery.sent} sent{where}, "
            f"{delivery.postponed} postponed, {delivery.refused} refused"
            + (f", {delivery.unconfirmed} unconfirmed" if delivery.unconfirmed else "")
        )
    if delivery.postponed or delivery.refused or delivery.unconfirmed:
        raise click.exceptions.Exit(1)


@alerts.command()
@click.argument("number", type=int, required=False, metavar="[N]")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def show(app: App, number: int | None, as_json: bool) -> None:
    """List all mail, waiting, sent or refused; with a number, print that mail."""
    with app.store() as store:
        mails = outbox.listed(store) if number is None else [outbox.get(store, number)]
    if as_json:
        for mail in mails:
            app.echo_json(_json(mail))
    elif number is not None:
        click.echo(printable(_head(mails[0]) + "\n\n" + text_of(mails[0])))
    else:
        _print(app.console(), mails)


def _print(console: Console, mails: list[Mail]) -> None:
    table = Table("N", "Composed", "To", "Subject", "State", header_style="bold")
    for column in table.columns:
        column.overflow = "fold"
    for mail in mails:
        cells = (str(mail.id), mail.created_at, shown(mail.address), mail.subject, _state(mail))
        table.add_row(*map(Text, cells))
    console.print(table if mails else "No mail yet; `visawatch alerts send` composes it.")


def _state(mail: Mail) -> str:
    if mail.state == "sent":
        return f"sent {mail.sent_at}"
    if mail.state in ("refused", "unconfirmed"):
        return f"{mail.state}: {mail.error}"
    return f"waits for {mail.next_attempt_at}: {mail.error}" if mail.error else "waits"


def _head(mail: Mail) -> str:
    message = _message(mail)
    lines = {"From": message["From"], "To": shown(mail.address)}
    lines |= {name: message[name] for name in ("Subject", "Date", "Message-ID")}
    return "\n".join(f"{name}: {value}" for name, value in lines.items() if value)


def text_of(mail: Mail) -> str:
    """The mail as plain text."""
    part = _message(mail).get_body(("plain",))
    return "" if part is None else str(part.get_content()).replace("\r\n", "\n")


def _json(mail: Mail) -> dict[str, Any]:
    fields = asdict(mail)
    del fields["message"]
    return {**fields, "address": shown(mail.address), "text": text_of(mail)}


def _message(mail: Mail) -> EmailMessage:
    return message_from_bytes(mail.message, policy=default)
