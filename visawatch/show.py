"""Policies and changes as people read them in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from extractors import Category, Policy
from monitor.diff import as_rich, category, policy_diff, shortened, summary
from monitor.groups import grouped
from monitor.status import Status
from store.records import Change, Program, Review

# Green where applicants from abroad are welcome, red where not, yellow where nobody knows.
STYLES = {
    Category.J1_AND_H1B: "green",
    Category.J1_H1B_CASE_BY_CASE: "green",
    Category.H1B_ONLY: "green",
    Category.J1_ONLY: "cyan",
    Category.J1_H1B_UNSTATED: "cyan",
    Category.NO_SPONSORSHIP: "red",
}
SEVERITIES = {"critical": "bold red", "major": "bold yellow", "minor": "dim"}


def policies_table(statuses: Iterable[Status], *, title: str | None = None) -> Table:
    """Each program with its policy, the sentences that prove it, and the health of its pages."""
    table = Table(title=title, title_justify="left", header_style="bold", pad_edge=False)
    table.add_column("Program", ratio=3, overflow="fold")
    table.add_column("Policy", ratio=2)
    table.add_column("What the page says", ratio=5, overflow="fold")
    table.add_column("Page", no_wrap=True)
    for status in statuses:
        program = status.program
        name = Text(program.institution)
        name.append(f"\n{program.specialty}, {program.level}", style="dim")
        health = Text(status.health, style="" if status.health == "ok" else "yellow")
        table.add_row(name, _policy(status), _quotes(status), health, end_section=False)
    return table


def show_changes(
    console: Console,
    changes: Iterable[Change],
    programs: Mapping[str, Program],
    reviews: Mapping[int, Review] | None = None,
    waves: Mapping[int, str] | None = None,
) -> None:
    """Flagged changes, those that belong together once: what they mean, and what words changed.

    `reviews` are the last decisions, by change: who decided, and why; `waves` says what each
    wave is.
    """
    for wave, groups in groupby(grouped(changes, programs), key=lambda group: group.wave):
        members = list(groups)
        if wave is not None:
            head = Text(f"wave {wave}: {(waves or {}).get(wave, '')}", style="bold magenta")
            console.print(head)
            _hint(console, members[0].changes[0], "--wave")
        for group in members:
            if len(group.changes) > 1:
                count = len(group.changes)
                console.print(Text(f"{group.institution}: {count} changes in one night", "bold"))
                if wave is None:
                    _hint(console, group.changes[0], "--group")
            for story in group.stories:
                _show_story(console, story, programs, reviews or {})


def _hint(console: Console, change: Change, option: str) -> None:
    """How to decide on all of it, while that is to be done."""
    if change.status == "open":
        hint = f"visawatch review {change.id} accept {option}"
        console.print(Padding(Text(hint, style="dim"), (0, 0, 0, 4)))


def _show_story(
    console: Console,
    story: Sequence[Change],
    programs: Mapping[str, Program],
    reviews: Mapping[int, Review],
) -> None:
    change = story[0]
    title = Text(", ".join(f"#{change.id}" for change in story) + " ", style="bold")
    title.append(f"{change.severity} ", style=SEVERITIES[change.severity])
    title.append(f"{change.kind.replace('_', ' ')}", style="bold")
    if change.cycle_id is None:
        title.append(f", by {change.channel}", style="bold")
    if change.status != "open":
        title.append(f" ({change.status})", style="dim")
    words = as_rich(shortened(policy_diff(change.before, change.after)))
    if change.cycle_id is None:  # what several sources say is no later form of each other
        words = Text(f"all sides: visawatch sources show {change.program_id}", style="dim")
    lines = [Text(_names(story, programs)), Text(summary(change), style="bold"), words]
    if (review := reviews.get(change.id)) is not None:
        why = f": {review.note}" if review.note else ""
        lines.append(Text(f"{review.verdict} by {review.by} on {review.at[:10]}{why}"))
    if change.url:
        lines.append(Text(change.url, style="dim"))
    console.print(title)
    for line in lines:
        console.print(Padding(line, (0, 0, 0, 4)))
    console.print()


def _names(story: Sequence[Change], programs: Mapping[str, Program]) -> str:
    """`Fernway Hospital: Medicine, Surgery`; the id of a program that is watched no more."""
    first = programs.get(story[0].program_id)
    if first is None:
        return story[0].program_id
    return f"{first.institution}: {', '.join(programs[c.program_id].specialty for c in story)}"


def _policy(status: Status) -> Text:
    policy = status.policy
    if policy is None:
        return Text("not seen yet", style="dim")
    words = category(policy.to_json())
    text = Text(words, style=STYLES.get(policy.category, "yellow"))
    for condition in policy.conditions:
        by = f" by {condition.by}" if condition.by else ""
        text.append(f"\n{condition.visa}: {condition.kind.replace('_', ' ')}{by}", style="dim")
    if status.flapping:
        text.append(f"\nneeds review: goes {status.flapping}", style="yellow")
    elif status.stale:
        seen = f": last seen {status.as_of[:10]}" if status.as_of else ""
        text.append(f"\nstale{seen}", style="yellow")
    elif policy.needs_review:
        text.append("\nneeds review", style="yellow")
    if status.inherited_from:
        text.append("\nfrom its GME office", style="dim")
    if status.origin == "fused":
        text.append("\nfrom several sources", style="dim")
    elif status.origin != "read":
        text.append(f"\n{status.origin} by a maintainer", style="dim")
    return text


def _quotes(status: Status) -> Text:
    lines = [Text(quote) for quote in dict.fromkeys(_quoted(status.policy or Policy()))]
    if status.detail:
        lines.append(Text(status.detail, style="dim"))
    return Text("\n").join(lines or [Text("nothing about visas", style="dim")])


def _quoted(policy: Policy) -> Iterable[str]:
    return (f"“{evidence.quote}”" for evidence in policy.evidence if evidence.quote)
