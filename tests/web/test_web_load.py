"""The benchmark's database is one that the site serves: every address of it, small."""

from __future__ import annotations

from pathlib import Path

from serving import Serve

from benchmarks.load import nth, paths
from benchmarks.load_data import NOON, generate

PROGRAMS = 200


def test_every_address_of_the_benchmark_is_answered(tmp_path: Path, serve: Serve) -> None:
    size = generate(tmp_path / "load.db", count=PROGRAMS)
    assert (size.programs, size.pages, size.observations) == (200, 2_000, 15_385)
    served = serve(tmp_path / "load.db", now=NOON)
    for path in paths():
        served.get(nth(path, 1, PROGRAMS))
    assert served.get("/api/v1/programs").json()["total"] == PROGRAMS
