"""One Chromium, cut off from the network: found, started, watched and killed.

It resolves no name and reaches no address: its resolver knows none, everything goes through a
proxy that does not exist, and WebRTC may not go past that. So what Playwright does not hand to
us (preconnects, prefetches, web sockets, workers' requests, redirects, reports) goes nowhere.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from contextlib import suppress
from pathlib import Path

from playwright.async_api import Browser, Error, Playwright, async_playwright

from crawler.values import RenderLimits

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_NO_NETWORK = (
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
)
_NO_PROXY = "http://nowhere.invalid:9"  # a name that nobody can own (RFC 6761)
_LOOK_SECONDS = 0.1  # between two looks at its memory: nothing tells of its growth
_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_PAGES = 25  # that one shows: what each leaves behind in memory counts against the next
_NICENESS = 10  # a page's script may take a core; the crawl goes first


class NoBrowser(Exception):
    """None can be started; the message says why, and the way out."""


def find(named: str) -> str:
    """Return the path of the browser, the one named or the first of `NAMES`."""
    found = next(filter(None, map(shutil.which, (named,) if named else NAMES)), None)
    if found is not None:
        return found
    if named:
        raise NoBrowser(f"there is no program {named}, which [render] browser names")
    raise NoBrowser(
        "no Chromium was found: install one (Debian: apt-get install chromium), or name it in "
        "[render] browser"
    )


class Chromium:
    """A running browser, and Playwright's driver for it."""

    def __init__(self, driver: Playwright, browser: Browser, pid: int) -> None:
        # The pid is that of the browser's first process, which leads the group of all others.
        self._driver = driver
        self._pid = pid
        self._driver_pid = _parent(pid)
        self._shown = 0
        self.browser = browser

    @classmethod
    async def start(cls, limits: RenderLimits) -> Chromium:
        """Start one; raise `NoBrowser`."""
        path = find(limits.browser)
        if limits.sandbox and os.geteuid() == 0:
            raise NoBrowser(
                "Chromium's sandbox does not work for root: run VisaWatch as another user"
            )
        driver = await async_playwright().start()
        try:
            browser = await driver.chromium.launch(
                executable_path=path,
                chromium_sandbox=limits.sandbox,
                args=["--disable-gpu", "--blink-settings=imagesEnabled=false", *_NO_NETWORK],
                ignore_default_args=["--disable-popup-blocking"],
                proxy={"server": _NO_PROXY, "bypass": "<-loopback>"},
                # No secrets of ours, and no home to leave anything in.
                env={"PATH": os.defpath, "HOME": "/nonexistent", "LANG": "C.UTF-8"},
                timeout=_START_SECONDS * 1000,
            )
            session = await browser.new_browser_cdp_session()
            processes = await session.send("SystemInfo.getProcessInfo")
        except BaseException as error:
            await driver.stop()
            if not isinstance(error, Error):
                raise
            raise NoBrowser(f"{path} did not start: {_reason(error)}") from error
        pid = next(p["id"] for p in processes["processInfo"] if p["type"] == "browser")
        with suppress(OSError):
            os.setpriority(os.PRIO_PGRP, pid, _NICENESS)
        return cls(driver, browser, pid)

    def take(self) -> bool:
        """Take it for a page; False if it has broken down, or shown as many as it may."""
        self._shown += 1
        return self._shown <= _PAGES and self.browser.is_connected()

    async def fails(self, megabytes: int) -> str:
        """Return why, when it breaks down, or it and its driver take more memory than this."""
        while self.browser.is_connected():
            if memory_of(self._driver_pid) > megabytes * 1_000_000:
                return f"its script took more than {megabytes:,} MB of memory ([render] megabytes)"
            await asyncio.sleep(_LOOK_SECONDS)
        return "the browser broke down"

    async def kill(self) -> None:
        """End it, whatever it is doing."""
        with suppress(OSError):
            os.killpg(self._pid, signal.SIGKILL)
        try:
            await asyncio.wait_for(self._driver.stop(), _STOP_SECONDS)
        except (Error, TimeoutError):
            with suppress(OSError):
                os.kill(self._driver_pid, signal.SIGKILL)


def memory_of(pid: int) -> int:
    """Return the bytes that a process and its descendants have for themselves; 0 where unknown.

    Only Linux tells, in /proc.
    """
    total, waiting = 0, [pid]
    while waiting:
        folder = Path("/proc", str(waiting.pop()))
        with suppress(OSError):  # it may end at any time
            for line in (folder / "status").read_text().splitlines():
                if line.startswith(("RssAnon:", "RssShmem:")):
                    total += int(line.split()[1]) * 1024
            for thread in (folder / "task").iterdir():
                with suppress(OSError):
                    waiting += map(int, (thread / "children").read_text().split())
    return total


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return pid


def _reason(error: Error) -> str:
    """Return the line of Playwright's long message that says what was wrong."""
    lines = [line.strip() for line in error.message.splitlines() if line.strip()]
    told = [line for line in lines if "FATAL" in line or "rror while loading" in line]
    return (told or lines or ["it said nothing"])[0][:300]
