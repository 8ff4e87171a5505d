"""When Chromium has painted a page first: asked over DevTools, through a pipe."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

NAMES = ("chromium", "chromium-browser", "google-chrome")


def first_paint(url: str, *, times: int = 5) -> float | None:
    """Seconds from the navigation to the first contentful paint, median; None without a browser."""
    browser = next((found for name in NAMES if (found := shutil.which(name))), None)
    if browser is None:
        return None
    with _devtools(browser) as ask:
        target = ask("Target.createTarget", url="about:blank")["targetId"]
        session = ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        painted = []
        for _ in range(times):
            ask("Page.navigate", session, url=url)
            painted.append(_paint(ask, session, url))
        return statistics.median(painted) / 1000


def _paint(ask: Any, session: str, url: str) -> float:
    """Waits in the page itself, so that nothing is asked for in vain."""
    script = """new Promise(done => new PerformanceObserver((list, me) => {
        for (const e of list.getEntriesByName('first-contentful-paint')) {
            me.disconnect(); done([location.href, e.startTime]); }
        }).observe({type: 'paint', buffered: true}))"""
    while True:
        answer = ask(
            "Runtime.evaluate", session, expression=script, awaitPromise=True, returnByValue=True
        )
        value = answer["result"].get("value")  # none when the old page went away meanwhile
        if value and value[0] == url:
            return float(value[1])


@contextmanager
def _devtools(browser: str) -> Iterator[Any]:
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [
            "sh", "-c", f'exec "$@" 3<&{to_read} 4>&{from_write}', "sh", browser, "--headless",
            "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
            f"--user-data-dir={profile}",
        ]  # fmt: skip
        process = subprocess.Popen(
            command, pass_fds=(to_read, from_write), stderr=subprocess.DEVNULL
        )
        os.close(to_read)
        os.close(from_write)
        try:
            with os.fdopen(to_write, "wb") as out, os.fdopen(from_read, "rb") as back:
                yield _Asking(out, back)
        finally:
            process.terminate()
            process.wait(10)


class _Asking:
    """Sends a command and gives its result, leaving out what else the browser says."""

    def __init__(self, out: IO[bytes], back: IO[bytes]) -> None:
        self._out, self._back, self._number = out, back, 0

    def __call__(self, method: str, session: str = "", /, **given: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": given}
        if session:
            message["sessionId"] = session
        self._out.write(json.dumps(message).encode() + b"\0")
        self._out.flush()
        while True:
            answer = json.loads(self._message())
            if answer.get("id") == self._number:
                result: dict[str, Any] = answer.get("result", {"result": {}})
                return result

    def _message(self) -> bytes:
        found = bytearray()
        while (byte := self._back.read(1)) != b"\0":
            if not byte:
                raise RuntimeError("the browser has ended")
            found += byte
        return bytes(found)
