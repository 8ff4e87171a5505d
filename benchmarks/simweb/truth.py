"""What a monitor without fault would flag and show, from the plan alone.

It reads no page: it knows what each page means in each night, and which can be seen. A change
is due in the first night in which both looks show it, or in the second in which the first does; a
statement that is withdrawn (whether or not the institution's then takes its place) in the second.
Of two statements that are withdrawn one after the other, each must be missing in two. A page that
is gone has said what it last said until it is gone in a second night: in the first it tells no
more than one that is down. A page that is new is seen in the second look at the earliest: a link to
it has to be found first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from benchmarks.simweb.values import Night, SimProgram, World
from benchmarks.simweb.words import Meaning, meaning

SLOW_NIGHTS = 2
# What goes back and forth is held: it turned so often again between the same two policies within
# so many nights, and is over when it has rested for so many in which it was seen.
REVERSALS, FLAP_NIGHTS, REST_NIGHTS = 3, 14, 7


@dataclass(frozen=True, slots=True)
class Due:
    """A change that must be flagged once, from the night it appears to the night it is due.

    It may be found out before all pages can be seen in both looks that bear on it, but not before
    it happened. One that is `unfinished` is due after the last night: it may be flagged before.
    """

    program: str
    appeared: int
    due: int
    kind: str  # changed | withdrawn | gone | unfinished
    before: Meaning
    after: Meaning


@dataclass(frozen=True, slots=True)
class Expected:
    """What may be shown as a program's policy after a night; more than one while it waits."""

    reachable: bool
    shown: frozenset[Meaning]


@dataclass(slots=True)
class _Watch:
    program: SimProgram
    stands: Meaning | None = None
    own: Meaning = field(default_factory=Meaning)  # what its own pages said of it
    seen: dict[str, Meaning | None] = field(default_factory=dict)  # None: gone
    happened: int = 0  # the night since which something else is true, seen or not
    truth: Meaning | None = None  # what is true, seen or not, ...
    true_since: int = 1  # ... and since which night
    waits_since: int = 0
    waits: dict[str, int] = field(default_factory=dict)  # what is withdrawn, in how many nights
    told_gone: bool = False
    # What pages said last that were seen in the first look alone.
    glimpsed: dict[str, Meaning | None] = field(default_factory=dict)
    gone: dict[str, int] = field(default_factory=dict)  # by page, in how many nights it was gone
    lost: set[str] = field(default_factory=set)  # visas of which only pages spoke that are gone
    quiet: int = 0  # nights in which its own pages said less, and the institution's the same
    since: int = 1  # the night from which `stands` holds
    turns: list[tuple[int, Meaning | None]] = field(default_factory=list)  # None: gone
    flapping: bool = False
    held: bool = False  # in this night
    rested: int = 0  # the night since which what goes back and forth has rested long enough
    answered: list[int] = field(default_factory=list)  # the nights in which it was seen

    def knows(self, key: str) -> bool:
        """Whether a page is one of those that were there at first, or was found since."""
        return self.stands is None or key in self.seen or key in self.glimpsed

    def tells(self, truth: Meaning | None) -> bool:
        """Whether what was told last is true."""
        return truth == self.stands or (truth is None and self.told_gone)

    def hear(self, key: str, says: Meaning | None) -> None:
        """Notes what a page says, or that it is gone; this is believed in the second night."""
        self.gone[key] = self.gone.get(key, 0) + 1 if says is None else 0
        if says is not None or self.gone[key] == SLOW_NIGHTS:
            self.seen[key] = says
        if self.gone[key] == SLOW_NIGHTS and key != self.program.office:
            self.lost |= set(_silenced(self))
            self.own = _own(self.program, self.seen)


def follow(world: World) -> tuple[list[Due], list[dict[str, Expected]]]:
    """All that is due, in order, and for each night what may be shown of each program."""
    due: list[Due] = []
    nights: list[dict[str, Expected]] = []
    watches = [_Watch(program) for program in world.programs]
    for number, night in enumerate(world.nights, 1):
        shown: dict[str, Expected] = {}
        for watch in watches:
            expected, news = _look(watch, night, number)
            shown[watch.program.id] = expected
            due += news
        nights.append(shown)
    return due + [_unfinished(watch, len(nights) + 1) for watch in watches if watch.waits], nights


def _unfinished(watch: _Watch, number: int) -> Due:
    """A difference that was not there long enough to be due when the last night was over."""
    reading = _merged(watch.program, watch.seen)
    assert watch.stands is not None
    after = watch.stands if reading is None else reading
    return Due(watch.program.id, watch.waits_since, number, "unfinished", watch.stands, after)


