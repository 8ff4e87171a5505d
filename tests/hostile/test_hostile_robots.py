"""Hostile robots.txt files: read in time, and each obeyed where it says something."""

from __future__ import annotations

import time
import tomllib
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from cases import HERE
from crawls import fetch, limits
from loopback import Site

from crawler import Health
from crawler.robots import read_rules

SECONDS = 2.0  # of a core, to read one and to ask it once: the crawl waits meanwhile


@dataclass(frozen=True, slots=True)
class File:
    """A robots.txt, and whether it lets /visas be read."""

    name: str
    raw: bytes
    allows: bool


def files() -> list[File]:
    data = tomllib.loads((HERE / "robots.toml").read_text("utf-8"))
    return [
        File(f"{family['name']}-{name}", _text(sent).encode(*encoding or ["utf-8"]), allows)
        for family in data["family"]
        for name, sent, allows, _why, *encoding in family["cases"]
    ]


def _text(sent: Any) -> str:
    if isinstance(sent, str):
        return sent
    return "".join(
        text * times
        if "{n}" not in text
        else "".join(text.replace("{n}", str(number)) for number in range(times))
        for text, times in sent
    )


ALL = files()


@pytest.mark.parametrize("file", ALL, ids=lambda file: file.name)
def test_it_is_read_in_time_and_obeyed(file: File) -> None:
    begun = time.process_time()
    rules = read_rules(file.raw, "VisaWatch")
    assert rules.can_fetch("https://larkspur.example/visas", "VisaWatch") is file.allows
    assert time.process_time() - begun < SECONDS


def test_a_crawl_obeys_them_too() -> None:
    """Each as the robots.txt of a site of its own, and none that asks to wait."""
    quick = [file for file in ALL if not read_rules(file.raw, "VisaWatch").crawl_delay("VisaWatch")]
    assert len(quick) == len(ALL) - 1
    with ExitStack() as stack:
        sites = {file.name: stack.enter_context(Site()) for file in quick}
        for file in quick:
            site = sites[file.name]
            site.page("/robots.txt", file.raw, type="text/plain")
            site.page("/visas", "<title>Visas</title><h1>Visas</h1><p>We sponsor J-1 visas.</p>")
        wanted = {file.name: sites[file.name].url("/visas") for file in quick}
        found = fetch(limits(*sites.values(), timeout_seconds=60), *wanted.values())
    for file in quick:
        expected = Health.OK if file.allows else Health.ROBOTS
        assert found[wanted[file.name]].health is expected, file.name
        assert sites[file.name].paths() == ["/robots.txt", *["/visas"] * file.allows], file.name


def test_there_are_as_many_as_we_say() -> None:
    assert len(ALL) >= 45
