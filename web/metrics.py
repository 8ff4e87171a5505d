"""The state of a watch in the words of Prometheus."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from monitor.vitals import Vitals


def text(vitals: Vitals) -> bytes:
    """All of it, in the text format. What there was no cycle for is left out."""
    registry = CollectorRegistry()
    registry.register(_Vitals(vitals))
    return generate_latest(registry)


class _Vitals:
    def __init__(self, vitals: Vitals) -> None:
        self._vitals = vitals

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The measures, each a gauge: they are read from the database, not counted here."""
        v = self._vitals
        if v.last is not None:
            started = datetime.fromisoformat(v.last.started_at).timestamp()
            yield _one("last_cycle_started_timestamp_seconds", "Start of the last one", started)
            for name in ("seconds", "pages", "fetched", "failed", "changes"):
                value = float((v.last.summary or {}).get(name, 0))
                yield _one(f"last_cycle_{name}", f"The last cycle's {name}", value)
        yield _one("cycle_running", "1 while a cycle is not finished", float(v.running is not None))
        yield _one(
            "next_cycle_timestamp_seconds", "When the next cycle is due", v.next_at.timestamp()
        )
        yield _one("cycle_overdue_seconds", "How late the night is that was not run", v.overdue)
        yield _one("oldest_mail_seconds", "How long the oldest queued mail waits", v.oldest_mail)
        yield _one("programs", "Watched programs", v.programs)
        yield _one("programs_in_doubt", "Programs whose policy needs a review", v.doubtful)
        yield _one("blocking_hosts", "Hosts that block us", len(v.blocking))
        yield _one("database_bytes", "Size of the database", v.bytes)
        yield _each("pages", "Watched pages by their last health", "health", v.pages)
        yield _each("policies", "Programs by category", "category", v.policies)
        yield _each("open_changes", "Changes to review", "severity", v.open)
        yield _each("outbox", "Mail by state", "state", v.outbox)


def _one(name: str, words: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"visawatch_{name}", words, value=value)


def _each(name: str, words: str, label: str, values: Mapping[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"visawatch_{name}", words, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family
