"""Who plays in the demo, and which policy each program should show: `cast.toml` as values."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NIGHTS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class DemoPage:
    """One path of a site, and what it answers in each night (see the head of `cast.toml`)."""

    path: str
    template: str
    nights: tuple[str, ...]
    content_type: str
    encoding: str


@dataclass(frozen=True, slots=True)
class DemoProgram:
    """A watched program; its URLs are paths of its institution's site, empty where not known.

    `read_at` and `expected` hold the path of the page that states the policy, and the
    category that should stand, for each night.
    """

    id: str
    specialty: str
    level: str
    website: str
    eligibility: str
    read_at: tuple[str, ...]
    expected: tuple[str, ...]
    shows: str


@dataclass(frozen=True, slots=True)
class Institution:
    """A hospital with a site of its own, at a loopback address of its own."""

    name: str
    folder: str
    address: str
    city: str
    gme: str
    outage: tuple[int, ...]  # nights in which the whole site answers 503
    pages: dict[str, DemoPage]
    programs: tuple[DemoProgram, ...]


@dataclass(frozen=True, slots=True)
class ExpectedChange:
    """A true change of policy, from the category of the night before to that of `night`."""

    program_id: str
    night: int
    before: str
    after: str


@cache
def institutions() -> tuple[Institution, ...]:
    """The cast, in the order of `cast.toml`."""
    data = tomllib.loads((HERE / "cast.toml").read_text(encoding="utf-8"))
    return tuple(_institution(row) for row in data["institution"])


def expected(night: int) -> dict[str, str]:
    """The category of each program that should stand after `night`."""
    return {p.id: p.expected[night - 1] for i in institutions() for p in i.programs}


def expected_changes() -> tuple[ExpectedChange, ...]:
    """All that should be flagged, by night."""
    return tuple(
        ExpectedChange(program_id, night, expected(night - 1)[program_id], after)
        for night in NIGHTS[1:]
        for program_id, after in expected(night).items()
        if after != expected(night - 1)[program_id]
    )


def _institution(row: dict[str, Any]) -> Institution:
    pages = [_page(page) for page in row["page"]]
    return Institution(
        name=row["name"],
        folder=row["folder"],
        address=row["address"],
        city=row["city"],
        gme=row.get("gme", ""),
        outage=tuple(row.get("outage", ())),
        pages={page.path: page for page in pages},
        programs=tuple(_program(program) for program in row["program"]),
    )


def _page(row: dict[str, Any]) -> DemoPage:
    return DemoPage(
        path=row["path"],
        template=row["template"],
        nights=_nightly(row.get("nights", "page")),
        content_type=row.get("content_type", "text/html; charset=utf-8"),
        encoding=row.get("encoding", "utf-8"),
    )


def _program(row: dict[str, Any]) -> DemoProgram:
    eligibility = row.get("eligibility", "")
    return DemoProgram(
        id=row["id"],
        specialty=row["specialty"],
        level=row.get("level", "residency"),
        website=row.get("website", ""),
        eligibility=eligibility,
        read_at=_nightly(row.get("read_at", eligibility)),
        expected=_nightly(row["expected"]),
        shows=row["shows"],
    )


def _nightly(value: str | list[str]) -> tuple[str, ...]:
    """One value for each night: a single one stands for all of them."""
    values = (value,) * len(NIGHTS) if isinstance(value, str) else tuple(value)
    if len(values) != len(NIGHTS):
        raise ValueError(f"cast.toml: {value!r} has {len(values)} nights, not {len(NIGHTS)}")
    return values
