"""Real cycles over the simulated web, night after night, against what truly changed.

    python -m benchmarks.nights --programs 200 --nights 60 --seed 1 --seed 2

Prints recall, precision, lateness and the accuracy of each night's policies, and each miss,
false alarm and wrong policy with its quotes. `--figures` prints the figures alone: for the seeds
of the gate, at whose errors nobody looks (see docs/nights.md).

    python -m benchmarks.nights --seed 71 --in-process --faults 2.5 --changes 2 --plain

hands the pages to the crawl without a server, and may have more faults and true changes than the
web has, or none of the noise around what pages say: there rare errors are found sooner.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from email import message_from_bytes
from email.policy import default
from functools import partial
from pathlib import Path

from benchmarks.simweb import pages
from benchmarks.simweb.answers import Web, address
from benchmarks.simweb.direct import Direct
from benchmarks.simweb.pages import FIRST_NIGHT
from benchmarks.simweb.score import Flag, Score, Wrong, match, match_offices, match_waves, words_of
from benchmarks.simweb.server import Served, serving
from benchmarks.simweb.truth import follow, pages_of
from benchmarks.simweb.values import SimProgram, World, weather
from benchmarks.simweb.words import Meaning, meaning
from benchmarks.simweb.world import build
from crawler import Limits, crawling, standing_by
from extractors import Policy, classify
from monitor import clock
from monitor.cycle import Progress, Settings, run
from monitor.status import statuses
from store import changes, outbox, programs, subscriptions
from store.database import Store
from store.records import Change, Program, Subscription
from visawatch.config import MailSettings

GATE = range(11, 16)  # seeds at whose errors nobody looks
BARS = {"recall": 1.0, "on time": 1.0, "precision": 0.99, "policies": 0.995}
NEAR = 2  # nights before a surprise that are told with it


def simulate(
    seed: int, wanted: int, nights: int, *, in_process: bool = False
) -> tuple[World, Score]:
    """Runs the cycles of a simulation and scores them."""
    world = build(seed, wanted, nights)
    due, expected = follow(world)
    score = Score()
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as name,
        _shown(world, wanted, in_process=in_process) as web,
        Store(Path(name) / "visawatch.db") as store,
    ):
        with store.writing():
            programs.save(store, [listed(world, p, web) for p in world.programs])
            for site in world.sites:
                wish = Subscription(0, f"site{site.number}@inbox.example", institution=site.name)
                subscriptions.add(store, wish, FIRST_NIGHT)
        settings = settings_of(world, Path(name))
        for number in range(1, nights + 1):
            _night(store, web, settings, number)
            stated = {s.program.program_id: s.policy for s in statuses(store)}
            for program, right in expected[number - 1].items():
                if not right.reachable:
                    continue
                score.shown += 1
                shown = _meaning(stated.get(program))
                if shown not in right.shown:
                    told = " or ".join(sorted(map(words_of, right.shown)))
                    score.wrong.append(Wrong(program, number, words_of(shown), told))
        flagged = changes.listed(store, "all")
        mails = _mails(store)
    score.wordings = sum(c.severity == "minor" for c in flagged)
    flags = [flag_of(c) for c in flagged if c.severity != "minor"]
    match(score, due, flags)
    match_waves(score, world, flags)
    match_offices(score, world, flags, mails)
    score.misread = sum(bool(_misread(world, *where)) for where in _errors(score))
    score.seconds = time.monotonic() - began
    return world, score


def _shown(
    world: World, wanted: int, *, in_process: bool
) -> AbstractContextManager[Served | Direct]:
    if in_process:
        return nullcontext(Direct(Web(world)))
    return serving(world.seed, wanted, len(world.nights))


def _night(store: Store, web: Served | Direct, settings: Settings, number: int) -> None:
    at = clock.fixed(FIRST_NIGHT + timedelta(days=number - 1))
    if isinstance(web, Direct):
        run(store, settings, clock=at, progress=showing(web, number), crawl=web.crawling)
        return
    with standing_by() as standby:  # as `visawatch crawl` has it
        crawl = partial(crawling, standby=standby)
        run(store, settings, clock=at, progress=showing(web, number), crawl=crawl)


def showing(web: Served | Direct, number: int) -> Progress:
    """Shows a night of the web to a cycle, and its second look to the one that confirms."""
    web.go(number)
    looks = {"confirming": 2}
    look = 1

    def follow_on(progress: Progress) -> None:
        nonlocal look
        if looks.get(progress.stage, 1) > look:
            look = looks[progress.stage]
            web.go(number, look)

    return Progress(on_change=follow_on)


def _mails(store: Store) -> dict[tuple[int, int], list[str]]:
    """The texts of all mail, by the site that it tells of and by night."""
    found: dict[tuple[int, int], list[str]] = {}
    for mail in outbox.listed(store):
        message = message_from_bytes(mail.message, policy=default)
        text = message.get_body(("plain",))
        assert text is not None
        site = int(mail.address.partition("@")[0].removeprefix("site"))
        night = (datetime.fromisoformat(mail.created_at) - FIRST_NIGHT).days + 1
        found.setdefault((site, night), []).append(str(text.get_content()))
    return found


def settings_of(world: World, folder: Path) -> Settings:
    """No pause between requests, little patience, and mail into a folder."""
    limits = Limits(
        delay_seconds=0,
        timeout_seconds=4,
        retries=1,
        retry_after_seconds=1,
        allow_hosts=tuple(address(site.number) for site in world.sites),
    )
    mail = MailSettings(maildir=str(folder / "mail"))
    return Settings(mail=mail, limits=limits, confirm_delay_seconds=0)


def listed(world: World, program: SimProgram, web: Served | Direct) -> Program:
    first = world.nights[0]
    page = first.pages[program.pages[0]]
    searched = program.kind == "searched"
    return Program(
        program.id,
        world.sites[program.site].name,
        program.specialty,
        website_url=web.url(program.site, page.path.rpartition("/")[0] + "/"),
        eligibility_url="" if searched else web.url(program.site, page.path),
        gme_url=web.url(program.site, first.pages[program.office].path) if program.office else "",
    )


def _meaning(policy: Policy | None) -> Meaning:
    if policy is None:
        return Meaning()
    stances = {(str(v), str(s)) for v, s in policy.stances if v in ("J-1", "H-1B")}
    conditions = {(str(c.visa), str(c.kind), c.by) for c in policy.conditions}
    return Meaning(frozenset(stances), frozenset(conditions))


def flag_of(change: Change) -> Flag:
    def quotes(policy: dict[str, object]) -> str:
        evidence = policy["evidence"]
        assert isinstance(evidence, list)
        said = dict.fromkeys(f"{e['visa']} {e['stance']}: {e['quote']!r}" for e in evidence)
        return "; ".join(said) or "nothing"

    return Flag(
        change.program_id,
        change.cycle_id,
        change.kind,
        quotes(change.before),
        quotes(change.after),
        change.wave_id,
    )


def _errors(score: Score) -> Iterator[tuple[str, int]]:
    """The program and night of each miss, false alarm and wrong policy."""
    yield from ((due.program, due.due) for due in score.missed)
    yield from ((due.program, due.due) for due, _ in score.late)
    yield from ((flag.program, flag.night) for flag in (*score.false, *score.doubles))
    yield from ((wrong.program, wrong.night) for wrong in score.wrong)


def _misread(world: World, program_id: str, number: int) -> list[str]:
    """The pages of a program that are misread by themselves, in a night or shortly before."""
    program = next(p for p in world.programs if p.id == program_id)
    found = []
    for night in range(max(1, number - NEAR), number + 1):
        states = world.nights[night - 1].pages
        for key in pages_of(program, world.nights[night - 1]):
            if states[key].there:
                policy = classify(pages.write(world, night, key).encode(), "text/html")
                if _meaning(policy) != meaning(states[key]):
                    found.append(f"night {night} {key}: misread as {words_of(_meaning(policy))}")
    return found


def report(world: World, score: Score) -> Iterator[str]:
    """Each surprise, with its quotes and with what happened to the program's pages."""
    for due in score.missed:
        yield f"missed, night {due.due}, {due.program}: {due.kind}, {words_of(due.before)}"
        yield f"    became {words_of(due.after)}"
        yield from _around(world, due.program, due.due)
    for due, flag in score.late:
        yield f"late, night {flag.night} for {due.due}, {due.program}: {flag.kind}"
        yield from _around(world, due.program, due.due)
    for name, flags in (("false", score.false), ("double", score.doubles)):
        for flag in flags:
            yield f"{name} alarm, night {flag.night}, {flag.program}: {flag.kind}"
            yield f"    before  {flag.before}"
            yield f"    after   {flag.after}"
            yield from _around(world, flag.program, flag.night)
    for wave in score.torn:
        yield f"wave {wave} was not told as one"
    for name, night in score.scattered:
        yield f"{name} was not told as one in night {night}"
    for wave in score.false_waves:
        yield f"wave {wave} was told, and none was planned"
    told: set[tuple[str, str]] = set()
    for wrong in score.wrong:
        if (wrong.program, wrong.shown) not in told:  # a policy is told once, not each night
            told.add((wrong.program, wrong.shown))
            yield f"wrong policy, from night {wrong.night}, {wrong.program}: {wrong.shown}"
            yield f"    right   {wrong.expected}"
            yield from _around(world, wrong.program, wrong.night)


