"""The simulated web: made by its seed alone, and meaning what its plan says."""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from benchmarks.nights import _meaning as read_as
from benchmarks.nights import simulate
from benchmarks.simweb import pages, words
from benchmarks.simweb.answers import Web, address
from benchmarks.simweb.direct import Direct
from benchmarks.simweb.faults import _be_seen_between
from benchmarks.simweb.score import Flag, Score, match, match_offices, match_waves
from benchmarks.simweb.server import serving
from benchmarks.simweb.truth import Due, follow
from benchmarks.simweb.values import (
    Event,
    Fault,
    Night,
    PageState,
    SimProgram,
    Site,
    World,
    data,
    weather,
)
from benchmarks.simweb.waves import FEWEST
from benchmarks.simweb.world import SHAPES, STYLES, build
from crawler import KnownPage, Limits, Plan, Target, crawling
from extractors import classify

A, B = words.Meaning(frozenset({("J-1", "sponsored")})), words.Meaning()
FAULTS = {*data("world")["faults"], *data("world")["site_faults"]}


def test_a_seed_makes_the_same_web_each_time() -> None:
    one, two, other = build(5, 20, 8), build(5, 20, 8), build(6, 20, 8)
    assert (one.sites, one.programs, one.events) == (two.sites, two.programs, two.events)
    assert one.nights == two.nights
    assert follow(one) == follow(two)
    assert one.events != other.events
    key = one.programs[0].pages[0]
    assert pages.write(one, 3, key) == pages.write(two, 3, key)


def test_answers_do_not_depend_on_the_order_of_requests() -> None:
    world = build(5, 20, 8)
    paths = [(p.site, p.path) for p in world.nights[4].pages.values() if p.there]
    there, back = Web(world), Web(world)
    for web in (there, back):
        web.go(5, 1)
    forward = {p: there.answer(*p, {}).body for p in paths}
    assert forward == {p: back.answer(*p, {}).body for p in reversed(paths)}


@pytest.mark.parametrize("name", list(data("words")["says"]))
def test_every_policy_has_eight_wordings_that_are_read_as_it(name: str) -> None:
    phrases = data("words")["says"][name]["phrases"]
    assert len(set(phrases)) >= 8
    for number in range(len(phrases)):
        page = PageState(0, "/visas", "Visas", name, phrase=number)
        html = f"<main><h1>Visas</h1><p>{' '.join(words.sentences(page))}</p></main>"
        assert read_as(classify(html.encode(), "text/html")) == words.meaning(page), html


def test_pages_say_what_the_plan_says_they_mean() -> None:
    wrong, total = [], 0
    for seed in (1, 2):
        world = build(seed, 30, 10)
        for number in (1, 5, 10):
            for key, page in world.nights[number - 1].pages.items():
                if page.there:
                    total += 1
                    html = pages.write(world, number, key)
                    if read_as(classify(html.encode(), "text/html")) != words.meaning(page):
                        wrong.append((seed, number, key))
    assert total > 150
    assert len(wrong) <= 0.01 * total, wrong  # a few wordings are there that are not read yet


def test_the_plan_has_every_kind_of_change_noise_and_fault() -> None:
    worlds = [build(seed, 200, 60) for seed in (1, 2)]
    happened = {event.what.partition(":")[0] for world in worlds for event in world.events}
    rules = data("world")
    named = {*rules["changes"], *rules["noise"]} - {"taken_back"}
    assert named | {"taken back", "back again", "turns", "wave"} == happened
    struck = {
        fault.kind
        for world in worlds
        for night in world.nights
        for fault in (*night.faults.values(), *night.site_faults.values())
    }
    assert struck == FAULTS
    drawn = {page.shape for world in worlds for page in world.nights[0].pages.values()}
    assert drawn == set(SHAPES)
    assert {style for world in worlds for style, _ in world.nights[0].styles.values()} == set(
        STYLES
    )


OTHERS = ("taken back", "back again", "flapping", "turns", "wave")


def nights_of(*policies: str) -> World:
    """A program of which one page says this, night after night."""
    program = SimProgram("p0-im", 0, "Internal Medicine", "own", ("0/im",))
    site = Site(0, "Alder Hill Health 1", *[False] * 7)
    nights = tuple(Night({"0/im": PageState(0, "/im", "Visas", said)}) for said in policies)
    return World(0, (site,), (program,), nights, ())


