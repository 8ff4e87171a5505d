"""One night of VisaWatch, a process of its own: `python -m benchmarks.peers.night DB CONFIG NIGHT`.

It does what `visawatch crawl` does, with the settings of a file. Its standard output asks for the
fresh look of the night when it comes to that, as `Served.go` asks the web for it, and ends with the
number of pages that it reports as unreadable.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.simweb.server import Served
from crawler import crawling, standing_by
from monitor import clock, outages
from monitor.cycle import Progress, run
from visawatch.app import App
from visawatch.config import load
from visawatch.cycling import settings_of

FIRST_NIGHT = datetime(2026, 9, 1, 2, tzinfo=UTC)  # as in simweb.pages, which a night need not load


def main() -> None:
    """Runs the night that the command line names."""
    database, config, night = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    now = clock.fixed(FIRST_NIGHT + timedelta(days=night - 1))
    app = App(database, lambda: load(config), now)
    web = Served(0, sys.stdout, sys.stdin)
    fresh = False

    def follow(progress: Progress) -> None:
        nonlocal fresh
        if progress.stage == "confirming" and not fresh:
            fresh = True
            web.go(night, 2)

    with standing_by() as standby:
        settings = settings_of(app)
        with app.store() as store:
            summary, _ = run(
                store,
                settings,
                clock=now,
                progress=Progress(on_change=follow),
                crawl=partial(crawling, standby=standby),
            )
            told = outages.reports(store, summary.cycle)
    print(sum(not report.over for report in told))


if __name__ == "__main__":
    main()
