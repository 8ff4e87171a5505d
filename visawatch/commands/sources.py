"""`visawatch sources`: what others than the pages say, and what all of it comes to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from extractors import Policy, Visa
from monitor.diff import STANCE_WORDS, category, visa_words
from monitor.timeline import season
from sources import Channel, Fused, Role, Side
from sources.deciding import settle
from sources.freida import FreidaError, Imported, import_
from sources.residents import OUTCOMES, Report, report
from sources.weigh import sides, weigh
from store.records import stamp
from visawatch.app import App
from visawatch.cycling import say_weighed
from visawatch.moments import Day
from visawatch.truth import by_option, policy_options, policy_said

ROLES = {
    Role.DECIDES: "decides",
    Role.AGREES: "agrees",
    Role.DISAGREES: "disagrees",
    Role.SET_ASIDE: "set aside by a maintainer's finding",
    Role.SUPERSEDED: "superseded",
    Role.UNVERIFIED: "not verified yet",
    Role.HISTORY: "history",
    Role.AHEAD: "for a season to come",
}
_STYLES = {Role.DECIDES: "green", Role.AGREES: "green", Role.DISAGREES: "bold red"}


@click.group()
def sources() -> None:
    """What others than a program's pages say, weighed against each other."""


@sources.command()
@click.argument("program_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_obj
def show(app: App, program_id: str, as_json: bool) -> None:
    """Show all sides on one program, and what they come to today."""
    with app.store() as store:
        fused = sides(store, program_id, app.now())
    if as_json:
        app.echo_json(to_json(program_id, fused))
    else:
        print_sides(app.console(), fused)


@sources.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--seen", type=Day(), help="When it was exported.  [default: today]")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=HEADER",
    help="Which column holds a field, such as visas='Visa types'; repeatable.",
)
@by_option
@click.option("--json", "as_json", is_flag=True, help="JSON lines: one for each row.")
@click.pass_obj
def import_file(
    app: App,
    file: Path,
    seen: datetime | None,
    columns: tuple[str, ...],
    by: str,
    as_json: bool,
) -> None:
    """Take in what you exported or typed from FREIDA, a CSV FILE.

    Rows are matched by ACGME ID, then by name; those that are not are listed with the reason.
    """
    named = {}
    for column in columns:
        name, equals, header = column.partition("=")
        if not equals:
            raise click.UsageError(f"--column {column}: write FIELD=HEADER")
        named[name.strip()] = header.strip()
    with app.store() as store, store.writing():  # taken in and weighed in one step
        try:
            done = import_(
                store,
                file.read_bytes(),
                app.now(),
                by=by,
                columns=named,
                seen=seen.date() if seen else None,
            )
        except FreidaError as error:
            raise FreidaError(f"{file}: {error}") from error
        weighed = weigh(store, app.now(), {m.program.program_id for _, m in done.taken})
    _report_import(app, file, done, as_json)
    say_weighed(app, weighed)


@sources.command("report")
@click.argument("program_id", metavar="ID")
@click.option("--visa", type=click.Choice([str(v) for v in Visa]), required=True)
@click.option("--outcome", type=click.Choice(list(OUTCOMES)), default="held", show_default=True)
@click.option("--season", "year", type=int, help="The year of the Match.  [default: this season]")
@click.option("--reporter", required=True, help="Who says so; only a salted hash is kept.")
@click.pass_obj
def report_(
    app: App, program_id: str, visa: str, outcome: str, year: int | None, reporter: str
) -> None:
    """File a resident's report: the visa that somebody holds there, or was refused."""
    now = app.now()
    with app.store() as store, store.writing():
        made = Report(program_id, year or season(stamp(now)), Visa(visa), outcome)
        number = report(store, made, reporter, now)
        weighed = weigh(store, now, [program_id])
    if number is None:
        app.note("the same person has said so before; nothing was filed")
    else:
        app.note(f"filed as {number}; it counts when a second resident says so, or you accept it")
    say_weighed(app, weighed)


@sources.command("settle")
@click.argument("program_id", metavar="ID")
@policy_options(required=True)
@by_option
@click.option("--note", required=True, help="How you found out.")
@click.pass_obj
def settle_(
    app: App,
    program_id: str,
    j1: str,
    h1b: str,
    conditions: tuple[str, ...],
    by: str,
    note: str,
) -> None:
    """Decide what is true of a program, whatever its sources say; all sides stay on record."""
    policy = policy_said(j1, h1b, conditions)
    with app.store() as store:
        settle(store, program_id, policy, by=by, note=note, now=app.now())
        fused = sides(store, program_id, app.now())
    print_sides(app.console(), fused)


def print_sides(console: Console, fused: Fused, visas: Iterable[Visa] = Visa) -> None:
    """What a program's sources come to, then all sides, visa by visa (of `visas`)."""
    console.print(Text(category(fused.policy.to_json()), style="bold"))
    if fused.disputed:
        names = ", ".join(map(visa_words, fused.disputed))
        console.print(Text(f"disputed: {names}", style="bold red"))
    for visa in visas:
        told = [side for side in fused.sides if side.visa is visa]
        if told:
            console.print(Text(visa_words(visa), style="bold"))
        for side in told:
            console.print(Padding(_line(side), (0, 0, 0, 2)))


def _line(side: Side) -> Text:
    e = side.evidence
    line = Text(f"{STANCE_WORDS[side.stance]}  ")
    line.append(ROLES[side.role], style=_STYLES.get(side.role, "dim"))
    who = "" if e.channel is Channel.RESIDENT or not e.who else f" ({e.who})"
    line.append(f"  {e.channel}{who}, {e.at[:10]}, season of {e.season}, weighs {side.weight}")
    if e.quote:
        line.append(f"\n“{e.quote}”", style="italic")
    if e.link:
        line.append(f"\n{e.link}", style="dim")
    return line


def to_json(program_id: str, fused: Fused) -> dict[str, object]:
    """What a program's sources come to, and all sides; of a resident not even the hash."""
    policy: Policy = fused.policy
    return {
        "program_id": program_id,
        **policy.to_json(),
        "disputed": [str(visa) for visa in fused.disputed],
        "sides": [
            {
                "visa": str(s.visa),
                "stance": str(s.stance),
                "channel": str(s.evidence.channel),
                "role": str(s.role),
                "weight": s.weight,
                "at": s.evidence.at,
                "season": s.evidence.season,
                "who": "" if s.evidence.channel is Channel.RESIDENT else s.evidence.who,
                "quote": s.evidence.quote,
                "link": s.evidence.link,
            }
            for s in fused.sides
        ],
    }


def _report_import(app: App, file: Path, done: Imported, as_json: bool) -> None:
    if done.ignored:
        app.note(f"{file}: columns not used: {', '.join(done.ignored)}")
    for line, match in done.taken:
        if as_json:
            app.echo_json(
                {
                    "line": line,
                    "program_id": match.program.program_id,
                    "confidence": match.confidence,
                    "by_id": match.by_id,
                }
            )
        elif not match.by_id:
            name = match.program.program_id
            app.note(f"line {line}: taken for {name} by its name ({match.confidence:.2f})")
    for row in done.skipped:
        if as_json:
            app.echo_json({"line": row.line, "program": row.program, "reason": row.reason})
        else:
            app.note(f"line {row.line}: not taken ({row.program}): {row.reason}")
    app.note(
        f"{len(done.taken)} rows taken, {len(done.skipped)} not, {done.silent} say nothing of "
        f"visas, {done.repeated} were there already"
    )
