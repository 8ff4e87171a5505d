"""From the outbox to channels, through a process that posts (monitor.alerts.poster)."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from monitor.alerts import notes
from monitor.alerts.channels import ANSWER_SECONDS, CONNECT_SECONDS, shown
from monitor.alerts.errors import Lost, MailError, Postponed, Refused, Unanswered
from monitor.alerts.poster import READY, Answer, Order
from store.records import Mail

START_SECONDS = 30.0  # for the process to load what it needs
# For all of a post, which some services need several requests for. Beyond it the answer is a
# trickle that would hold up everybody else.
POST_SECONDS = 2 * (CONNECT_SECONDS + ANSWER_SECONDS)
_GRACE_SECONDS = 2.0


class Poster:
    """Posts alerts, one at a time; its process is started with the first."""

    def __init__(self, allow_hosts: Iterable[str] = ()) -> None:
        self._allow_hosts = list(allow_hosts)
        self._process: subprocess.Popen[bytes] | None = None

    def send(self, mail: Mail) -> None:
        """Posts one alert; when this returns, the channel has taken it.

        Raises Refused, Postponed, Lost or Unanswered about this alert.
        """
        answer = self._ask(Order(mail.address, *notes.parts(mail)))
        said = f"{shown(mail.address)} {answer.why}"
        match answer.outcome:
            case "refused":
                raise Refused(said)
            case "not_taken":
                raise Postponed(said)
            case "unreachable":
                raise Lost(f"{said}; the alert is kept for later.")
            case "unanswered":
                raise Unanswered(f"{said}.")

    def close(self) -> None:
        """Ends the process."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            process.stdin.close()  # type: ignore[union-attr]  # it has one
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()  # type: ignore[union-attr]

    def _ask(self, order: Order) -> Answer:
        if self._process is None:
            self._process = _start()
            self._write(self._allow_hosts)
            if _read_line(self._process, START_SECONDS).decode().strip() != READY:
                self._process.kill()
                self.close()
                raise MailError("the process that posts to channels does not start")
        self._write(asdict(order))
        line = _read_line(self._process, POST_SECONDS)
        if not line.endswith(b"\n"):
            self._process.kill()
            self.close()
            return Answer("unanswered", "does not end its answer")
        return Answer(**json.loads(line))

    def _write(self, value: Any) -> None:
        assert self._process is not None  # noqa: S101
        assert self._process.stdin is not None  # noqa: S101
        try:
            self._process.stdin.write(json.dumps(value).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            self.close()
            raise MailError(f"the process that posts to channels has ended ({error})") from error


def _start() -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),  # wherever we were imported from
        "NETRC": os.devnull,  # requests would send passwords from there
    }
    try:
        return subprocess.Popen(  # our own module
            [sys.executable, "-m", "monitor.alerts.poster"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries quote URLs there, with all their secrets
            env=environment,
            start_new_session=True,  # Ctrl-C is for the process that asks
        )
    except OSError as error:
        raise MailError(f"no process can be started to post to channels: {error}") from error


def _read_line(process: subprocess.Popen[bytes], limit: float) -> bytes:
    """A line of the process; what there is of one when it ends, or takes longer than `limit`."""
    assert process.stdout is not None  # noqa: S101
    until, line = time.monotonic() + limit, b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n") and selector.select(max(0.0, until - time.monotonic())):
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                break
            line += data
    return line
