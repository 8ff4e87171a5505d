"""What happens to programs and sites in a night: true changes, and what only looks like one."""

from __future__ import annotations

import random
from dataclasses import replace

from benchmarks.simweb.values import Event, Flip, Night, PageState, SimProgram, data, dice
from benchmarks.simweb.words import applies, meaning

_SCALE = 10_000
_TURNS = (4, 7)  # how often a policy goes back and forth
_RESTS = 9  # nights in which nothing happens to it afterwards


def befall(seed: int, number: int, night: Night, program: SimProgram, log: list[Event]) -> None:
    """At most one thing happens to each page of a program in a night."""
    for key in program.pages:
        _befall_page(seed, number, night, program, key, log)


def befall_site(seed: int, number: int, night: Night, site: int, log: list[Event]) -> None:
    """What happens to an institution's office page, and to its site as a whole."""
    office = f"{site}/office"
    if office in night.pages:
        _befall_page(seed, number, night, None, office, log)
    chance = dice(seed, number, "site", site)
    if chance.randrange(_SCALE) < data("world")["noise"]["redesigned"]:
        styles = sorted({"classic", "divs", "old", "blog", "cards"} - {night.styles[site][0]})
        night.styles[site] = (chance.choice(styles), chance.randrange(100))
        log.append(Event(number, str(site), "redesigned"))


def _befall_page(
    seed: int,
    number: int,
    night: Night,
    program: SimProgram | None,
    key: str,
    log: list[Event],
) -> None:
    chance = dice(seed, number, key)
    page = night.pages[key]
    if key in night.flips:
        _turn(night, key, chance, number, log)
        return
    back = [e for e in log if e.night == number - 1 and e.key == key and e.what.startswith("taken")]
    if back:
        policy, _, names = back[0].what.removeprefix("taken back: ").partition(" ")
        stated = tuple(tuple(n.split("=")) for n in names.split("|") if n)
        night.pages[key] = replace(page, policy=policy, conditions=stated)  # type: ignore[arg-type]
        log.append(Event(number, key, "back again"))
        return
    if not page.there:
        return
    what = _drawn(chance, program, page, split=f"{key}+" in night.pages)
    if what:
        before = night.pages[key]
        _HAPPEN[what](night, key, chance, number)
        note = what
        if what == "taken_back":
            names = "|".join("=".join(c) for c in before.conditions)
            note = f"taken back: {before.policy} {names}"
        if night.pages[key] != before or what in ("split", "merged"):
            log.append(Event(number, key, note))


def _drawn(
    chance: random.Random, program: SimProgram | None, page: PageState, *, split: bool
) -> str:
    """What happens to a page, or "" for nothing."""
    rules = {**data("world")["changes"], **data("world")["noise"]}
    drawn, roll = "", chance.randrange(_SCALE)
    for what, share in rules.items():
        roll -= share
        if roll < 0:
            drawn = what
            break
    kind = program.kind if program else "institution"
    silent = not page.policy
    possible = {
        "category": not silent and kind != "partly",
        "condition_added": not silent,
        "condition_dropped": not silent,
        "condition_redated": not silent,
        "withdrawn": not silent and kind in ("own", "both", "institution"),
        "added": silent and kind in ("own", "both", "institution") and not page.closed,
        "gone": kind == "own" and not split,
        "closed": kind == "own" and not split and not page.closed,
        "taken_back": not silent and kind in ("own", "institution"),
        "contradicted": kind == "searched",
        "reworded": not silent,
        "new_markup": not silent,
        "moved": True,
        "moved_for_now": True,
        "moved_silently": kind == "own" and not split,
        "split": kind in ("own", "both") and not split and not silent and _two(page),
        "merged": split,
        "flapping": not silent and kind in ("own", "institution") and bool(_alike(page)),
    }
    if split and drawn not in ("merged", "reworded", "new_markup"):
        return ""
    if kind == "searched" and drawn == "category":
        return "contradicted"
    return drawn if possible.get(drawn) else ""


def _two(page: PageState) -> bool:
    return len(meaning(page).stances) == 2 and page.policy in (
        "j1_and_h1b",
        "j1_only",
        "j1_h1b_case_by_case",
    )


def _alike(page: PageState) -> list[str]:
    """The policies that speak of the same visas, and say something else of them."""
    says = data("words")["says"]
    return [
        name
        for name, policy in says.items()
        if policy["stances"].keys() == says[page.policy]["stances"].keys()
        and policy["stances"] != says[page.policy]["stances"]
    ]


def with_condition(page: PageState, chance: random.Random) -> PageState:
    """The page with one more condition, if one can be put on what it says."""
    words = data("words")
    stances = words["says"][page.policy]["stances"] if page.policy else {}
    has = {name for name, _ in page.conditions}
    free = [n for n in words["condition"] if n not in has and applies(n, stances)]
    if not free:
        return page
    name = chance.choice(free)
    dates = words["condition"][name].get("dates")
    return replace(
        page, conditions=(*page.conditions, (name, chance.choice(dates) if dates else ""))
    )


def _category(night: Night, key: str, chance: random.Random, number: int) -> None:
    page = night.pages[key]
    others = [name for name in data("words")["says"] if name != page.policy]
    if key.endswith("/office"):  # those that inherit the H-1B need it to be spoken of
        others = [name for name in others if name != "j1_h1b_unstated"]
    policy = chance.choice(others)
    stances = data("words")["says"][policy]["stances"]
    kept = tuple(c for c in page.conditions if applies(c[0], stances))
    night.pages[key] = replace(page, policy=policy, conditions=kept, phrase=chance.randrange(1000))