@pytest.mark.parametrize(
    ("rests", "due"),
    [("j1_and_h1b", [2, 3, 4]), ("j1_only", [2, 3, 4, 12])],
    ids=["where it stood", "elsewhere"],
)
def test_what_goes_back_and_forth_is_due_three_times_and_then_when_it_rests(
    rests: str, due: list[int]
) -> None:
    one, both = "j1_only", "j1_and_h1b"
    found, nights = follow(nights_of(one, both, one, both, one, *[rests] * 9))
    assert [change.due for change in found] == due
    assert len(nights[4]["p0-im"].shown) == 2  # what stands, and what the page says


def test_a_page_that_turns_is_held_by_its_plan_until_it_rests() -> None:
    world = build(2, 200, 60)
    turned = {event.key for event in world.events if event.what == "turns"}
    assert turned
    for key in turned:
        nights = [e.night for e in world.events if e.key == key and e.what == "turns"]
        others = [
            e.night for e in world.events if e.key == key and e.what not in ("turns", "flapping")
        ]
        assert not [n for n in others if nights[0] < n <= nights[-1]]


def test_a_wave_is_scored_as_one() -> None:
    """Eight institutions, whose pages a wave reaches in one night."""
    programs = tuple(
        SimProgram(f"p{n}", n, "Surgery", "own", (f"{n}/surgery",)) for n in range(FEWEST)
    )
    events = tuple(Event(5, f"{n}/surgery", "wave: 0") for n in range(FEWEST))
    world = World(0, (), programs, (), events)
    refuses = words.Meaning(frozenset({("J-1", "sponsored"), ("H-1B", "not_sponsored")}))
    due = [Due(p.id, 5, 5, "changed", A, refuses) for p in programs]

    def scored(*told_as: int | None) -> Score:
        flags = [
            Flag(p.id, 5, "policy_changed", "", "", wave)
            for p, wave in zip(programs, told_as, strict=True)
        ]
        score = Score()
        match(score, due, flags)
        match_waves(score, world, flags)
        return score

    whole = scored(*[3] * FEWEST)
    assert (whole.waves, whole.whole, whole.false_waves) == (1, 1.0, [])
    assert scored(*[3] * (FEWEST - 1), None).torn == [0]
    assert scored(*[3] * (FEWEST - 1), 4).torn == [0]
    stray = Flag("p0", 9, "policy_changed", "", "", 7)
    match_waves(whole, world, [stray])
    assert whole.false_waves == [7]


def test_an_offices_rule_is_scored_as_one() -> None:
    programs = tuple(SimProgram(f"p{n}", 0, f"S{n}", "office", (), "0/office") for n in range(3))
    world = World(0, (Site(0, "Alder Health 1", *[False] * 7),), programs, (), ())
    flags = [Flag(p.id, 5, "policy_changed", "a", "b") for p in programs]

    def scattered(*mails: str) -> list[tuple[str, int]]:
        score = Score()
        match_offices(score, world, flags, {(0, 5): list(mails)})
        assert score.offices == 1
        return score.scattered

    one = "Alder Health 1 (3 programs) no longer sponsors H-1B"
    assert scattered(one) == []
    each = "\n".join(f"Alder Health 1, S{n} no longer sponsors H-1B" for n in range(3))
    assert scattered(each) == scattered(one, one) == scattered() == [("Alder Health 1", 5)]


def test_what_is_due_is_what_was_planned() -> None:
    world = build(1, 60, 30)
    due, nights = follow(world)
    changed = {
        event.key.removesuffix("/faq")
        for event in world.events
        if event.what.partition(":")[0] in (*data("world")["changes"], *OTHERS)
    }
    for one in due:
        program = next(p for p in world.programs if p.id == one.program)
        assert changed & {*program.pages, program.office}, one
        assert one.appeared <= one.due <= len(nights) + (one.kind == "unfinished")
        assert one.kind == "gone" or one.before != one.after
    assert len(due) > 30


def test_the_server_answers_by_night_and_look_and_honours_conditions() -> None:
    world = build(3, 12, 6)
    key, page = next((k, p) for k, p in world.nights[0].pages.items() if world.sites[p.site].etag)
    with serving(3, 12, 6) as web:
        with urllib.request.urlopen(web.url(page.site, page.path)) as answer:
            tag = answer.headers["ETag"]
            assert answer.read().decode() == pages.write(world, 1, key)
        again = urllib.request.Request(
            web.url(page.site, page.path), headers={"If-None-Match": tag}
        )
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(again)
        assert error.value.code == 304
        error.value.close()
        web.go(2)
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(web.url(page.site, "/not/there"))
        error.value.close()