def pages_of(program: SimProgram, night: Night) -> list[str]:
    """The keys of a program's pages in a night, its institution's last."""
    own = [k for key in program.pages for k in (key, f"{key}+") if k in night.pages]
    return [*own, *([program.office] if program.office else [])]


def _look(watch: _Watch, night: Night, number: int) -> tuple[Expected, list[Due]]:
    keys = pages_of(watch.program, night)
    clear = {key for key in keys if night.visible(key)}
    moved = {key for key in watch.seen if key not in keys}  # merged into another page
    if set(keys) <= clear:
        for key in moved:
            del watch.seen[key]
    looks = _looks(watch, night, keys)
    for key in clear:
        if watch.knows(key):
            watch.glimpsed.pop(key, None)
            watch.hear(key, _says(night, key))
        else:  # it has to be found, by a link to it
            watch.glimpsed[key] = _says(night, key)
    visible = {key for key in clear if watch.gone.get(key) != 1}
    # A page that still says what it said need not be seen in both looks.
    sure = all(
        key in visible
        or (key in watch.seen and night.seen_last(key) and _says(night, key) == watch.seen[key])
        for key in keys
    )
    for key in keys:
        if key not in visible and night.seen_first(key):
            says = _says(night, key)
            if says is not None and watch.glimpsed.get(key) == says:
                watch.hear(key, says)  # it has said so in two nights
            watch.glimpsed[key] = says
    reachable = set(keys) <= visible and any(v is not None for v in watch.seen.values())
    reading = _merged(watch.program, watch.seen)
    steady = all(_merged(watch.program, {**watch.seen, **look}) == reading for look in looks)
    news: list[Due] = []
    if watch.stands is None:
        watch.stands, watch.own = reading, _own(watch.program, watch.seen)
        return Expected(reachable, frozenset({reading} if reading else ())), news
    truth = _merged(watch.program, {key: _says(night, key) for key in keys})
    watch.happened = 0 if watch.tells(truth) else watch.happened or number
    if truth != watch.truth:
        watch.truth, watch.true_since = truth, number
    watch.held = False
    differs = reading not in (None, watch.stands)  # then there is a second look, if not a first
    if any(night.answers_first(key) or (differs and night.seen_last(key)) for key in keys):
        watch.answered.append(number)
    gone = all(seen is None for seen in watch.seen.values())
    if not gone and reading in (None, watch.stands):
        watch.waits, watch.lost = {}, set()
        _rest(watch)
        if visible:
            _turned(watch, watch.stands, number)
            watch.flapping &= not _has_rested(watch)
    elif not watch.told_gone or reading is not None:
        kind = _kind(watch, reading, gone=gone)
        news = _count(watch, reading, kind, number, sure=sure, steady=steady)
        if news:
            watch.happened = 0 if watch.tells(truth) else number
    shown = {watch.stands, reading} if watch.waits or watch.held else {watch.stands}
    return Expected(reachable, frozenset(m for m in shown if m is not None)), news


def _looks(watch: _Watch, night: Night, keys: Sequence[str]) -> list[dict[str, Meaning | None]]:
    """What each look of a night shows of pages that cannot be seen in both."""
    known = [k for k in keys if watch.knows(k) and not night.visible(k)]
    first = {k: _says(night, k) for k in known if night.seen_first(k)}
    last = {k: _says(night, k) for k in known if night.seen_last(k)}
    last |= {k: _says(night, k) for k in keys if not watch.knows(k) and night.seen_last(k)}
    return [{k: v for k, v in look.items() if v is not None} for look in (first, {**first, **last})]


def _says(night: Night, key: str) -> Meaning | None:
    """What a page means in a night; None when it is gone."""
    page = night.pages[key]
    return meaning(page) if page.there else None


def _rest(watch: _Watch) -> None:
    """Nothing differs. Whose word it is may: a page that says less is believed in two nights."""
    own = _own(watch.program, watch.seen)
    quieter = any(own.stance(v) == "unstated" != watch.own.stance(v) for v in ("J-1", "H-1B"))
    watch.quiet = watch.quiet + 1 if quieter else 0
    if watch.quiet in (0, SLOW_NIGHTS):
        watch.own, watch.quiet = own, 0


