"""A large database of invented hospitals, written straight into its tables within a minute."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import zstandard

from extractors.conditions import ConditionKind
from extractors.values import Condition, Evidence, Policy, Stance, Visa
from store import cycles, evidence, programs
from store.database import Store
from store.evidence import Saying
from store.records import Program, stamp
from store.states import NAMES

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
PAGES = 10  # of a program
OBSERVATIONS = 100 / 13  # of a page: 1,000,000 of 130,000 pages
NIGHTS = tuple(NOON - timedelta(days=days, hours=10) for days in (730, 540, 365, 180, 60, 2, 1, 0))

_FIRST = ("Alder", "Birch", "Cedar", "Drift", "Elder", "Fern", "Gull", "Heron", "Iron", "Juniper",
          "Kestrel", "Larch", "Marrow")  # fmt: skip
_SECOND = ("brook", "cliff", "dale", "field", "gate", "haven", "mere", "point", "ridge", "water")
_KIND = ("Hospital", "Medical Center", "Clinic", "Health", "Community Hospital",
         "General Hospital", "Infirmary", "Health System", "Teaching Hospital",
         "Regional Hospital")  # fmt: skip
_SPECIALTIES = (
    "Internal Medicine", "Family Medicine", "Pediatrics", "Psychiatry", "Surgery", "Neurology",
    "Anesthesiology", "Radiology", "Pathology", "Dermatology", "Emergency Medicine", "Urology",
    "Obstetrics and Gynecology", "Ophthalmology", "Otolaryngology", "Orthopedic Surgery",
    "Physical Medicine", "Preventive Medicine", "Nuclear Medicine", "Plastic Surgery",
    "Cardiology", "Nephrology", "Oncology", "Rheumatology", "Endocrinology",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows were written."""

    programs: int
    pages: int
    observations: int
    changes: int


def generate(path: Path, *, count: int = 13_000, seed: int = 1) -> Size:
    """Writes a new database with so many programs, each with its share of everything else."""
    chance = random.Random(seed)
    watched = list(_programs(count, chance))
    pages = count * PAGES
    with Store(path) as store, store.writing():
        programs.save(store, watched)
        _pages(store, watched)
        for night in NIGHTS:
            cycles.open_one(store, stamp(night))
            store.write("UPDATE cycles SET finished_at = started_at, summary = '{}'")
        seen = _observations(store, pages, chance)
        stood = [[_policy(p, chance) for _ in range(chance.choice((1, 1, 2, 3)))] for p in watched]
        _policies(store, watched, stood)
        changes = _changes(store, watched, stood, chance)
        _answers(store, watched)
        cycles.finish(store, len(NIGHTS), stamp(NIGHTS[-1]), {})
    return Size(count, pages, seen, changes)


def _programs(count: int, chance: random.Random) -> Iterator[Program]:
    names = [f"{a}{b} {c}" for c, b, a in product(_KIND, _SECOND, _FIRST)]
    for n in range(count):
        hospital = n // PAGES % len(names)
        place = f"h{hospital}.example"
        yield Program(
            program_id=f"p{n:05}",
            institution=names[hospital],
            specialty=_SPECIALTIES[(n * 7 + hospital) % len(_SPECIALTIES)],
            level=chance.choice(("residency", "residency", "fellowship")),
            city=names[hospital].split()[0],
            state=sorted(NAMES)[hospital % len(NAMES)],
            website_url=f"https://{place}/{n}",
            eligibility_url=f"https://{place}/{n}/0",
            acgme_id=f"{1400000000 + n}",
            gme_url=f"https://{place}/gme",
        )


