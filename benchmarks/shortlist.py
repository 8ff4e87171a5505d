"""A target list over 13,000 programs, beside the bare statement that fetches what it rests on.

    python -m benchmarks.shortlist [--programs N] [--database FILE]

Both in turns, as often as there are rounds; the ratio of the medians is what counts, the times
depend on the machine. The list is whole: programs judged and put in order, and 40 of them looked up
with policy, quotes and health. The database is that of `python -m benchmarks.load --database FILE`.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click

from benchmarks.load_data import NOON, generate
from shortlist import whatif
from shortlist.knowledge import knowledge
from shortlist.profile import Profile, profile
from shortlist.target import ask, shortlist
from store import standings
from store.database import Store

ROUNDS = 9
GOAL_MS, GOAL_RATIO = 200, 5.0
CASES = {
    "J-1, residencies": {"visa": "J-1"},
    "J-1 or H-1B, all levels": {"visa": "either", "level": "any", "step3": "passed"},
    "H-1B, three states, two preferred": {
        "visa": "H-1B", "step3": "2027-01-15", "places": ["MA", "NY", "CT"], "near": ["MA", "CT"],
    },
}  # fmt: skip


def build(store: Store, wanted: Profile) -> int:
    """A whole list, as the command and the page make it."""
    found = shortlist(ask(store, wanted, knowledge(), NOON))
    return len(found.targets(store, found.chosen, stale_after_cycles=3))


def _ms(work: Callable[[], object]) -> tuple[float, float]:
    """How long it takes, and how much of that is work: on a busy machine the rest is waiting."""
    begin, cpu = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - begin) * 1000, (time.process_time() - cpu) * 1000


@click.command()
@click.option("--programs", default=13_000, help="How many programs.")
@click.option("--database", type=click.Path(path_type=Path), help="Keep it there, or use it again.")
def main(programs: int, database: Path | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = database or Path(folder) / "load.db"
        if not path.exists():
            generate(path, count=programs)
        with Store(path) as store:
            click.echo(
                f"{'ms, medians':36} {'list':>7} {'CPU':>7} {'SQL':>7} {'CPU':>7} {'ratio':>6}"
                f" {'what if':>8}"
            )
            for name, values in CASES.items():
                wanted = profile(values)
                build(store, wanted)
                lists, bare = [], []
                for _ in range(ROUNDS):
                    lists.append(_ms(lambda wanted=wanted: build(store, wanted)))
                    bare.append(_ms(lambda: standings.facts(store)))
                question = ask(store, wanted, knowledge(), NOON)
                more, _ = _ms(lambda question=question: whatif.proposals(question))
                took, work = map(statistics.median, zip(*lists, strict=True))
                sql, bare_work = map(statistics.median, zip(*bare, strict=True))
                click.echo(
                    f"{name:36} {took:7.1f} {work:7.1f} {sql:7.1f} {bare_work:7.1f}"
                    f" {took / sql:6.2f} {more:8.1f}"
                )
    click.echo(f"goals: {GOAL_MS} ms, ratio {GOAL_RATIO}")


if __name__ == "__main__":
    main()