def _count(
    watch: _Watch, reading: Meaning | None, kind: str, number: int, *, sure: bool, steady: bool
) -> list[Due]:
    """Notes a difference, and tells it when it was seen often enough.

    What only one look of a night shows is not told: `steady` says that both show the same.
    """
    assert watch.stands is not None
    if not (watch.flapping and _has_rested(watch)):
        watch.rested = 0
    else:
        watch.rested = watch.rested or number
    if kind != "withdrawn":  # what is held must not be told before it has rested
        if not steady:
            return []
        watch.waits_since = watch.happened or number
        if watch.flapping:  # but what was never said before is news as ever
            told = watch.true_since if reading == watch.truth else number
            watch.waits_since = watch.rested or told
    elif not sure:
        return []
    else:
        watch.waits_since = watch.waits_since if watch.waits else watch.happened or number
        gone = [visa for visa in _differing(watch.stands, reading) if visa not in watch.lost]
        # What its own pages no longer say is missing, though the institution's said the same.
        watch.waits = {one: watch.waits.get(one, 0) + 1 for one in {*gone, *_silenced(watch)}}
        if min(watch.waits[one] for one in gone) < SLOW_NIGHTS:
            return []
    # What was held is told in a night in which it can be seen.
    unseen = watch.flapping and not sure and watch.turns[-1][1] == reading
    watch.held = unseen or _holds(watch, reading, number)
    if watch.held:
        return []
    after = watch.stands if reading is None else reading
    told = Due(watch.program.id, watch.waits_since, number, kind, watch.stands, after)
    watch.told_gone = reading is None
    watch.stands, watch.waits, watch.own = after, {}, _own(watch.program, watch.seen)
    watch.since, watch.lost = number, set()
    return [told]


def _turned(watch: _Watch, reading: Meaning | None, number: int) -> None:
    """Notes what is said, if it was something else before."""
    if not watch.turns:
        if reading == watch.stands:
            return
        watch.turns.append((watch.since, watch.stands))
    if watch.turns[-1][1] != reading:
        watch.turns.append((number, reading))


def _has_rested(watch: _Watch) -> bool:
    last = watch.turns[-1][0] if watch.turns else 0
    return sum(night > last for night in watch.answered) >= REST_NIGHTS


def _holds(watch: _Watch, reading: Meaning | None, number: int) -> bool:
    """Whether what differs is held, since it goes back and forth."""
    _turned(watch, reading, number)
    last = watch.turns[-1][0]
    recent = [turn for turn in watch.turns if turn[0] >= last - FLAP_NIGHTS]
    said = [s for _, s in watch.turns[max(0, len(watch.turns) - len(recent) - 1) :]]
    if watch.flapping:
        if not _has_rested(watch):
            return said[-1] in said[:-1]
        watch.flapping = False
        return False
    turns = [{one, other} for one, other in pairwise(said)]
    watch.flapping = last == number and turns[:-1].count(turns[-1]) >= REVERSALS
    return watch.flapping


def _kind(watch: _Watch, reading: Meaning | None, *, gone: bool) -> str:
    assert watch.stands is not None
    if gone or reading is None:
        return "gone"
    differ = [visa for visa in _differing(watch.stands, reading) if visa not in watch.lost]
    silenced = _silenced(watch)
    if not differ:
        return "gone"
    if all(reading.stance(v) == "unstated" or v in silenced for v in differ):
        return "withdrawn"
    return "changed"


def _silenced(watch: _Watch) -> list[str]:
    """The visas of which a program's own pages no longer speak."""
    own = _own(watch.program, watch.seen)
    return [v for v in ("J-1", "H-1B") if own.stance(v) == "unstated" != watch.own.stance(v)]


def _differing(before: Meaning, after: Meaning | None) -> list[str]:
    """The visas of which something else is said."""
    return [v for v in ("J-1", "H-1B") if after is None or before.about(v) != after.about(v)]


def _merged(program: SimProgram, said: Mapping[str, Meaning | None]) -> Meaning | None:
    """What pages say together: a program's own first, its institution's for the rest."""
    if all(m is None for m in said.values()):
        return None
    office = said.get(program.office)
    ours = _own(program, said)
    if office is None:
        return ours
    spoken = {visa for visa, _ in ours.stances}
    return Meaning(
        ours.stances | {(v, s) for v, s in office.stances if v not in spoken},
        ours.conditions | {c for c in office.conditions if c[0] not in spoken},
    )


def _own(program: SimProgram, said: Mapping[str, Meaning | None]) -> Meaning:
    """What those of them say that are a program's own."""
    own = [m for key, m in said.items() if key != program.office and m is not None]
    return _agreed(own)


def _agreed(pages: Sequence[Meaning]) -> Meaning:
    stances: dict[str, str] = {}
    for visa in ("J-1", "H-1B"):
        said = {page.stance(visa) for page in pages} - {"unstated"}
        if said == {"sponsored", "conditional"}:
            stances[visa] = "conditional"
        elif said:
            stances[visa] = said.pop() if len(said) == 1 else "conflicting"
    return Meaning(
        frozenset(stances.items()), frozenset().union(*(page.conditions for page in pages))
    )
