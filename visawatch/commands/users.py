"""`visawatch users`: who gets into the review room."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict

import click
from rich.table import Table

from store import users as table
from store.records import stamp
from visawatch.app import App
from web import passwords

ROLES = ("reviewer", "admin")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,59}")


def _name(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not _NAME.fullmatch(value):
        raise click.BadParameter(f"'{value}' is not a name: up to 60 letters, digits and . _ @ -")
    return value


@click.group()
def users() -> None:
    """Manage who may log in to the review room."""


@users.command()
@click.argument("name", callback=_name)
@click.option("--role", type=click.Choice(ROLES), default="reviewer", show_default=True)
@click.pass_obj
def add(app: App, name: str, role: str) -> None:
    """Make a user; the password is asked for, or read from standard input."""
    with app.store() as store:
        if table.find(store, name) is not None:
            raise _taken(name)
        kept = passwords.hashed(_password())
        with store.writing():
            if not table.add(store, name, role, kept, stamp(app.now())):
                raise _taken(name)
    app.note(f"{name} may log in as {role}")


@users.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def list_users(app: App, as_json: bool) -> None:
    """List the users, and when those who are signed in were last seen."""
    with app.store() as store:
        found = table.listed(store)
    if as_json:
        for user in found:
            shown = asdict(user)
            app.echo_json({k: shown[k] for k in ("name", "role", "created_at", "seen_at")})
        return
    rows = Table("name", "role", "since", "signed in, last seen", box=None)
    for user in found:
        rows.add_row(user.name, user.role, user.created_at[:10], user.seen_at or "")
    if found:
        app.console().print(rows)
    app.note(f"{len(found)} users" if len(found) != 1 else "1 user")


@users.command()
@click.argument("name")
@click.pass_obj
def remove(app: App, name: str) -> None:
    """Remove a user and end their sessions; what they decided is kept."""
    with app.store() as store, store.writing():
        table.remove(store, name)
        left = table.exist(store)
    app.note(f"{name} may not log in any more")
    if not left:
        app.note("No users are left: the review room is open at this machine, and only there.")


@users.command("password")
@click.argument("name")
@click.pass_obj
def set_password(app: App, name: str) -> None:
    """Set a user's password and end their sessions; it is asked for, or read from stdin."""
    with app.store() as store:
        table.get(store, name)
        kept = passwords.hashed(_password())
        with store.writing():
            table.set_password(store, name, kept)
    app.note(f"{name} has a new password, and has to log in again")


def _password() -> str:
    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return password
    return sys.stdin.readline().rstrip("\r\n")


def _taken(name: str) -> click.ClickException:
    return click.ClickException(
        f"there is a user '{name}'; `visawatch users password {name}` sets another password"
    )
