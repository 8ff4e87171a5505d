"""Pages that cannot be read for several nights: reported once, and once more when they are back.

One night is nobody's business: most pages that are down are back in the next. A page that is gone
from all its programs is a change of theirs, and told as such.
"""

from __future__ import annotations

from dataclasses import dataclass

from monitor import watchlist
from monitor.watchlist import Watchlist
from store import cycles, outages
from store.database import Store
from store.records import Page


@dataclass(frozen=True, slots=True)
class Report:
    """What is said of one page, in words; `programs` are those that it speaks for."""

    url: str
    programs: tuple[str, ...]
    last_seen: str | None  # when the cycle in which it was seen last began
    detail: str
    over: bool

    def __str__(self) -> str:
        """One line, as a maintainer reads it."""
        whom = ", ".join(self.programs[:3]) + (
            f" and {len(self.programs) - 3} more" if len(self.programs) > 3 else ""
        )
        if self.over:
            return f"health: {self.url} ({whom}) can be read again"
        seen = f"not read since {self.last_seen}" if self.last_seen else "never read"
        return f"health: {self.url} ({whom}) {seen}: {self.detail}"


def note(store: Store, cycle_id: int, *, after: int) -> None:
    """Files the pages that were not seen in `after` cycles up to this one, and those seen again.

    Run again, for the same cycle, it files nothing twice. Inside `writing()`.
    """
    known = outages.under_way(store)
    for page_id in cycles.seen_pages(store, cycle_id, known):
        outages.end(store, page_id, cycle_id)
    unseen = cycles.unseen_pages(store, cycle_id)
    watched = watchlist.of_pages(store, unseen)
    told = _told_as_gone(store, watched, unseen.keys() & cycles.gone_of_late(store))
    for page_id in sorted({page.id for page in watched.pages()} - known - told):
        if cycles.unhealthy_cycles(store, page_id) >= after:
            outages.begin(store, page_id, cycle_id, unseen[page_id].detail or "")


def reports(store: Store, cycle_id: int) -> list[Report]:
    """What a cycle has to report of watched pages, in the order of the addresses."""
    told = outages.of_cycle(store, cycle_id)
    if not told:
        return []
    good = cycles.latest_good(store, [outage.page_id for outage in told])
    began = {cycle.id: cycle.started_at for cycle in cycles.listed(store)}
    watched = watchlist.of_pages(store, [outage.page_id for outage in told])
    pages = {page.id: page for page in watched.pages()}
    speaking = watchlist.around(store, watched.targets())
    found = []
    for outage in told:
        page = pages.get(outage.page_id)
        if page is None:
            continue
        last = good.get(page.id)
        found.append(
            Report(
                page.url,
                tuple(i for i in speaking.programs if _speaks_for(speaking, page, i)),
                began.get(last.cycle_id) if last else None,
                outage.detail,
                over=outage.ended_cycle == cycle_id,
            )
        )
    return sorted(found, key=lambda report: report.url)


def _speaks_for(watched: Watchlist, page: Page, program_id: str) -> bool:
    return any(other.id == page.id for other in watched.pages_of(program_id))


def _told_as_gone(store: Store, watched: Watchlist, gone: set[int]) -> set[int]:
    """The pages of programs all of whose pages are gone; `watched` has all that may be."""
    found: set[int] = set()
    speaking = watchlist.around(store, watched.targets())
    for program_id in speaking.programs:
        ids = {page.id for page in speaking.pages_of(program_id)}
        if ids <= gone:
            found |= ids
    return found