def test_scores_tell_what_is_late_missed_false_and_double() -> None:
    def flag(night: int, after: str = "x") -> Flag:
        return Flag("p", night, "policy_changed", "", after)

    def scored(due: list[Due], flags: list[Flag]) -> Score:
        score = Score()
        match(score, due, flags)
        return score

    one = Due("p", 3, 4, "withdrawn", A, B)
    assert scored([one], [flag(3)]).punctual == scored([one], [flag(4)]).punctual == 1
    late = scored([one], [flag(6)])
    assert (late.recall, late.punctual, late.precision) == (1, 0, 1)
    assert scored([one], []).recall == 0
    assert len(scored([one], [flag(2)]).false) == 1
    assert len(scored([one], [flag(4), flag(5)]).doubles) == 1
    assert scored([], [flag(1)]).precision == 0
    unfinished = Due("p", 3, 4, "unfinished", A, B)  # the last night was the third
    assert scored([unfinished], []).due == 0
    assert (scored([unfinished], [flag(3)]).due, scored([unfinished], [flag(3)]).precision) == (
        1,
        1,
    )


def test_a_page_that_is_gone_has_no_faults_of_its_own() -> None:
    gone = PageState(0, "/visas", "Visas", there=False)
    night = Night(
        {"a": gone, "b": replace(gone, there=True)}, faults=dict.fromkeys("ab", Fault("x"))
    )
    assert [night.visible(key) for key in "ab"] == [True, False]


def test_a_page_that_is_gone_for_a_night_has_answered_and_one_that_is_down_has_not() -> None:
    page = PageState(0, "/visas", "Visas")
    kinds = ("not_found", "soft_404", "server_error", "charset")
    night = Night(dict.fromkeys(kinds, page), faults={kind: Fault(kind) for kind in kinds})
    assert [night.answers_first(kind) for kind in kinds] == [True, True, False, True]


def test_a_page_counts_as_gone_while_its_institutions_is_down() -> None:
    world = nights_of(*["j1_only"] * 4)
    own = world.programs[0].pages[0]
    office = PageState(0, "/gme", "Visa policy", "j1_and_h1b")
    for number, night in enumerate(world.nights, 1):
        night.pages["0/office"] = office
        night.pages[own] = replace(night.pages[own], there=number == 1)
    for night in world.nights[1:3]:
        night.faults["0/office"] = Fault("timeout")
    program = replace(world.programs[0], office="0/office")
    found, _ = follow(replace(world, programs=(program,)))
    assert [(change.appeared, change.due) for change in found] == [(2, 3)]


def test_a_page_that_is_gone_says_what_it_said_until_the_second_night() -> None:
    world = nights_of(*["j1_only"] * 4)
    own = world.programs[0].pages[0]
    says = ("j1_and_h1b", *["no_sponsorship"] * 3)
    for number, (night, policy) in enumerate(zip(world.nights, says, strict=True), 1):
        night.pages["0/office"] = PageState(0, "/gme", "Visa policy", policy)
        there = {"policy": "j1_h1b_unstated", "there": number == 1}
        night.pages[own] = replace(night.pages[own], **there)
    program = replace(world.programs[0], office="0/office")
    found, _ = follow(replace(world, programs=(program,)))
    told = [(c.appeared, c.due, c.after.stance("J-1"), c.after.stance("H-1B")) for c in found]
    assert told == [(2, 2, "sponsored", "not_sponsored"), (2, 3, *["not_sponsored"] * 2)]


def test_a_statement_withdrawn_from_a_page_that_is_then_gone_is_due_when_that_is_believed() -> None:
    world = nights_of("j1_and_h1b", "j1_h1b_unstated", "j1_h1b_unstated", "j1_h1b_unstated")
    own = world.programs[0].pages[0]
    for night in world.nights[2:]:
        night.pages[own] = replace(night.pages[own], there=False)
    found, _ = follow(world)
    assert [(change.appeared, change.due, change.kind) for change in found] == [(2, 4, "gone")]


