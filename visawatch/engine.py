"""The engine as commands name it: an option, or a setting."""

from __future__ import annotations

from monitor.engine.wire import Versions
from monitor.engine.writer import Engine
from visawatch import __version__
from visawatch.app import App


def engine_of(app: App, url: str) -> Engine:
    """The engine at `url`, with this program's versions."""
    return Engine(url, Versions(__version__), app.config.engine.lease_seconds)
