"""`visawatch rules`: test, explain and compare the phrase rules. Only `flips` needs a database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from crawler.plain import printable
from extractors.clauses import fired
from extractors.rulebook import RuleError, rulebook, rules_version, use
from monitor.explain import explain as explain_page
from monitor.rules import reclassify
from store import remarks
from visawatch.app import App, content
from visawatch.asking import asker, asker_options
from visawatch.commands.reclassify import show_flip

if TYPE_CHECKING:
    from benchmarks.baselines import Answer

CHECKOUT = Path(__file__).resolve().parents[2]


def _use(_context: click.Context, _option: click.Parameter, folder: Path | None) -> None:
    if folder is None:
        return
    needed = set(rulebook().words)
    use(folder)
    for name in sorted(needed - set(rulebook().words)):
        raise RuleError(f"{folder}: no words {name!r} are listed")


rules_option = click.option(
    "--rules",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    expose_value=False,
    callback=_use,
    help="Read the rule files of this folder, a changed copy.",
)


@click.group()
def rules() -> None:
    """Try the phrase rules: their examples, a page, and what a change would flip."""


@rules.command("test")
@rules_option
@click.pass_obj
def test_rules(app: App) -> None:
    """Check that every rule fires in its own examples, and in none of its counter-examples."""
    found = list(_faults())
    for fault in found:
        click.echo(printable(fault))
    known = rulebook().rules
    examples = sum(len(rule.yes) + len(rule.no) for rule in known)
    app.note(f"{len(known)} rules, {examples} examples, {len(found)} faults")
    if found:
        raise click.ClickException("the rules do not do what their examples say")


def _faults() -> Iterator[str]:
    for rule in rulebook().rules:
        where = f"{rule.file}: rule {rule.id!r}"
        if not rule.no:
            yield f"{where}: has no counter-example ('no')"
        for sentence in rule.yes:
            if rule.id not in fired(sentence):
                yield f"{where}: does not fire in “{sentence}”"
        for sentence in rule.no:
            if rule.id in fired(sentence):
                yield f"{where}: fires in “{sentence}”, and must not"


@rules.command("explain")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@asker_options
@rules_option
@click.pass_obj
def explain(app: App, file: str, level: str | None, specialty: str) -> None:
    """Say for each sentence of a page which rule fired on which words, and how far it reaches.

    FILE is HTML, PDF or text; `-` is standard input.
    """
    explain_page(app.console(), *content(file), asker(level, specialty))


@rules.command()
@click.pass_obj
def examples(app: App) -> None:
    """Print the corrections that maintainers have made labelled examples, as JSON lines.

    They have the form of tests/data/development.jsonl.
    """
    with app.store() as store:
        found = remarks.examples(store)
    for example in found:
        app.echo_json(example.example)
    app.note(f"{len(found)} examples" if len(found) != 1 else "1 example")


@rules.command("flips")
@rules_option
@click.option(
    "--save",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what the labelled passages are read to say, to compare with later.",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Compare with what --save wrote before a change.",
)
@click.pass_obj
def flips(app: App, save: Path | None, baseline: Path | None) -> None:
    """Show what a change of the rules would flip: of stored pages, and of labelled passages.

    Nothing is written to the database. Of the held-out half of the passages, only the number
    of flips is shown.
    """
    if app.db.exists():
        with app.store() as store:
            result = reclassify(store, rules_version())
            for flip in result.flips:
                show_flip(app, flip)
        read, flipped = len(result.snapshots), len(result.flips)
        app.note(f"{read} stored pages read by new rules, {flipped} policies flip")
    else:
        app.note(f"no stored pages: there is no {app.db}")
    if save or baseline:
        if not (CHECKOUT / "benchmarks" / "quality.py").exists():
            raise click.ClickException("the labelled passages are in the source tree only")
        if str(CHECKOUT) not in sys.path:
            sys.path.append(str(CHECKOUT))
        _labelled(app, save, baseline)


def _labelled(app: App, save: Path | None, baseline: Path | None) -> None:
    from benchmarks.quality import held_out, is_as_labelled, ours, tune

    readings: dict[str, Any] = {}
    before = _readings(baseline) if baseline else {}
    for half, cases, shown in (("tune", tune(), True), ("held-out", held_out(), False)):
        flipped = better = worse = 0
        for case, now in zip(cases, ours(cases), strict=True):
            readings[case.id] = {"stances": now.stances, "conditions": sorted(now.conditions)}
            then = before.get(case.id, now)
            if (then.stances, then.conditions) == (now.stances, now.conditions):
                continue
            right, was_right = is_as_labelled(case, now), is_as_labelled(case, then)
            flipped += 1
            better += right and not was_right
            worse += was_right and not right
            if shown:
                verdict = "as labelled" if right else "not as labelled"
                words = f"{case.id} ({case.pattern}): {_said(then)} -> {_said(now)}: {verdict}"
                app.console().print(Text(words))
        if baseline:
            app.note(
                f"{half} half: {flipped} of {len(cases)} passages flip, "
                f"{better} to right, {worse} to wrong"
            )
    if save:
        save.write_text(json.dumps({"rules": rules_version(), "readings": readings}, indent=1))
        app.note(f"{len(readings)} readings written to {save}")


def _said(answer: Answer) -> str:
    stances = [f"{visa} {stance}" for visa, stance in answer.stances.items()]
    conditions = [f"{visa} {kind}" for visa, kind in sorted(answer.conditions)]
    return ", ".join(stances + conditions).replace("_", " ") or "nothing stated"


def _readings(file: Path) -> dict[str, Answer]:
    from benchmarks.baselines import from_json

    try:
        readings = json.loads(file.read_text("utf-8"))["readings"]
        return {name: from_json(reading) for name, reading in readings.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise click.ClickException(f"{file} was not written by --save") from error