def _around(world: World, program_id: str, number: int) -> Iterator[str]:
    program = next(p for p in world.programs if p.id == program_id)
    keys = {*program.pages, program.office, str(program.site)}
    nights = range(max(1, number - NEAR), number + 1)
    events = [f"night {e.night} {e.key} {e.what}" for e in world.events if e.key in keys]
    yield f"    {program.kind}; " + "; ".join(e for e in events if int(e.split(" ")[1]) in nights)
    yield from (f"    {line}" for line in _misread(world, program_id, number))
    for night in nights:
        for key in sorted(keys & world.nights[night - 1].pages.keys()):
            if fault := world.nights[night - 1].fault(key):
                yield f"    night {night} {key}: {fault.kind} in looks {sorted(fault.looks)}"


def main(arguments: list[str] | None = None) -> int:
    """Runs what the command line says; 1 when a bar is not reached."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nights")
    parser.add_argument("--programs", type=int, default=200)
    parser.add_argument("--nights", type=int, default=60)
    parser.add_argument("--seed", type=int, action="append")
    parser.add_argument("--figures", action="store_true", help="say nothing of single errors")
    parser.add_argument("--in-process", action="store_true", help="without HTTP")
    parser.add_argument("--faults", type=float, default=1, help="times as many; in-process")
    parser.add_argument("--changes", type=float, default=1, help="times as many; in-process")
    parser.add_argument("--plain", action="store_true", help="nothing around it; in-process")
    chosen = parser.parse_args(arguments)
    if (chosen.faults, chosen.changes, chosen.plain) != (1, 1, False) and not chosen.in_process:
        parser.error("a server has the web as it is: add --in-process")
    with weather(chosen.faults, chosen.changes, plain=chosen.plain):
        return _report_all(chosen)


def _report_all(chosen: argparse.Namespace) -> int:
    reached = True
    for number, seed in enumerate(chosen.seed or [1]):
        world, score = simulate(seed, chosen.programs, chosen.nights, in_process=chosen.in_process)
        row = score.row()
        if not number:
            print("seed  " + "  ".join(row))
        print(f"{seed:4}  " + "  ".join(value.rjust(len(name)) for name, value in row.items()))
        sys.stdout.flush()
        if not chosen.figures and seed not in GATE:
            print("\n".join(report(world, score)))
        reached &= all(float(row[name]) >= bar for name, bar in BARS.items())
        reached &= score.whole == 1 and not score.false_waves and not score.scattered
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
