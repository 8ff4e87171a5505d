"""Drives changedetection.io by its HTTP API: a server that lives through all nights."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.peers.reports import Entry, notification
from benchmarks.peers.usage import metered, spent
from benchmarks.peers.values import (
    Alert,
    Nights,
    Outcome,
    Page,
    PeerError,
    Usage,
    last_words,
    program,
)

LONGEST = 240.0  # seconds for one night, or for the start
_POLL = 0.1  # seconds
_STUCK = 6.0  # seconds without a check, more than one takes
_KEY = "0123456789abcdef0123456789abcdef"  # of its API, on loopback
_WORKERS = 10  # as urlwatch has
_ENVIRONMENT = {
    "ALLOW_IANA_RESTRICTED_ADDRESSES": "true",  # loopback
    "DISABLE_VERSION_CHECK": "true",  # it would ask the Internet
    "LLM_FEATURES_DISABLED": "true",
    "FETCH_WORKERS": str(_WORKERS),
    "LANG": "C.UTF-8",
}


def changedetection(nights: Nights, folder: Path, settings: dict[str, Any]) -> Outcome:
    """Watches all nights; what it posts to its notification address is an alert."""
    outcome = Outcome()
    speak_for = {page.key: page.programs for page in nights.pages}
    nights.web.go(1)
    with _inbox(folder) as inbox, _served(folder, inbox, outcome) as api:
        watches = [
            api.call("watch", {"url": page.url, "title": page.key, **settings})["uuid"]
            for page in nights.pages
        ]
        for night in range(1, len(nights) + 1):
            nights.web.go(night)
            checked = {watch: api.checks(watch) for watch in watches}
            if night > 1:  # a new watch is checked by itself
                api.call("watch?recheck_all=1")
            api.settle(checked, inbox)
            outcome.alerts += [
                Alert(night, told.name, speak_for[told.name], told.text) for told in inbox.taken()
            ]
    return outcome


def checking(
    pages: Sequence[Page], folder: Path, settings: dict[str, Any], nights: int
) -> Iterator[Usage]:
    """Checks the same pages night after night; gives what it has used after the start, and each."""
    outcome = Outcome()
    with _inbox(folder) as inbox, _served(folder, inbox, outcome) as api:

        def used() -> Usage:
            return replace(outcome.usage, cpu=spent(api.pid))

        yield used()
        watches = [api.call("watch", {"url": page.url, **settings})["uuid"] for page in pages]
        checked = dict.fromkeys(watches, 0)
        for night in range(nights):
            if night:
                checked = {watch: api.checks(watch) for watch in watches}
                api.call("watch?recheck_all=1")
            api.settle(checked, inbox)
            yield used()


@dataclass(slots=True)
class _Inbox:
    """What was posted, in order."""

    port: int
    journal: Path  # each as it came, a line each
    received: int = 0
    _entries: list[Entry] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take_in(self, body: bytes) -> None:
        with self._lock:
            self._entries.append(notification(body))
            with self.journal.open("ab") as journal:
                journal.write(body + b"\n")
            self.received += 1

    def taken(self) -> list[Entry]:
        with self._lock:
            entries, self._entries = self._entries, []
        return entries


@contextmanager
def _inbox(folder: Path) -> Iterator[_Inbox]:
    """Receives notifications on a loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.take_in(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox = _Inbox(server.server_port, folder / "notifications.jsonl")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield inbox
        server.shutdown()
        thread.join()


@dataclass(frozen=True, slots=True)
class _Api:
    """The server's API, and what it keeps on the disk."""

    pid: int
    port: int
    data: Path
    log: Path

    def call(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Its answer. Raises PeerError for one that is none of success."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"x-api-key": _KEY, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            told = error.read().decode(errors="replace")
            raise PeerError(f"changedetection.io answered {error.code} to {path}: {told}") from None

    def settle(self, checked: dict[str, int], inbox: _Inbox) -> None:
        """Waits until each watch was checked once more and all is told. Raises PeerError.

        That is read from its files, so that waiting costs it nothing. `checked` has the number of
        checks of each watch before. A watch that it still held for busy when all were to be
        checked is not checked, and asked for by itself.
        """
        began = moved = time.monotonic()
        left = set(checked)
        due = 0
        while time.monotonic() < began + LONGEST:
            done = {watch for watch in left if self.checks(watch) > checked[watch]}
            if done:
                left -= done
                moved = time.monotonic()
            # It notifies of each snapshot but the first of a watch.
            due = sum(max(0, self._snapshots(watch) - 1) for watch in checked)
            if not left and inbox.received >= due:
                return
            if left and time.monotonic() > moved + _STUCK:
                for watch in left:
                    self.call(f"watch/{watch}?recheck=1")
                moved = time.monotonic()
            time.sleep(_POLL)
        told = f"{len(left)} watches not checked, {inbox.received} of {due} changes told"
        words = last_words(self.log.read_text())
        raise PeerError(f"changedetection.io: {told} after {LONGEST:.0f} s\n{words}")

    def checks(self, watch: str) -> int:
        """How often a watch was checked."""
        try:
            return int(json.loads((self.data / watch / "watch.json").read_text())["check_count"])
        except (OSError, ValueError, KeyError):  # not written yet
            return 0

    def _snapshots(self, watch: str) -> int:
        try:
            return len((self.data / watch / "history.txt").read_text().splitlines())
        except OSError:
            return 0


@contextmanager
def _served(folder: Path, inbox: _Inbox, outcome: Outcome) -> Iterator[_Api]:
    data = folder / "data"
    data.mkdir()
    # As the pages "Settings" and "API" would write it; one that is there keeps it from adding
    # watches of its own.
    (data / "changedetection.json").write_text(json.dumps(_settings(inbox)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [program("changedetection", "changedetection.io"), "-d", str(data)]
    command += ["-h", "127.0.0.1", "-p", str(port), "-l", "WARNING"]
    env = {"HOME": str(folder), "PATH": os.environ["PATH"], **_ENVIRONMENT}
    with (
        (folder / "log.txt").open("w") as log,
        metered(command, outcome.usage, env=env, stdout=log, stderr=log) as process,
    ):
        api = _Api(process.pid, port, data, folder / "log.txt")
        try:
            end = time.monotonic() + LONGEST
            while not _answers(api):
                if process.poll() is not None or time.monotonic() > end:
                    words = last_words(api.log.read_text())
                    raise PeerError(f"changedetection.io does not start:\n{words}")
                time.sleep(_POLL)
            yield api
        finally:
            process.terminate()
            if process.wait(30) is None:
                process.kill()


def _settings(inbox: _Inbox) -> dict[str, Any]:
    return {
        "settings": {
            "requests": {"timeout": 4, "workers": _WORKERS},
            "application": {
                "api_access_token": _KEY,
                "notification_urls": [f"json://127.0.0.1:{inbox.port}/"],
                "notification_title": "{{watch_title}}",
                "notification_body": "{{diff}}",
                "notification_format": "text",
            },
        }
    }


def _answers(api: _Api) -> bool:
    try:
        api.call("systeminfo")
    except (PeerError, OSError):
        return False
    return True