def _pages(store: Store, watched: list[Program]) -> None:
    """Page k of program n has the number 10 n + k + 1; each hundredth is an institution's too."""
    squeeze = zstandard.ZstdCompressor()
    body = [squeeze.compress(b"<p>We sponsor the J-1 visa.</p>" + b"%d" % n) for n in range(64)]
    numbers = range(len(watched) * PAGES)
    store.write_many(
        "INSERT INTO snapshots (id, sha256, content_type, size, body)"
        " VALUES (?, ?, 'text/html', 40, ?)",
        [(n + 1, hashlib.sha256(b"%d" % n).digest(), body[n % 64]) for n in numbers],
    )
    store.write_many(
        "INSERT INTO pages (id, url, snapshot_id, changed_cycle) VALUES (?, ?, ?, 1)",
        [(n + 1, f"{watched[n // PAGES].website_url}/{n % PAGES}", n + 1) for n in numbers],
    )
    store.write_many(
        "INSERT INTO watches (page_id, program_id, found) VALUES (?, ?, 'discovered')",
        [(n + 1, watched[n // PAGES].program_id) for n in numbers],
    )
    store.write(
        "INSERT INTO watches (page_id, institution_id, found) SELECT min(w.page_id),"
        " p.institution_id, 'named' FROM watches w JOIN programs p ON p.id = w.program_id"
        " GROUP BY p.institution_id"
    )


def _observations(store: Store, pages: int, chance: random.Random) -> int:
    """Of every page in all nights but the last; in that one, of as many as make up the number."""
    at = [int(night.timestamp()) for night in NIGHTS]
    last = round(pages * OBSERVATIONS) - pages * (len(NIGHTS) - 1)
    bad = {n for n in range(pages) if chance.random() < 0.02}

    def rows() -> Iterator[tuple[Any, ...]]:
        for n in range(pages):
            for cycle, when in enumerate(at, 1):
                if cycle == len(at) and n >= last:
                    continue
                if n in bad and cycle > len(at) - 3:
                    yield n + 1, cycle, 0, when, "login_wall", None, "asks for a log-in"
                else:
                    yield n + 1, cycle, 0, when, "ok", n + 1, None

    store.db.conn.executemany("INSERT INTO observations VALUES (?, ?, ?, ?, ?, ?, ?)", rows())
    return pages * (len(NIGHTS) - 1) + last


def _policy(program: Program, chance: random.Random) -> dict[str, Any]:
    j1 = chance.choice((Stance.SPONSORED, Stance.SPONSORED, Stance.NOT_SPONSORED))
    h1b = chance.choice((Stance.SPONSORED, Stance.CONDITIONAL, Stance.NOT_SPONSORED))
    quotes = (
        (Visa.J1, j1, f"On the J-1 of ECFMG our {program.specialty} program is {j1}."),
        (Visa.H1B, h1b, f"As to the H-1B, {program.institution} says: {h1b}."),
    )
    conditions = (
        (Condition(Visa.H1B, chance.choice(list(ConditionKind))),) if chance.random() < 0.4 else ()
    )
    evidence = tuple(
        Evidence(visa, stance, quote, 100, 100 + len(quote), ("sponsor-verb",), quote + " More.",
                 program.eligibility_url, stamp(NIGHTS[0]), "a" * 64)
        for visa, stance, quote in quotes
    )  # fmt: skip
    return Policy(
        tuple((visa, stance) for visa, stance, _ in quotes),
        conditions,
        round(chance.uniform(0.6, 1), 2),
        chance.random() < 0.1,
        evidence,
    ).to_json()


def _policies(store: Store, watched: list[Program], stood: list[list[dict[str, Any]]]) -> None:
    """The first in the first night, the next in the second ..."""
    store.write_many(
        "INSERT INTO policies (program_id, cycle_id, since, origin, policy, reading)"
        " VALUES (?, ?, ?, 'read', ?, ?)",
        [
            (p.program_id, n + 1, stamp(NIGHTS[n]), json.dumps(policy), json.dumps(policy))
            for p, policies in zip(watched, stood, strict=True)
            for n, policy in enumerate(policies)
        ],
    )


def _answers(store: Store, watched: list[Program]) -> None:
    """A coordinator's answer from each hundredth program, which waits to be read."""
    said = {"stances": {"J-1": "sponsored"}, "conditions": []}
    for program in watched[::100]:
        evidence.add(
            store,
            Saying(
                program.program_id, "coordinator", NOON.year + 1, stamp(NIGHTS[-1]), said,
                key=program.program_id, quote="Yes, we sponsor J-1 visas.",
            ),
        )  # fmt: skip


def _changes(
    store: Store, watched: list[Program], stood: list[list[dict[str, Any]]], chance: random.Random
) -> int:
    """One for each policy that followed another; most are reviewed."""
    rows = [
        (p.program_id, n + 1, json.dumps(policies[n - 1]), json.dumps(policies[n]),
         stamp(NIGHTS[n]), p.eligibility_url, chance.choice(("open", "accepted", "dismissed")))
        for n in range(1, 3)
        for p, policies in zip(watched, stood, strict=True)
        if len(policies) > n
    ]  # fmt: skip
    store.write_many(
        "INSERT INTO changes (program_id, cycle_id, kind, severity, status, before, after,"
        " detected_at, url) VALUES (?1, ?2, 'policy_changed', 'critical', ?7, ?3, ?4, ?5, ?6)",
        rows,
    )
    store.write(
        "INSERT INTO reviews (change_id, verdict, by, note, at)"
        " SELECT id, status, 'ada', '', detected_at FROM changes WHERE status <> 'open'"
    )
    store.write(
        "UPDATE policies SET review_id = (SELECT r.id FROM changes c JOIN reviews r"
        " ON r.change_id = c.id WHERE c.program_id = policies.program_id"
        " AND c.cycle_id = policies.cycle_id)"
    )
    return len(rows)
