"""What is worked out of a page's bytes: whether it can be read, what it states, how it is stored.

It is done here once, wherever a page was fetched: by the process that stores it, or by a worker
on another machine, whose pages come as `ReadFetch`.
"""

from __future__ import annotations

import logging
from concurrent.futures import Executor, Future
from dataclasses import dataclass, fields, replace

from crawler import Fetch, Health
from extractors import Known, Statement, read_page, unreadable
from store import snapshots
from store.errors import StoreError
from store.snapshots import Packed

log = logging.getLogger(__name__)


class Unread(Exception):
    """Reading a page failed, which is a fault of ours: its page is one that cannot be read."""


@dataclass(frozen=True, slots=True)
class ReadFetch(Fetch):
    """A page that was read and packed where it was fetched."""

    packed: Packed | None = None
    stated: tuple[Statement, ...] = ()


def read(fetch: Fetch) -> ReadFetch:
    """The page, read and packed."""
    fetch = readable(fetch)
    values = {field.name: getattr(fetch, field.name) for field in fields(fetch)}
    if fetch.body is None:
        return ReadFetch(**values)
    try:
        stated = statements(fetch)
    except Unread as fault:
        return read(unread(fetch, fault))
    return ReadFetch(**values, packed=snapshots.pack(fetch.body), stated=stated)


def readable(fetch: Fetch) -> Fetch:
    """The page, or its bad health: what cannot be read has not fallen silent."""
    if fetch.health is not Health.OK or fetch.body is None or isinstance(fetch, ReadFetch):
        return fetch
    fault = unreadable(fetch.body, fetch.content_type)
    return unread(fetch, fault) if fault else fetch


def statements(fetch: Fetch, known: Known | None = None) -> tuple[Statement, ...]:
    """What a page states; nothing if it has no body. Raises Unread, and what `known` raises.

    Pages are hostile: what one of them breaks must not end the night for all others.
    """
    if fetch.body is None:
        return ()
    if isinstance(fetch, ReadFetch):
        return fetch.stated
    try:
        return read_page(fetch.body, fetch.content_type, known)
    except StoreError:
        raise
    except Exception as error:  # whatever a page has found
        log.exception("%s could not be read", fetch.final_url)
        raise Unread(f"reading it failed, which is a fault of VisaWatch: {error!r}") from error


def unread(fetch: Fetch, fault: object) -> Fetch:
    """The page as one that cannot be read, and why."""
    return replace(fetch, health=Health.UNREADABLE, body=None, detail=f"{fetch.final_url}: {fault}")


def packing(fetch: Fetch, packer: Executor) -> Future[Packed] | None:
    """The page's bytes as they are stored, soon; None if it has no body."""
    if fetch.body is None:
        return None
    if not isinstance(fetch, ReadFetch) or fetch.packed is None:
        return packer.submit(snapshots.pack, fetch.body)
    packed: Future[Packed] = Future()
    packed.set_result(fetch.packed)
    return packed
