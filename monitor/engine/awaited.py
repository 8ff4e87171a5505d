"""What a run still waits for: each known page once, and each find once for each target."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crawler import Fetch, Health, Plan
from crawler.urls import canonical
from monitor.engine import wire
from monitor.engine.wire import Unit


@dataclass(slots=True)
class Out:
    """A unit that is not finished: its entry in the stream, and the pages that have not come."""

    unit: Unit
    entry: bytes
    awaited: set[str]

    def given_up(self, workers: int) -> list[Fetch]:
        """What became of the pages that have not come: they are awaited no more."""
        detail = f"{workers} workers ended while they fetched the pages of {self.unit.host}"
        by_url: dict[str, list[str]] = {url: [] for url in sorted(self.awaited)}
        for target in self.unit.targets:
            for page in target.pages:
                if page.url in by_url:
                    by_url[page.url].append(target.key)
        self.awaited.clear()
        return [
            Fetch(tuple(keys), url, url, Health.UNREACHABLE, detail) for url, keys in by_url.items()
        ]


class Awaited:
    """The units of a run that are not finished, by host, and what has come for it."""

    def __init__(self, plan: Plan) -> None:
        self.out: dict[str, Out] = {}
        self._met: set[tuple[str, str]] = set()  # targets, and what was discovered for them
        self._known = {  # by target, the canonical addresses of its pages
            target.key: {canonical(page.url) for page in target.pages} for target in plan.targets
        }

    def lay(self, unit: Unit, entry: bytes) -> None:
        """A unit was laid out for workers, as an entry of the stream."""
        self.out[unit.host] = Out(unit, entry, unit.urls)

    def taken(self, fields: dict[bytes, bytes]) -> tuple[list[Fetch], Out | None]:
        """The pages of a result that had not come yet, and the unit that ends with it."""
        out = self.out.get(fields[b"unit"].decode())
        match fields[b"kind"]:
            case b"finished":
                return [], out
            case b"given up" if out is not None:
                return out.given_up(int(fields[b"head"])), out
            case b"page":
                return self._new(wire.page(fields[b"head"], fields[b"body"]), out), None
        return [], None

    def _new(self, page: Fetch, out: Out | None) -> list[Fetch]:
        if page.discovered:
            return self._discovered(page)
        # Else a second worker has fetched it after the first had died.
        if out is not None and page.url in out.awaited:
            out.awaited.remove(page.url)
            return [page]
        return []

    def _discovered(self, page: Fetch) -> list[Fetch]:
        url, final = canonical(page.url), canonical(page.final_url)
        keys = tuple(
            key
            for key in page.targets
            if url not in self._known.get(key, ()) and (key, final) not in self._met
        )
        self._met.update((key, final) for key in keys)
        return [replace(page, targets=keys)] if keys else []
