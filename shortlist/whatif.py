"""What would open and what would close, if something about the applicant were otherwise."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

from shortlist.calendar import EventId, Season
from shortlist.errors import ProfileError
from shortlist.fit import Way
from shortlist.profile import Profile, Wants, profile
from shortlist.table import Flags
from shortlist.target import Question, considered
from store.states import NAMES

MOST_PLACES = 3  # that are proposed
_LISTS = ("specialties", "places", "near")


@dataclass(frozen=True, slots=True)
class Otherwise:
    """A profile that differs in one thing, and what that changes, by program id and name."""

    words: str
    profile: Profile
    opens: tuple[str, ...]
    closes: tuple[str, ...]


def proposals(question: Question) -> list[Otherwise]:
    """What is worth a thought for this profile, less what changes nothing."""
    before = _reach(question)
    found = [_weighed(question, words, other, before) for words, other in _others(question)]
    found += _other_places(question, before)
    return [one for one in found if one.opens or one.closes]


def weighed(question: Question, words: str, other: Profile) -> Otherwise:
    """What a change of the profile opens and closes."""
    return _weighed(question, words, other, _reach(question))


def _weighed(question: Question, words: str, other: Profile, before: Flags) -> Otherwise:
    after, ids = _reach(replace(question, profile=other)), question.table.ids
    return Otherwise(words, other, ids(after & ~before), ids(before & ~after))


def changed(base: Profile, wish: str) -> Profile:
    """A profile with one thing changed: `step3=2026-12-31`, `visa=either`, `places+CT`.

    Raises ProfileError.
    """
    for sign in ("+", "="):
        name, found, value = wish.partition(sign)
        if found and name.strip() in Profile.__dataclass_fields__:
            return profile(_with(base, name.strip(), value.strip(), add=sign == "+"), "what if")
    raise ProfileError(
        "what if", ((wish, "write NAME=VALUE, or NAME+VALUE for one more place or specialty"),)
    )


def _with(base: Profile, name: str, value: str, *, add: bool) -> dict[str, Any]:
    values = asdict(base)
    if name in _LISTS:
        before = values[name] if add else ()
        values[name] = (*before, *(part.strip() for part in value.split(";")))
    elif add:
        raise ProfileError("what if", ((name, "holds one value: write NAME=VALUE"),))
    else:
        values[name] = value
    if name == "visa" and value != Wants.EITHER:
        values["prefers"] = ""
    return values


def _others(question: Question) -> Iterable[tuple[str, Profile]]:
    mine, today = question.profile, question.now.date()
    if mine.visa in (Wants.H1B, Wants.EITHER):
        if (day := _useful_day(question.season, today, mine.passed_step3)) is not None:
            yield f"you pass Step 3 by {day}", replace(mine, step3=day)
        if isinstance(mine.step3, date):
            yield "you do not pass Step 3 in time", replace(mine, step3="no")
    if mine.visa in (Wants.J1, Wants.H1B):
        yield "you take a J-1 or an H-1B", replace(mine, visa=Wants.EITHER)
    if mine.visa is Wants.EITHER:
        for wants in (Wants.J1, Wants.H1B):
            yield f"you take the {wants} only", replace(mine, visa=wants, prefers="")


def _useful_day(season: Season, today: date, have: date | None) -> date | None:
    """The end of the year, or else of the rank lists, or of the petitions, if it is earlier."""
    for day in (
        date(season.match - 1, 12, 31),
        season.event(EventId.RANK_LIST).day - timedelta(days=1),
        season.event(EventId.H1B_FILING).last,
    ):
        if today < day and (have is None or have > day):
            return day
    return None


def _other_places(question: Question, before: Flags) -> list[Otherwise]:
    """The states outside of one's places with most programs that are open."""
    mine, every = question.profile, question.table
    if not mine.places:
        return []
    opened = _reach(replace(question, profile=replace(mine, places=()))) & ~before
    states: Counter[str] = Counter()
    for (state, _), number in every.place.counted(opened):
        states[state] += number
    ranked = sorted(states, key=lambda state: (-states[state], state))

    def added(wanted: str) -> Otherwise:
        there = opened & every.place.flags(lambda place: place[0] == wanted)
        more = replace(mine, places=(*mine.places, wanted))
        return Otherwise(f"you add {NAMES[wanted]}", more, every.ids(there), ())

    return [added(state) for state in [state for state in ranked if state in NAMES][:MOST_PLACES]]


def _reach(question: Question) -> Flags:
    """The programs that are not closed."""
    opened = question.verdicts.flags(lambda verdict: verdict.way is not Way.CLOSED)
    return considered(question) & opened
