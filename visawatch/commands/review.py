"""`visawatch review ID ...`: a maintainer's decision, or a word on a flagged change."""

from __future__ import annotations

import click

from extractors import Policy
from monitor.diff import category
from monitor.review import decide, say, undo
from sources.weigh import weigh
from store.records import Remark, stamp
from visawatch.app import App
from visawatch.cycling import say_weighed
from visawatch.truth import by_option, policy_options, policy_said


@click.group()
@click.argument("change_id", metavar="ID", type=int)
@click.pass_context
def review(ctx: click.Context, change_id: int) -> None:
    """Decide on the flagged change ID; who, when and why are kept for good."""
    ctx.meta["change_id"] = change_id


def _who(function: click.decorators.FC) -> click.decorators.FC:
    note = click.option("--note", default="", help="Why.")
    group = click.option(
        "--group", is_flag=True, help="Decide on all of its institution's changes of that night."
    )
    wave = click.option("--wave", is_flag=True, help="Decide on all changes of its wave.")
    return by_option(note(group(wave(function))))


@review.command()
@_who
@click.pass_context
def accept(ctx: click.Context, by: str, note: str, group: bool, wave: bool) -> None:
    """The change is real: the new policy stands."""
    _decide(ctx, "accepted", by, note, group=group, wave=wave)


@review.command()
@_who
@click.pass_context
def dismiss(ctx: click.Context, by: str, note: str, group: bool, wave: bool) -> None:
    """A false alarm: the policy from before stands, until the statement changes."""
    _decide(ctx, "dismissed", by, note, group=group, wave=wave)


@review.command()
@policy_options(required=True)
@_who
@click.pass_context
def correct(
    ctx: click.Context,
    j1: str,
    h1b: str,
    conditions: tuple[str, ...],
    by: str,
    note: str,
    group: bool,
    wave: bool,
) -> None:
    """The policy was read wrongly: this one stands, until the statement changes."""
    policy = policy_said(j1, h1b, conditions)
    _decide(ctx, "corrected", by, note, policy, group=group, wave=wave)


@review.command("undo")
@by_option
@click.pass_context
def undo_last(ctx: click.Context, by: str) -> None:
    """Take the last decision back; both are kept. What held before it holds again."""
    app: App = ctx.obj
    with app.store() as store, store.writing():  # decided and weighed in one step
        change = undo(store, ctx.meta["change_id"], by=by, now=app.now())
        weighed = weigh(store, app.now(), [change.program_id])
    app.note(f"change {change.id} is {change.status} again: {change.program_id}")
    say_weighed(app, weighed)


@review.command()
@click.argument("text")
@by_option
@click.pass_context
def comment(ctx: click.Context, text: str, by: str) -> None:
    """Say TEXT about the change, for other maintainers."""
    _say(ctx, "comment", text, by, "comment kept")


@review.command()
@click.argument("name")
@by_option
@click.pass_context
def assign(ctx: click.Context, name: str, by: str) -> None:
    """Give the change to the user NAME; '' gives it to nobody."""
    _say(ctx, "assigned", name, by, f"assigned to {name or 'nobody'}")


@review.command()
@click.argument("day")
@by_option
@click.pass_context
def snooze(ctx: click.Context, day: str, by: str) -> None:
    """Leave the change out of the review room's queue until DAY (2027-02-01); '' ends that."""
    _say(ctx, "snoozed", day, by, f"snoozed until {day}" if day else "snoozed no longer")


def _say(ctx: click.Context, kind: str, text: str, by: str, said: str) -> None:
    app: App = ctx.obj
    number = ctx.meta["change_id"]
    with app.store() as store:
        say(store, Remark(number, kind, text, by.strip(), stamp(app.now())))
    app.note(f"change {number}: {said}")


def _decide(
    ctx: click.Context,
    verdict: str,
    by: str,
    note: str,
    policy: Policy | None = None,
    *,
    group: bool,
    wave: bool,
) -> None:
    if group and wave:
        raise click.UsageError("--group and --wave exclude each other")
    app: App = ctx.obj
    with app.store() as store, store.writing():
        decided = decide(
            store,
            ctx.meta["change_id"],
            verdict,
            by=by,
            note=note,
            now=app.now(),
            policy=policy,
            group=group,
            wave=wave,
        )
        weighed = weigh(store, app.now(), {change.program_id for change in decided})
    for change in decided:
        stands = {
            "accepted": change.after,
            "dismissed": change.before,
            "corrected": policy.to_json() if policy else {},
        }[verdict]
        words = category(stands)
        app.note(f"change {change.id} {verdict}: {change.program_id} stands as {words}")
    say_weighed(app, weighed)
