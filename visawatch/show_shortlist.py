"""A target list as a terminal, a script and a spreadsheet get it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from extractors.values import Policy
from shortlist.advice import advise, why
from shortlist.fit import KLASS_WORDS, WAY_WORDS, Way
from shortlist.steps import Due
from shortlist.target import Shortlist, Target
from shortlist.telling import cut, title, unranked
from shortlist.whatif import Otherwise
from store.records import Program

MOST_NAMED = 5  # programs that a "what if" names


def show(console: Console, found: Shortlist, targets: Sequence[Target]) -> None:
    """The list, with what it leaves out and why."""
    _show_classes(console, found)
    table = Table("", "Program", "Class, and why it is here", "Next", "Score", show_lines=True)
    for column in table.columns:
        column.overflow = "fold"
    for target in targets:
        program, verdict = target.status.program, target.ranked.verdict
        place = ", ".join(filter(None, (program.city, program.state)))
        policy = _policy(target)
        quotes = dict.fromkeys(f'"{e.quote}"' for e in policy.evidence) if policy else {}
        table.add_row(
            str(target.rank),
            Text(f"{program.institution}, {program.specialty}\n{place}"),
            Text(
                "\n".join(
                    (
                        KLASS_WORDS[verdict.klass],
                        *why(target),
                        *dict.fromkeys(quotes),
                        _seen(target),
                    )
                )
            ),
            Text("\n".join(advise(found.question, target).steps)),
            Text(f"{_score(target):.0f}\n" + "\n".join(_parts(target))),
        )
    console.print(table)
    console.print(Text(cut(found)))
    if words := unranked(found.profile):
        console.print(Text(words))


def _show_classes(console: Console, found: Shortlist) -> None:
    table = Table("Class", *WAY_WORDS.values(), title=title(found))
    for klass, ways in found.classes.items():
        if ways.total():
            table.add_row(KLASS_WORDS[klass], *(str(ways[way] or "") for way in Way))
    console.print(table)
    for reason, count in found.reasons[:MOST_NAMED]:
        console.print(Text(f"ruled out, {count}: {reason}"))


def show_what_ifs(console: Console, found: Sequence[Otherwise], known: dict[str, Program]) -> None:
    """What other facts about the applicant would open and close."""
    console.print(Rule(Text("What if"), align="left"))
    for one in found:
        counts = ((one.opens, "would open"), (one.closes, "would close"))
        said = ", ".join(f"{len(ids)} {verb}" for ids, verb in counts if ids)
        console.print(Text(f"{one.words}: {said or 'nothing changes'}", style="bold"))
        for sign, ids in (("+", one.opens), ("-", one.closes)):
            for program_id in ids[:MOST_NAMED]:
                program = known[program_id]
                console.print(Text(f"  {sign} {program.institution}, {program.specialty}"))
            if len(ids) > MOST_NAMED:
                console.print(Text(f"  {sign} and {len(ids) - MOST_NAMED} more"))


def show_concerns(console: Console, found: Shortlist) -> None:
    """The rules of the land, apart from the policies."""
    concerns = found.concerns
    if not concerns:
        return
    console.print(Rule(Text("Rules of the land (no program's policy)"), align="left"))
    for concern in concerns:
        rule = concern.rule
        console.print(Text(f"{rule.title}: {concern.because}", style="bold"))
        if concern.ended:
            console.print(Text(f"  ended on {rule.until} by its own words: look up whether it did"))
        console.print(Text(f"  {rule.says}\n  {rule.source}, read on {rule.seen}"))


def show_steps(console: Console, due: Sequence[Due]) -> None:
    """The checklist after the Match."""
    table = Table("", "About", "Visa", "What", "Who", title="After the Match")
    for one in due:
        step = one.step
        table.add_row("☐", *map(Text, (str(one.day), str(step.visa), step.says, step.who)))
    console.print(table)


def as_json(found: Shortlist, target: Target) -> dict[str, Any]:
    """One line of `shortlist --json`."""
    verdict, status = target.ranked.verdict, target.status
    policy = status.policy
    advice = advise(found.question, target)
    return {
        "rank": target.rank,
        "program_id": status.program.program_id,
        "class": str(verdict.klass),
        "stands": str(verdict.way),
        "visa": str(verdict.best.visa),
        "score": round(_score(target), 1),
        "parts": {
            s.part: {"weight": s.weight, "value": round(s.value, 3), "points": round(s.points, 1)}
            for s in target.shares
        },
        "why": list(why(target)),
        "to_do": [
            {"kind": str(t.kind), "by": t.by.isoformat(), "words": t.words, "rule": t.rule or None}
            for t in verdict.best.to_do
        ],
        "next": list(advice.steps),
        "letter": {"to": advice.letter.to, "subject": advice.letter.subject,
                   "body": advice.letter.body} if advice.letter else None,
        "category": str(policy.category) if policy else None,
        "quotes": [{"quote": e.quote, "url": e.url} for e in policy.evidence] if policy else [],
        "as_of": status.as_of,
        "needs_review": policy.needs_review if policy else True,
    }  # fmt: skip


def summary_json(found: Shortlist, what_ifs: Sequence[Otherwise]) -> dict[str, Any]:
    """The last line of `shortlist --json`."""
    return {
        "season": found.question.season.match,
        "considered": len(found.open) + len(found.closed),
        "not_ruled_out": len(found.open),
        "chosen": len(found.chosen),
        "unranked": [name for name in ("graduated", "scores") if getattr(found.profile, name)],
        "classes": {
            str(klass): {str(way): n for way, n in ways.items()}
            for klass, ways in found.classes.items()
            if ways
        },
        "ruled_out": [{"why": reason, "programs": count} for reason, count in found.reasons],
        "what_if": [
            {"what": one.words, "opens": list(one.opens), "closes": list(one.closes)}
            for one in what_ifs
        ],
        "rules": [
            {
                "rule": c.rule.id,
                "title": c.rule.title,
                "ended": c.ended,
                "because": c.because,
                "source": c.rule.source,
            }
            for c in found.concerns
        ],
    }


def _policy(target: Target) -> Policy | None:
    return target.status.policy


def _score(target: Target) -> float:
    return target.ranked.score or 0.0


def _parts(target: Target) -> list[str]:
    return [
        f"{share.part} {share.points:.0f} of {_most(target, share.weight):.0f}"
        for share in target.shares
        if share.weight
    ]


def _most(target: Target, weight: int) -> float:
    return 100 * weight / sum(share.weight for share in target.shares)


def _seen(target: Target) -> str:
    seen = f"last seen {target.status.as_of[:10]}" if target.status.as_of else "never seen"
    doubt = target.status.policy is None or target.status.policy.needs_review
    return f"{seen}, in doubt" if doubt else seen