def _contradicted(night: Night, key: str, chance: random.Random, number: int) -> None:
    """One of two pages says something else; or, if they differ, comes to say the same again."""
    first = key.removesuffix("/faq")
    one, two = night.pages[first], night.pages[f"{first}/faq"]
    if meaning(one) == meaning(two):
        _category(night, key, chance, number)
    else:
        other = two if key == first else one
        night.pages[key] = replace(
            night.pages[key], policy=other.policy, conditions=other.conditions
        )


def _condition_added(night: Night, key: str, chance: random.Random, number: int) -> None:
    night.pages[key] = with_condition(night.pages[key], chance)


def _condition_dropped(night: Night, key: str, chance: random.Random, number: int) -> None:
    page = night.pages[key]
    night.pages[key] = replace(page, conditions=page.conditions[:-1])


def _condition_redated(night: Night, key: str, chance: random.Random, number: int) -> None:
    page = night.pages[key]
    dates = data("words")["condition"]["step3"]["dates"]
    night.pages[key] = replace(
        page,
        conditions=tuple(
            (name, chance.choice([d for d in dates if d != by])) if by else (name, by)
            for name, by in page.conditions
        ),
    )


def _withdrawn(night: Night, key: str, chance: random.Random, number: int) -> None:
    night.pages[key] = replace(night.pages[key], policy="", conditions=())


def _added(night: Night, key: str, chance: random.Random, number: int) -> None:
    names = [n for n in data("words")["says"] if n != "j1_h1b_unstated"]
    night.pages[key] = replace(night.pages[key], policy=chance.choice(names))


def _gone(night: Night, key: str, chance: random.Random, number: int) -> None:
    night.pages[key] = replace(night.pages[key], there=False)


def _closed(night: Night, key: str, chance: random.Random, number: int) -> None:
    night.pages[key] = replace(night.pages[key], policy="", conditions=(), closed=True)


def _reworded(night: Night, key: str, chance: random.Random, number: int) -> None:
    night.pages[key] = replace(night.pages[key], phrase=chance.randrange(1000))


def _new_markup(night: Night, key: str, chance: random.Random, number: int) -> None:
    page = night.pages[key]
    shapes = ("paragraph", "paragraphs", "list", "question", "folded", "bold", "headed", "table")
    night.pages[key] = replace(page, shape=chance.choice([s for s in shapes if s != page.shape]))


def _moved(night: Night, key: str, number: int, status: int) -> None:
    page = night.pages[key]
    path = page.path.partition(".")[0] + f".{number}.html"
    for old, (code, to) in list(night.redirects.items()):
        if old[0] == page.site and to == page.path:
            night.redirects[old] = (code, path)
    if status:
        night.redirects[(page.site, page.path)] = (status, path)
    night.pages[key] = replace(page, path=path)


def _split(night: Night, key: str, chance: random.Random, number: int) -> None:
    """The H-1B, with its conditions, goes to a page of its own, which the first links to."""
    page = night.pages[key]
    night.redirects.pop((page.site, _split_path(page)), None)
    shape = page.shape if page.shape != "question" else "paragraph"
    night.pages[f"{key}+"] = replace(
        page,
        path=_split_path(page),
        title=chance.choice(data("noise")["split_titles"]),
        part="H-1B",
        shape=shape,
        born=number,
    )
    night.pages[key] = replace(page, part="J-1", shape=shape)


def _split_path(page: PageState) -> str:
    return page.path.rpartition("/")[0] + "/h1b-visa"


def _merged(night: Night, key: str, chance: random.Random, number: int) -> None:
    page, extra = night.pages[key], night.pages.pop(f"{key}+")
    night.pages[key] = replace(page, part="")
    if chance.random() < 0.5:
        night.redirects[(page.site, extra.path)] = (301, page.path)


def _flapping(night: Night, key: str, chance: random.Random, number: int) -> None:
    """The first of several turns between what the page says and something else."""
    page = night.pages[key]
    policy = chance.choice(_alike(page))
    night.pages[key] = replace(page, policy=policy, conditions=())
    night.flips[key] = Flip(page.policy, page.conditions, chance.randint(*_TURNS) - 1)


def _turn(night: Night, key: str, chance: random.Random, number: int, log: list[Event]) -> None:
    """On most nights, a page that goes back and forth turns; in the end it rests."""
    page, flip = night.pages[key], night.flips[key]
    if not flip.left:
        if number > flip.rests_until:
            del night.flips[key]
    elif chance.random() < 0.7:
        night.pages[key] = replace(page, policy=flip.policy, conditions=flip.conditions)
        night.flips[key] = Flip(page.policy, page.conditions, flip.left - 1, number + _RESTS)
        log.append(Event(number, key, "turns"))


_HAPPEN = {
    "category": _category,
    "condition_added": _condition_added,
    "condition_dropped": _condition_dropped,
    "condition_redated": _condition_redated,
    "withdrawn": _withdrawn,
    "added": _added,
    "gone": _gone,
    "closed": _closed,
    "taken_back": _category,
    "contradicted": _contradicted,
    "reworded": _reworded,
    "new_markup": _new_markup,
    "moved": lambda night, key, chance, number: _moved(night, key, number, 301),
    "moved_for_now": lambda night, key, chance, number: _moved(night, key, number, 302),
    "moved_silently": lambda night, key, chance, number: _moved(night, key, number, 0),
    "split": _split,
    "merged": _merged,
    "flapping": _flapping,
}
