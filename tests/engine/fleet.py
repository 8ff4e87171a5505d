"""Hospitals on loopback, each a host of its own, and a writer and workers that watch them.

Writer and workers are processes that can be killed, or run in this process where that is enough.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import TracebackType

from browsers import RENDER
from loopback import Site, Visit
from sharing import shared

from crawler import Limits, RenderLimits
from monitor import clock
from monitor.cycle import Settings, Stop, Summary, run
from monitor.engine import writer
from monitor.engine.wire import Versions
from monitor.engine.worker import Worker
from monitor.engine.writer import Engine
from store import programs
from store.database import Store
from store.records import Program
from visawatch.config import MailSettings

ROOT = Path(__file__).resolve().parents[2]
FIRST_NIGHT = datetime(2026, 11, 1, 2, tzinfo=UTC)
J1_ONLY = "<h1>Visas</h1><p>We sponsor only J-1 visas.</p>"
BOTH = "<h1>Visas</h1><p>We sponsor J-1 and H-1B visas.</p>"
PATIENCE = 90.0  # seconds for one crawl, on a busy machine


class Fleet:
    """`hosts` hospitals of `pages` programs, watched by processes that may be killed."""

    def __init__(
        self, folder: Path, engine: str, *, hosts: int, pages: int, delay: float, lease: float = 2
    ) -> None:
        self.folder, self.engine = folder, engine
        self.delay, self.lease = delay, lease
        self._stack = ExitStack()
        self.sites = [Site(f"127.0.0.{number}") for number in range(2, hosts + 2)]
        self.pages = pages
        self.night = 0
        self.turned: set[str] = set()
        self.processes: list[subprocess.Popen[str]] = []
        self.allowed = tuple(f"127.0.0.{number}" for number in range(2, hosts + 2))
        self.render = RENDER  # the writer's
        (folder / "visawatch.toml").write_text(
            f"[crawl]\ndelay_seconds = {delay}\nallow_hosts = {json.dumps(self.allowed)}\n"
            "[monitor]\nconfirm_delay_seconds = 0\nflap_reversals = 99\nwave_institutions = 999\n"
            f"[engine]\nlease_seconds = {lease}\n"
            f"[render]\nsandbox = {json.dumps(RENDER.sandbox)}\n"
        )
        with self.store() as store, store.writing():
            programs.save(store, [self._program(*place) for place in self.places()])

    def __enter__(self) -> Fleet:
        for site in self.sites:
            self._stack.enter_context(site)
            site.otherwise(self._answer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.processes:
            process.kill()
            process.communicate()
        self._stack.close()

    def places(self) -> list[tuple[int, int]]:
        """Every program, as its hospital's number and its page's."""
        return [(h, p) for h in range(len(self.sites)) for p in range(self.pages)]

    def turn(self, *program_ids: str) -> None:
        """A new night, in which these programs have changed their policy."""
        self.night += 1
        self.turned ^= set(program_ids)

    def store(self) -> Store:
        """The writer's database."""
        return Store(self.folder / "v.db")

    def cycle(
        self, store: Store | None = None, *, engine: bool = True, stop: Stop | None = None
    ) -> Summary:
        """Run a cycle in this process; without `engine`, one that does all itself."""
        settings = Settings(
            mail=MailSettings(maildir=str(self.folder / "mail")),
            limits=Limits(
                delay_seconds=self.delay,
                retries=0,
                allow_hosts=self.allowed,
                render=self.render,
            ),
            confirm_delay_seconds=0,
        )
        crawl = partial(writer.crawling, self.connected, "v.db") if engine else shared
        with ExitStack() as stack:
            opened = store or stack.enter_context(self.store())
            now = clock.fixed(FIRST_NIGHT + timedelta(days=self.night))
            return run(opened, settings, clock=now, stop=stop, crawl=crawl)[0]

    @property
    def connected(self) -> Engine:
        """The engine, as a writer and workers of this process have it."""
        return Engine(self.engine, Versions("0.1.0"), self.lease)

    @contextmanager
    def working(self, number: int, render: RenderLimits = RENDER) -> Iterator[list[Worker]]:
        """So many workers in this process; drained in the end."""
        workers = [Worker(self.connected, self.allowed, render) for _ in range(number)]
        threads = [threading.Thread(target=worker.serve) for worker in workers]
        for thread in threads:
            thread.start()
        try:
            yield workers
        finally:
            for worker in workers:
                worker.drain()
            for thread in threads:
                thread.join()

    def crawl(self) -> subprocess.Popen[str]:
        """Start a writer."""
        now = (FIRST_NIGHT + timedelta(days=self.night)).isoformat()
        by = ("--engine", self.engine)
        return self._start("--db", str(self.folder / "v.db"), "--now", now, "crawl", *by)

    def worker(self) -> subprocess.Popen[str]:
        """Start a worker."""
        return self._start("worker", "--engine", self.engine)

    def visits(self) -> dict[str, list[str]]:
        """By hospital, the pages that were asked for, without robots.txt."""
        return {
            site.host: [path for path in site.paths() if path != "/robots.txt"]
            for site in self.sites
        }

    def gaps(self) -> list[float]:
        """The seconds between two requests to one host, the shortest first."""
        return sorted(
            later.started - earlier.started
            for site in self.sites
            for earlier, later in pairwise(site.visits)
        )

    def gaps_between_clients(self) -> list[float]:
        """The same, where they came by two connections: of two workers, or one that began anew."""
        return sorted(
            later.started - earlier.started
            for site in self.sites
            for earlier, later in pairwise(site.visits)
            if later.client != earlier.client
        )

    def _program(self, host: int, page: int) -> Program:
        url = self.sites[host].url(f"/{page}")
        return Program(f"p{host}-{page}", f"Hospital {host}", f"{page}", eligibility_url=url)

    def _answer(self, visit: Visit) -> None:
        if visit.path == "/robots.txt":
            visit.send(b"", 404)
            return
        host = int(visit.headers["Host"].partition(":")[0].rpartition(".")[2]) - 2
        turned = f"p{host}{visit.path.replace('/', '-')}" in self.turned
        visit.send(f"{BOTH if turned else J1_ONLY}<p>Night {self.night}</p>".encode())

    def _start(self, *arguments: str) -> subprocess.Popen[str]:
        config = str(self.folder / "visawatch.toml")
        process = subprocess.Popen(
            [sys.executable, "-m", "visawatch", "--config", config, *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process
