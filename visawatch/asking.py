"""Who asks what a page says: the options --level and --specialty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from extractors import Asker
from extractors.scope import FELLOWSHIP, RESIDENCY


def asker_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options, which `asker` makes one value of."""
    for option in (
        click.option("--specialty", default="", help="Read it for a program of this specialty."),
        click.option(
            "--level",
            type=click.Choice([RESIDENCY, FELLOWSHIP]),
            help="Read it for residents, or for fellows.",
        ),
    ):
        command = option(command)
    return command


def asker(level: str | None, specialty: str) -> Asker:
    """The program that asks; what was not given is not held against any statement."""
    return Asker(level or "", specialty.strip())
