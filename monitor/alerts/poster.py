"""The process that posts to channels: `python -m monitor.alerts.poster`.

Started by monitor.alerts.posting only. It reads one order a line from standard input (a JSON
object, as `Order` has it) and writes one answer a line to standard output, after a first line
that says that it is ready. In a process of its
own a service that never ends its answer can be given up on, and every connection that any
library opens can be checked.
"""

from __future__ import annotations

import contextlib
import json
import socket
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from importlib import import_module
from typing import Any, Literal

from crawler.guard import NOT_PUBLIC, Guard

READY = "ready"

Outcome = Literal["taken", "not_taken", "refused", "unreachable", "unanswered"]


@dataclass(frozen=True, slots=True)
class Order:
    """One alert for one channel; `data` is what programs get beside the text."""

    url: str
    title: str
    text: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of it, and why, in words without secrets."""

    outcome: Outcome
    why: str = ""


class _Watch:
    """Lets connections go to allowed addresses only, and remembers what came of the last post."""

    def __init__(self, allow_hosts: Iterable[str]) -> None:
        self._guard = Guard(allow_hosts)
        self._resolve = socket.getaddrinfo
        self._allowed: set[tuple[str, int]] = set()
        self.begin()

    def begin(self) -> None:
        """Forgets the post before."""
        self.status = 0
        self.fault: Exception | None = None
        self.refused = ""

    def install(self) -> None:
        """Watches this process, from now on and for good."""
        from requests import Session

        send = Session.send

        def noted(session: Session, request: Any, **options: Any) -> Any:
            try:
                answer = send(session, request, **options)
            except Exception as error:
                self.fault = error
                raise
            self.status = answer.status_code
            return answer

        Session.send = noted  # type: ignore[method-assign, assignment]
        socket.getaddrinfo = self._getaddrinfo
        sys.addaudithook(self._audit)

    def _getaddrinfo(self, host: Any, port: Any, *args: Any, **options: Any) -> Any:
        """The addresses of a host that may be connected to, which are the only ones used."""
        name = host.decode() if isinstance(host, bytes) else str(host)
        found = []
        for answer in self._resolve(host, port, *args, **options):
            if self._guard.allows_answer(name, int(port), str(answer[4][0])):
                self._allowed.add((str(answer[4][0]), int(port)))
                found.append(answer)
        if not found:
            self.refused = f"{name} {NOT_PUBLIC}"
            raise socket.gaierror(socket.EAI_NONAME, "refused")
        return found

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Refuses a connection to anything else: who has not asked gets no way in."""
        if event == "socket.connect":
            address = arguments[1]
            if not isinstance(address, tuple) or tuple(address[:2]) not in self._allowed:
                raise PermissionError("a connection past the guard")


def post(order: Order, watch: _Watch) -> Answer:
    """Posts one alert; never raises."""
    from apprise import NotifyFormat

    from monitor.alerts.channels import opened, services

    watch.begin()
    try:
        plugin: Any = opened(order.url)
        if services()[order.url.partition("://")[0]].webhook:
            plugin.payload_extras.update(order.data)
        done = plugin.notify(
            body=order.text, title=order.title, body_format=NotifyFormat.TEXT, notify_type="info"
        )
    except Exception as error:  # noqa: BLE001  # of two hundred kinds; the alert waits, and it is said
        return _fault(watch, error)
    return Answer("taken") if done else _fault(watch, watch.fault)


def _fault(watch: _Watch, error: Exception | None) -> Answer:
    from requests import exceptions

    if watch.refused:
        return Answer("not_taken", watch.refused)
    if isinstance(error, exceptions.SSLError):
        return Answer("unreachable", "shows a certificate that is not trusted, or no TLS")
    if isinstance(error, exceptions.ConnectTimeout):
        return Answer("unreachable", "cannot be reached in time")
    if isinstance(error, exceptions.Timeout):
        return Answer("unanswered", "does not answer in time")
    if isinstance(error, exceptions.ConnectionError):
        reason = _reason(error)
        if "NewConnectionError" in reason or "NameResolutionError" in reason:
            return Answer("unreachable", "cannot be reached")
        return Answer("unanswered", "closed the connection")
    if watch.status == 410:
        return Answer("refused", "is gone for good (410)")
    if watch.status:
        return Answer("not_taken", f"answers {watch.status}")
    # An error's own text may quote the URL.
    return Answer("not_taken", f"cannot be posted to ({type(error).__name__ if error else 'no'})")


def _reason(error: BaseException) -> str:
    """The kinds of an error and of what it came from."""
    kinds, parts = [], [error]
    while parts:
        part = parts.pop()
        kinds.append(type(part).__name__)
        inner = [*getattr(part, "args", ()), getattr(part, "reason", None)]
        parts += [p for p in inner if isinstance(p, BaseException) and p is not part]
    return " ".join(kinds)


def main() -> None:
    """Reads orders until there are no more."""
    allow_hosts = json.loads(sys.stdin.readline())
    # What a library prints is no answer.
    with contextlib.redirect_stdout(sys.stderr):
        watch = _Watch(allow_hosts)
        watch.install()
        import_module("monitor.alerts.channels")
        import_module("apprise")
        print(READY, file=sys.__stdout__, flush=True)
        for line in sys.stdin:
            answer = post(Order(**json.loads(line)), watch)
            print(json.dumps(asdict(answer)), file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    main()
