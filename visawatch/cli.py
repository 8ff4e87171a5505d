"""The `visawatch` command: global options, and the commands of visawatch.commands."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from crawler.journal import Journal, log_as, told
from crawler.plain import printable
from monitor import clock
from visawatch import __version__
from visawatch.app import App, utf8_output
from visawatch.moments import Moment

if TYPE_CHECKING:
    from visawatch.config import Config

DEFAULT_CONFIG = Path("visawatch.toml")

# Where each command is. It is loaded when it is run: most need a fraction of what all load.
COMMANDS = {
    "demo": "demo",
    "classify": "classify",
    "programs": "programs",
    "crawl": "crawl",
    "worker": "worker",
    "policies": "policies",
    "changes": "changes",
    "review": "review",
    "sources": "sources",
    "verify": "verify",
    "history": "history",
    "replay": "replay",
    "snapshot": "snapshot",
    "reclassify": "reclassify",
    "rules": "rules",
    "shortlist": "shortlist",
    "calendar": "calendar",
    "subscribe": "subscriptions",
    "unsubscribe": "subscriptions",
    "subscriptions": "subscriptions:list_subscriptions",
    "alerts": "alerts",
    "serve": "serve",
    "users": "users",
    "export": "export",
    "schedule": "schedule",
    "doctor": "doctor",
    "backup": "backup",
    "restore": "restore",
}


def faults() -> tuple[type[Exception], ...]:
    """What can go wrong without being our fault: said in a sentence, with exit status 1."""
    from crawler import CrawlerError
    from extractors.rulebook import RuleError
    from monitor.alerts import MailError
    from monitor.archive import ArchiveError
    from monitor.cycle import CycleBusy, CycleStopped
    from monitor.engine.errors import EngineError
    from monitor.replay import ReplayError
    from monitor.review import ReviewError
    from shortlist.errors import ShortlistError
    from sources.errors import SourceError
    from store.errors import StoreError
    from visawatch.config import ConfigError
    from web.passwords import PasswordError

    return (
        ArchiveError,
        ConfigError,
        CrawlerError,
        CycleBusy,
        CycleStopped,
        EngineError,
        MailError,
        PasswordError,
        ReplayError,
        ReviewError,
        RuleError,
        SourceError,
        ShortlistError,
        StoreError,
        OSError,
    )


class Fault(click.ClickException):
    """What went wrong, said on standard error; as a record, where the log has records."""

    def show(self, file: IO[Any] | None = None) -> None:
        """Says it."""
        if not told(self.message, logging.ERROR):
            super().show(file)


class Commands(click.Group):
    """Loads a command when it is run, and says every expected fault in one sentence."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order in which one meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None for one that there is not."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        loaded = import_module(f"visawatch.commands.{module}")
        command: click.Command = getattr(loaded, name or cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Runs the command; faults end it with exit status 1."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click says these; and ends quietly when `| head` has seen enough
        except click.ClickException as error:
            error.message = printable(error.message)  # type: ignore[misc]  # it may quote a file
            raise
        except Exception as error:
            if not isinstance(error, faults()):
                raise
            raise Fault(printable(str(error))) from error


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--db",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("visawatch.db"),
    show_default=True,
    help="The database file.",
)
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The settings file.  [default: visawatch.toml, if it is there]",
)
@click.option("--now", type=Moment(), help="Set the clock, for tests and replays.")
@click.option("-v", "--verbose", is_flag=True, help="Log what is done, on standard error.")
@click.version_option(__version__, prog_name="visawatch")
@click.pass_context
def main(
    ctx: click.Context, db: Path, config: Path | None, now: datetime | None, verbose: bool
) -> None:
    """Watches which visas residency programs say they sponsor, and flags every change."""
    utf8_output()
    journal = Journal(logging.INFO if verbose else logging.WARNING)
    log_as(journal)
    if config is None and DEFAULT_CONFIG.exists():
        config = DEFAULT_CONFIG

    def settings() -> Config:
        from visawatch.config import exposure, load, secrets_of

        found = load(config)
        as_json = found.log.format == "json"
        log_as(replace(journal, as_json=as_json, secrets=secrets_of(found)))
        warning = exposure(config) if config is not None else ""
        if warning and not told(warning, logging.WARNING):
            click.echo(f"Warning: {warning}", err=True)
        return found

    ctx.obj = App(db, settings, clock.fixed(now) if now else clock.system, verbose, config)
