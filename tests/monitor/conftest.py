from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loopback import Site, Visit
from sharing import shared

from crawler import Limits, RenderLimits
from monitor import clock
from monitor.alerts import Delivery
from monitor.cycle import Settings, Summary, run
from monitor.status import Status, statuses
from store import changes, programs
from store.database import Store
from store.records import Change, Program
from visawatch.config import MailSettings

FIRST_NIGHT = datetime(2026, 11, 1, 2, tzinfo=UTC)
J1_ONLY = "<h1>Visas</h1><p>We sponsor only J-1 visas.</p>"
BOTH = "<h1>Visas</h1><p>We sponsor J-1 and H-1B visas.</p>"
NONE = "<h1>Visas</h1><p>We do not sponsor visas.</p>"
SILENT = "<h1>Welcome</h1><p>Our residents like it here, and so will you.</p>"


@dataclass
class Watch:
    """A store that watches one site, night after night."""

    store: Store
    site: Site
    folder: Path
    nights: int = 0
    withdraw_cycles: int = 2
    delivery: Delivery = field(default_factory=Delivery)
    mail: MailSettings | None = None  # a folder, unless it is set
    render: RenderLimits = field(default_factory=RenderLimits)

    def programs(self, *listed: Program) -> None:
        with self.store.writing():
            programs.save(self.store, listed)

    def program(self, path: str = "/visa", program_id: str = "im") -> None:
        self.programs(
            Program(program_id, "Fernway Hospital", "Medicine", eligibility_url=self.site.url(path))
        )

    def night(self, **options: object) -> Summary:
        """One cycle, a day after the last one."""
        at = FIRST_NIGHT + timedelta(days=self.nights)
        self.nights += 1
        settings = Settings(
            mail=self.mail or MailSettings(maildir=str(self.folder / "mail")),
            limits=Limits(
                delay_seconds=0,
                timeout_seconds=5,
                retries=0,
                allow_hosts=("127.0.0.1",),
                render=self.render,
            ),
            confirm_delay_seconds=0,
            withdraw_cycles=self.withdraw_cycles,
        )
        summary, self.delivery = run(
            self.store,
            settings,
            clock=clock.fixed(at),
            **{"crawl": shared, **options},  # type: ignore[arg-type]
        )
        return summary

    def changes(self) -> list[Change]:
        return changes.listed(self.store, "all")

    def kinds(self) -> list[str]:
        return [change.kind for change in self.changes()]

    def status(self, program_id: str = "im") -> Status:
        return next(s for s in statuses(self.store) if s.program.program_id == program_id)

    def category(self, program_id: str = "im") -> str:
        policy = self.status(program_id).policy
        return str(policy.category) if policy else "never seen"


@pytest.fixture
def watch(store: Store, web: Site, tmp_path: Path) -> Watch:
    """A store and a site to watch."""
    return Watch(store, web, tmp_path)


def in_turn(*bodies: str) -> Callable[[Visit], None]:
    """A page that answers with these bodies, one after the other, and then with the last."""
    left = list(bodies)

    def answer(visit: Visit) -> None:
        visit.send((left.pop(0) if len(left) > 1 else left[0]).encode())

    return answer


def link(path: str, text: str) -> str:
    return f'<p><a href="{path}">{text}</a></p>'


def neighbours(watch: Watch, *, gme: str = "") -> None:
    """Two programs of one hospital, whose start page leads to the pages of both."""
    watch.site.page(
        "/",
        SILENT
        + link("/surgery/visas", "Surgery: eligibility and visas")
        + link("/new", "Medicine: eligibility")
        + link("/gme", "GME visa policy"),
    )
    watch.site.page("/medicine/visas", BOTH)
    watch.site.page("/surgery/visas", J1_ONLY)
    watch.programs(
        *(
            Program(
                name,
                "Fernway Hospital",
                name,
                website_url=watch.site.url("/"),
                eligibility_url=watch.site.url(f"/{name}/visas"),
                gme_url=watch.site.url(gme) if gme else "",
            )
            for name in ("medicine", "surgery")
        )
    )
