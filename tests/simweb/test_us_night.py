"""The country is made from its seed alone, and a small one of it is watched through four nights."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace

import pytest

from benchmarks.cost import Cost, cost_of
from benchmarks.nights import _meaning as read_as
from benchmarks.simweb import words
from benchmarks.simweb.country import Today, build
from benchmarks.simweb.country_answers import CountryWeb
from benchmarks.simweb.server import Asked
from benchmarks.soak import ROOT
from benchmarks.us_night import FIXED, GROWTH, PROCESSOR, UNCHANGED, Night
from extractors import classify

SMALL = (7, 200, 12, 590)


def test_every_page_has_a_place_and_every_program_a_page() -> None:
    country = build(1, 13_400, 900, 40_000)
    sizes = [b - a for a, b in zip(country.first, country.first[1:], strict=False)]
    assert (sum(sizes), min(sizes) >= 1, max(sizes) > 9 * 13_400 / 900) == (13_400, True, True)
    places = [country.place(page) for page in range(country.pages)]
    assert len(set(places)) == country.pages
    assert all(country.page_at(*places[page]) == page for page in range(0, country.pages, 7))
    assert {len(country.pages_of(program)) for program in range(country.programs)} == {2, 3}
    names = [(country.site_of(p), *country.specialty(p)) for p in range(country.programs)]
    assert len(set(names)) == country.programs


def test_a_page_is_the_same_until_a_night_changes_it() -> None:
    country = build(*SMALL)
    one, other = Today(country), Today(country)
    moved = one.go(3)
    assert moved == other.go(3)
    changed = {page for page in range(country.pages) if one.changed[page] == 3}
    assert len(changed) >= round(0.02 * country.pages)
    for page in range(0, country.pages, 5):
        assert one.write(page) == other.write(page)
        assert (one.write(page) != Today(country).write(page)) == (page in changed)
    assert all(30_000 < len(one.write(page)) < 60_000 for page in range(0, country.pages, 50))


def test_pages_say_what_the_plan_says_they_mean() -> None:
    today = Today(build(*SMALL))
    today.go(300)
    wrong = [
        page
        for page in range(0, 590, 6)
        if read_as(classify(today.write(page), "text/html")) != words.meaning(today.state(page))
    ]
    assert len(wrong) <= 0.03 * 590 / 6, wrong  # a few wordings are there that are not read yet


def test_hosts_fail_in_one_night_alone_and_say_else_what_has_not_changed() -> None:
    country = build(*SMALL)
    (site,) = country.failing(4)
    web = CountryWeb(country)
    _, path = country.place(site)
    well = web.answer(site, path, {})
    web.go(4, 1)
    assert web.answer(site, path, {}) != well
    web.go(5, 1)
    assert web.answer(site, path, {}) == well
    tagged = next(s.number for s in country.sites if s.etag)
    tag = dict(web.answer(tagged, path, {}).headers)["ETag"]
    assert web.answer(tagged, path, {"if-none-match": tag}).status == 304


def test_a_small_country_is_watched_through_its_nights() -> None:
    """`make us-night` watches a whole one."""
    command = [sys.executable, "-m", "benchmarks.us_night", "--programs", "30", "--days", "8"]
    command += ["--institutions", "3", "--pages", "90", "--scale", "50"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = re.findall(r"^(first|unchanged|2% changed|5% failing) (.+)$", done.stdout, re.MULTILINE)
    assert [name for name, _ in rows] == ["first", "unchanged", "2% changed", "5% failing"]
    requests = [int(row.split()[3]) for _, row in rows]
    assert requests[:2] == [93, 93]  # each page, and each host's robots.txt
    assert re.search(r"^   12 .+", done.stdout, re.MULTILINE)  # the last night of the year
    assert re.search(r"^/review +[\d.]+ +[\d.]+$", done.stdout, re.MULTILINE)


def test_what_a_command_costs_is_that_of_all_its_processes() -> None:
    work = "import time; b = bytearray(60_000_000); t = time.process_time()\n"
    work += "while time.process_time() < t + 0.5: pass\nprint('done')"
    inner = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    cost = cost_of([sys.executable, "-c", inner])
    assert cost.output == "done\n"
    assert cost.processor >= 0.5
    assert cost.memory >= 60_000_000
    with pytest.raises(subprocess.CalledProcessError):
        cost_of([sys.executable, "-c", "raise SystemExit(3)"])


def test_each_bar_that_is_missed_is_named() -> None:
    none = frozenset[str]()
    night = Night(UNCHANGED, Cost(60, 80, 0, ""), Asked(99, 99, 0.1), 1_000, 0, 0, none, none)
    assert [*night.missed(1_000, 10)] == []
    slow = replace(night, cost=replace(night.cost, processor=PROCESSOR))
    large = replace(night, grown=GROWTH * 1_000 + FIXED)
    rude = replace(night, asked=replace(night.asked, pause=0.08))
    for one, word in ((slow, "processor"), (large, "bytes a page"), (rude, "each 0.80 s")):
        (said,) = one.missed(1_000, 10)
        assert word in said
    assert [*replace(slow, number=1).missed(1_000, 10)] == []
