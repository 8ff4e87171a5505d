"""A list in sentences, and as the rows of a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shortlist.advice import advise, why
from shortlist.fit import KLASS_WORDS, WAY_WORDS, Way
from shortlist.profile import Profile
from shortlist.target import Shortlist, Target

COLUMNS = (
    "rank", "program_id", "institution", "specialty", "city", "state", "class", "stands", "score",
    "why", "conditions_to_meet", "next", "quotes", "last_seen", "page", "coordinator",
)  # fmt: skip


def title(found: Shortlist) -> str:
    """`The 2027 Match: 23 of 105 programs are not ruled out`."""
    total = len(found.open) + len(found.closed)
    match = found.question.season.match
    return f"The {match} Match: {len(found.open)} of {total} programs are not ruled out"


def cut(found: Shortlist) -> str:
    """What the number of applications takes in and leaves out."""
    chosen, left = found.chosen, found.left_out
    ways = ", ".join(f"{found.ways[way]} {WAY_WORDS[way]}" for way in Way if found.ways[way])
    said = f"{len(chosen)} of {found.profile.applications} applications: {ways or 'none'}."
    if not left:
        return f"{said} Nothing that is open to you is left out."
    last, first = chosen[-1].score or 0, left[0].score or 0
    return (
        f"{said} {len(left)} more are left out; the last one in has {last:.1f} points, "
        f"the first one out {first:.1f}."
    )


def unranked(profile: Profile) -> str:
    """What a profile says that ranks nothing, in a sentence; empty when there is nothing such."""
    said = [("your year of graduation", profile.graduated), ("your scores", profile.scores)]
    words = " and ".join(name for name, value in said if value)
    if not words:
        return ""
    verb = "rank" if profile.scores else "ranks"
    return (
        f"{words.capitalize()} {verb} nothing: VisaWatch reads what programs say of visas, and of "
        "no other limits. Look on each program's page; the drafted mails ask."
    )


def rows(found: Shortlist, targets: Sequence[Target]) -> Iterator[tuple[object, ...]]:
    """The list as lines of a CSV file, the first one with the names of the columns."""
    yield COLUMNS
    for target in targets:
        program, policy = target.status.program, target.status.policy
        verdict = target.ranked.verdict
        quotes = dict.fromkeys(e.quote for e in policy.evidence) if policy else ()
        yield (
            target.rank,
            program.program_id,
            program.institution,
            program.specialty,
            program.city,
            program.state,
            KLASS_WORDS[verdict.klass],
            WAY_WORDS[verdict.way],
            round(target.ranked.score or 0.0, 1),
            "; ".join(why(target)),
            "; ".join(t.words for t in verdict.best.to_do),
            "; ".join(advise(found.question, target).steps),
            " | ".join(quotes),
            target.status.as_of,
            program.eligibility_url or program.website_url,
            program.coordinator_email,
        )
