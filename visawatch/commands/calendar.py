"""`visawatch calendar`: the season's dates, with programs' own deadlines in them."""

from __future__ import annotations

from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from shortlist import deadlines, ical
from shortlist.calendar import Event, Season
from shortlist.calendar import calendar as load
from shortlist.deadlines import ProgramDeadline
from visawatch.app import App
from visawatch.whole import writing


@click.command()
@click.option("--season", type=int, metavar="YEAR", help="The year of the Match.  [default: now's]")
@click.option("--programs", is_flag=True, help="With the deadlines that programs' pages name.")
@click.option(
    "--ics",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write an iCalendar file.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON lines.")
@click.pass_obj
def calendar(app: App, season: int | None, programs: bool, ics: Path | None, as_json: bool) -> None:
    """Show the dates of a season: ERAS, interviews, rank lists, Match, SOAP, visas, start.

    A day is stated, or found by a rule that its source names; one that is `expected` was reckoned
    from other seasons: look it up.
    """
    known = load(app.config.shortlist.path)
    chosen = known.season(season) if season else known.current(app.now().date())
    found: list[ProgramDeadline] = []
    if programs:
        with app.store() as store:
            found = deadlines.of_programs(store, known, chosen)
    if ics is not None:
        dates = ical.of_season(chosen) + deadlines.as_dates(found, chosen)
        with writing(ics) as file:
            file.write(ical.written(dates, f"{chosen.match} Match", app.now()))
        app.note(f"{len(dates)} dates written to {ics}")
    if as_json:
        for event in chosen.events:
            app.echo_json(_event_json(event))
        for one in found:
            app.echo_json(_deadline_json(one))
    elif ics is None:
        app.console().print(_table(chosen, found))


def _table(season: Season, found: list[ProgramDeadline]) -> Table:
    table = Table(
        "When", "What", "How it is known", title=f"The season of the {season.match} Match"
    )
    rows = [
        (
            event.day,
            _span(event),
            event.name,
            f"{event.known}\n{event.source}",
        )
        for event in season.events
    ]
    rows += [
        (
            one.deadline.day,
            one.deadline.day.isoformat(),
            f"{one.program.institution}, {one.program.specialty}: {one.words}",
            f"its page: {one.deadline.words}" + ("" if one.deadline.sure else "; ask"),
        )
        for one in found
        if one.deadline.day is not None
    ]
    for _, *cells in sorted(rows):
        table.add_row(*map(Text, cells))
    for one in found:
        if one.deadline.day is None:
            name = f"{one.program.institution}, {one.program.specialty}: {one.words}"
            table.add_row("no day", Text(name), Text(f"its page: {one.deadline.words}; ask"))
    for column in table.columns:
        column.overflow = "fold"
    return table


def _span(event: Event) -> str:
    return event.day.isoformat() + (f" to {event.until}" if event.until else "")


def _event_json(event: Event) -> dict[str, object]:
    return {
        "event": str(event.id),
        "name": event.name,
        "day": event.day.isoformat(),
        "until": event.until.isoformat() if event.until else None,
        "basis": event.basis,
        "reckoned": event.reckoned or None,
        "source": event.source,
        "seen": event.seen.isoformat(),
        "visas": list(event.visas),
    }


def _deadline_json(one: ProgramDeadline) -> dict[str, object]:
    day = one.deadline.day
    return {
        "program_id": one.program.program_id,
        "visa": str(one.condition.visa),
        "kind": str(one.condition.kind),
        "by": one.deadline.words,
        "day": day.isoformat() if day else None,
        "sure": one.deadline.sure,
    }
