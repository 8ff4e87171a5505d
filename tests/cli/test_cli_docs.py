"""docs/cli.md and docs/configuration.md: complete, and true."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import asdict

import click
import pytest
from shell import ROOT

from visawatch.cli import main
from visawatch.config import Config

CLI = (ROOT / "docs" / "cli.md").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()


def commands(group: click.Group, path: str = "visawatch") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its name on the command line."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def examples(text: str) -> list[str]:
    """The command lines in the shell blocks of a text."""
    blocks = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
    return re.findall(r"visawatch (?!\[)[^\n|]*", blocks)


def command_of(example: str) -> str:
    """The command that an example runs; fails for options that it does not have."""
    command: click.Command = main
    name, *arguments = shlex.split(example)
    context = None
    while isinstance(command, click.Group):
        # Its own options and arguments first; what is left begins with the subcommand.
        context = click.Context(command, parent=context)
        _, arguments, _ = command.make_parser(context).parse_args(args=arguments)
        name += f" {arguments[0]}"
        subcommand = command.get_command(context, arguments.pop(0))
        assert subcommand is not None
        command = subcommand
    command.make_parser(click.Context(command, parent=context)).parse_args(args=arguments)
    return name


def section(name: str) -> str:
    """What docs/cli.md says of one command."""
    found = re.search(rf"^##+ `{re.escape(name)}`\n(.*?)(?=^##|\Z)", CLI, re.DOTALL | re.MULTILINE)
    assert found, f"docs/cli.md has no section '{name}'"
    return found.group(1)


COMMANDS = dict(commands(main))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented_with_examples_that_are_understood(name: str) -> None:
    assert {command_of(example) for example in examples(section(name))} == {name}


@pytest.mark.parametrize("name", re.findall(r"^##+ `(visawatch [a-z ]+)`$", CLI, re.MULTILINE))
def test_every_documented_command_exists(name: str) -> None:
    assert any(command == name or command.startswith(f"{name} ") for command in COMMANDS)


@pytest.mark.parametrize("option", [param.opts[-1] for param in main.params])
def test_every_option_before_the_command_is_documented(option: str) -> None:
    assert option in {"--version"} or f"`{option}" in CLI


def documented() -> dict[str, tuple[str, str]]:
    """By section.key, the default and the sentence of docs/configuration.md."""
    found = {}
    for part in re.split(r"^## `\[", CONFIGURATION, flags=re.MULTILINE)[1:]:
        for key, default, meaning in re.findall(r"^\| `(\w+)` \| `(.+?)` \| (.+) \|$", part, re.M):
            found[f"{part.partition(']')[0]}.{key}"] = (default, meaning)
    return found


def settings() -> dict[str, object]:
    """By section.key, every default of the settings."""
    found: dict[str, object] = {}
    for name, part in asdict(Config()).items():
        found |= {f"{name}.{key}": default for key, default in part.items()}
    return found


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert list(documented()) == list(settings())


@pytest.mark.parametrize("key", settings())
def test_the_documented_default_and_meaning(key: str) -> None:
    default, meaning = documented()[key]
    assert json.loads(default) == json.loads(json.dumps(settings()[key]))
    assert re.fullmatch(r"[A-Z].{15,}\.", meaning)
