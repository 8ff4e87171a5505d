"""`visawatch shortlist`: the programs that an applicant may apply to, in order, and why."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from monitor.alerts import AddressError, address
from shortlist import ical, steps, whatif
from shortlist.dates import dates_of
from shortlist.knowledge import knowledge
from shortlist.profile import Profile, profile, values_in
from shortlist.target import Shortlist, Target, ask
from shortlist.target import shortlist as judge
from shortlist.telling import rows
from store import programs, subscriptions
from store.database import Store
from store.records import Subscription
from visawatch import show_shortlist as show
from visawatch.app import App
from visawatch.whole import writing
from web import csvfile

_FILE = click.Path(path_type=Path, dir_okay=False)


def _watcher(context: click.Context, parameter: click.Parameter, value: str | None) -> str:
    try:
        return address(value) if value else ""
    except AddressError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--profile", "file", type=_FILE, metavar="FILE", help="A profile, TOML or JSON.")
@click.option("--visa", metavar="J-1|H-1B|either|EAD|...", help="The visa, or the status.")
@click.option("--prefers", metavar="VISA", help="With --visa either: the one you prefer.")
@click.option("--step3", metavar="passed|no|DATE", help="Step 3: passed, or when it is planned.")
@click.option("--ecfmg", metavar="certified|no|DATE", help="The ECFMG certificate.")
@click.option("--us-graduate/--not-us-graduate", default=None, help="Of a medical school here.")
@click.option("--holds-h1b/--holds-no-h1b", default=None, help="An H-1B already.")
@click.option("--in-us/--abroad", default=None, help="Where you are.")
@click.option("--nationality", metavar="COUNTRY", help="For the rules of the land.")
@click.option("--level", metavar="residency|fellowship|any", help="What you apply for.")
@click.option("--specialty", "specialties", multiple=True, metavar="NAME", help="Repeatable.")
@click.option("--place", "places", multiple=True, metavar="PLACE", help="Only there; repeatable.")
@click.option("--near", multiple=True, metavar="PLACE", help="Preferably there; repeatable.")
@click.option("--applications", metavar="N", help="How many programs you can apply to.")
@click.option("--graduated", metavar="YEAR", help="Ranks nothing; drafted mails ask for limits.")
@click.option("--score", "scores", multiple=True, metavar="NAME=N", help="The same; repeatable.")
@click.option("--weight", "weights", multiple=True, metavar="PART=0..10", help="What matters.")
@click.option("--what-if", "wishes", multiple=True, metavar="NAME=VALUE", help="Repeatable.")
@click.option("--steps", "with_steps", is_flag=True, help="With what to do after the Match.")
@click.option("--csv", "csv_file", type=_FILE, metavar="FILE", help="Write the list as CSV.")
@click.option("--ics", type=_FILE, metavar="FILE", help="Write its dates as iCalendar.")
@click.option("--watch", callback=_watcher, metavar="EMAIL", help="Mail when one changes.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines; the last is the summary.")
@click.pass_obj
def shortlist(
    app: App,
    /,
    file: Path | None,
    wishes: tuple[str, ...],
    with_steps: bool,
    csv_file: Path | None,
    ics: Path | None,
    watch: str,
    as_json: bool,
    **flags: Any,
) -> None:
    """Show which programs you may apply to, the best first, by what their pages say.

    Who you are comes from a profile's file, and flags stand for what it says. Nothing of it is
    kept. Programs whose policy rules you out are never among them; docs/shortlist.md says how the
    others are put in order. A list is information, not legal advice.
    """
    mine = _profile(file, flags)
    known = knowledge(app.config.shortlist.path)
    with app.store() as store:
        question = ask(store, mine, known, app.now())
        found = judge(question)
        stale = app.config.monitor.stale_after_cycles
        targets = found.targets(store, found.chosen, stale_after_cycles=stale)
        what_ifs = (
            [whatif.weighed(question, w, whatif.changed(mine, w)) for w in wishes]
            if wishes
            else whatif.proposals(question)
        )
        _write(app, store, found, targets, csv_file, ics)
        if as_json:
            for target in targets:
                app.echo_json(show.as_json(found, target))
            app.echo_json(show.summary_json(found, what_ifs))
        else:
            _print(app, store, found, targets, what_ifs, with_steps=with_steps)
        if watch:
            _watch(app, store, watch, targets)


def _print(
    app: App,
    store: Store,
    found: Shortlist,
    targets: list[Target],
    what_ifs: list[whatif.Otherwise],
    *,
    with_steps: bool,
) -> None:
    console = app.console()
    show.show(console, found, targets)
    named = {i for one in what_ifs for i in (*one.opens, *one.closes)}
    if what_ifs:
        show.show_what_ifs(console, what_ifs, programs.ever_listed(store, named))
    show.show_concerns(console, found)
    if with_steps:
        question = found.question
        due = steps.checklist(question.known.steps, question.profile.visas, question.season)
        show.show_steps(console, due)


def _profile(file: Path | None, flags: dict[str, Any]) -> Profile:
    values = values_in(file) if file else {}
    pairs = {name: _pairs(flags.pop(name)) for name in ("weights", "scores")}
    values.update({name: value for name, value in flags.items() if value not in (None, ())})
    for name, said in pairs.items():
        if said:
            before = values.get(name)
            values[name] = {**(before if isinstance(before, dict) else {}), **said}
    return profile(values, f"profile {file}" if file else "profile")


def _pairs(said: Iterable[str]) -> dict[str, str]:
    """`near=8` as name and value."""
    parts = (pair.partition("=") for pair in said)
    return {name.strip(): value.strip() for name, _, value in parts}


def _write(
    app: App,
    store: Store,
    found: Shortlist,
    targets: list[Target],
    csv_file: Path | None,
    ics: Path | None,
) -> None:
    if csv_file is not None:
        _write_file(csv_file, csvfile.lines(rows(found, targets)))
        app.note(f"{len(targets)} programs written to {csv_file}")
    if ics is not None:
        dates = dates_of(store, found)
        name = f"{found.question.season.match} Match"
        _write_file(ics, [ical.written(dates, name, app.now())])
        app.note(f"{len(dates)} dates written to {ics}")


def _write_file(path: Path, parts: Iterable[bytes]) -> None:
    with writing(path) as file:
        file.writelines(parts)


def _watch(app: App, store: Store, who: str, targets: list[Target]) -> None:
    if not targets:
        app.note("Nothing to watch: the list is empty.")
        return
    ids = " ".join(target.status.program.program_id for target in targets)
    with store.writing():
        made = subscriptions.add(store, Subscription(0, who, program_id=ids), app.now())
    app.note(f"{who} is told when one of these {len(targets)} programs changes.")
    app.note(f"To stop: visawatch unsubscribe {made.token}")
