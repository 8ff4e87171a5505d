"""Which pages have to be seen again before a difference is believed: those that are its cause.

A page that is down repeats nothing, so what it said in an earlier night is not confirmed by it.
But most pages that are down are not what the difference is about: they said then what they had
said when the policy was confirmed, whatever else has changed on them since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from monitor.reading import Reading, read
from monitor.watchlist import Watchlist
from store import cycles, pages
from store.database import Store
from store.records import Page

GIVEN_UP_AFTER = 7  # cycles; a page that is down longer may never come back


def rests_on_unheard(
    store: Store,
    watched: Watchlist,
    reading: Reading,
    since: int,
    answered: Collection[int],
    *,
    gone_after: int,
) -> bool:
    """Whether a policy would be another one without what pages have said that are down now.

    `since` is the cycle in which the standing policy was confirmed. Of what has changed since on a
    page that did not answer, only what it was once seen with is in doubt: what it had said the time
    before, too, it has repeated. `answered` are the pages that were seen, or known to be gone, just
    now.
    """
    program_id = reading.program.program_id
    changed = pages.changed_since(store, since) - set(answered)
    silent = [page.id for page in watched.pages_of(program_id) if page.id in changed]
    if not silent or reading.policy is None:
        return False
    then = cycles.snapshots_before_last(store, silent)
    before = {page_id: then.get(page_id) for page_id in silent}
    (other,) = read(store, watched, [program_id], gone_after=gone_after, instead=before)
    return (
        other.policy is None
        or other.policy.stances != reading.policy.stances
        or set(other.policy.conditions) != set(reading.policy.conditions)
    )


def missed(store: Store, watched: Iterable[Page], answered: Collection[int]) -> list[Page]:
    """The pages that did not answer just now, but for those that have not for a long time.

    One that was met of late and never read is among them: what is missing may be there.
    """
    return [
        page
        for page in watched
        if page.id not in answered and cycles.unhealthy_cycles(store, page.id) <= GIVEN_UP_AFTER
    ]