def test_what_one_look_of_a_night_shows_otherwise_is_not_due_in_it() -> None:
    world = nights_of(*["j1_only"] * 3)
    first, second = world.programs[0].pages[0], "0/im/faq"
    for night, policy in zip(world.nights, ("j1_only", *["no_sponsorship"] * 2), strict=True):
        for key in (first, second):
            night.pages[key] = replace(night.pages[first], policy=policy)
    world.nights[1].faults[first] = Fault("timeout", frozenset({1}))
    program = replace(world.programs[0], pages=(first, second))
    found, _ = follow(replace(world, programs=(program,)))
    assert [(change.appeared, change.due) for change in found] == [(2, 3)]


def test_a_change_after_one_that_was_told_appears_in_its_own_night() -> None:
    found, _ = follow(nights_of("j1_only", "no_sponsorship", "j1_and_h1b"))
    assert [(change.appeared, change.due) for change in found] == [(2, 2), (3, 3)]


def test_a_new_page_is_known_from_the_second_look_on() -> None:
    world = nights_of("j1_and_h1b", *["no_sponsorship"] * 3)
    own = world.programs[0].pages[0]
    for night in world.nights[1:]:
        whole = night.pages[own]
        night.pages |= {own: replace(whole, part="J-1"), f"{own}+": replace(whole, part="H-1B")}
    found, _ = follow(world)
    assert [(change.appeared, change.due) for change in found] == [(2, 3)]


def test_what_goes_back_and_forth_may_tell_news_from_the_night_in_which_it_is_true() -> None:
    one, both, new = "j1_only", "j1_and_h1b", "no_sponsorship"
    world = nights_of(one, both, one, both, one, new, new)
    world.nights[5].faults["0/im"] = Fault("timeout", frozenset({1}))
    found, _ = follow(world)
    assert [(change.appeared, change.due) for change in found][-1] == (6, 7)


def test_a_page_is_like_gone_once_until_it_can_be_seen() -> None:
    struck = [({}, {}) for _ in range(5)]
    for number, kind in ((1, "not_found"), (3, "soft_404"), (4, "timeout")):
        struck[number][0]["0/im"] = Fault(kind)
    struck[2][1][0] = Fault("challenge")
    _be_seen_between(struck, "0/im", 0)
    assert [by_page.get("0/im") for by_page, _ in struck] == [
        None,
        Fault("not_found"),
        None,
        None,
        Fault("timeout"),
    ]


def test_what_the_first_look_of_two_nights_shows_is_due() -> None:
    world = nights_of("j1_only", "j1_and_h1b", "j1_and_h1b", "no_sponsorship")
    for night in world.nights[1:3]:
        night.faults["0/im"] = Fault("timeout", frozenset({2}))
    found, _ = follow(world)
    assert [change.due for change in found] == [3, 4]


@pytest.mark.parametrize("in_process", [False, True])
def test_a_short_run_flags_what_is_due(in_process: bool) -> None:
    _, score = simulate(2, 40, 6, in_process=in_process)
    assert score.due >= 3
    assert not score.missed
    assert not score.late
    assert not score.false
    assert not score.doubles
    assert score.accuracy >= 0.995


def test_a_night_without_a_server_brings_the_crawl_what_a_server_would() -> None:
    world = build(2, 40, 4)
    hosts = tuple(address(site.number) for site in world.sites)
    limits = Limits(delay_seconds=0, timeout_seconds=4, retries=1, allow_hosts=hosts)
    with serving(2, 40, 4) as web:
        met = []
        for shown, crawl in ((web, crawling), (direct := Direct(Web(world)), direct.crawling)):
            shown.go(4)
            known = (shown.url(p.site, p.path) for p in world.nights[0].pages.values())
            targets = tuple(Target(url, pages=(KnownPage(url),)) for url in known)
            with crawl(Plan(targets, limits)) as fetched:
                came = [fetch for fetch in fetched if fetch is not None]
            met.append(sorted((str(f.health), urlsplit(f.final_url).path, f.body) for f in came))
    assert met[0] == met[1]
    assert len({health for health, *_ in met[0]}) > 3


def test_in_bad_weather_there_are_more_faults_and_changes() -> None:
    calm = build(5, 40, 12)
    with weather(3, 3, plain=True):
        rough = build(5, 40, 12)
    assert build(5, 40, 12).events == calm.events
    assert not any(site.news or site.tokens for site in rough.sites)
    for count in (lambda w: len(follow(w)[0]), lambda w: sum(len(n.faults) for n in w.nights)):
        assert count(rough) > 1.5 * count(calm)
