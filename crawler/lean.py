"""Scrapy, loaded without what no crawl uses.

Its responses can guess the encoding of a text that names none, by charset_normalizer, which takes
3 MB. Pages are read by extractors.decode and nothing here asks a response for its text, so that
it is loaded when somebody does.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_GUESSER = "charset_normalizer"


def load_scrapy() -> None:
    """Load what a crawl needs of it, as the first of a process."""
    if _GUESSER in sys.modules:
        import_module("scrapy.crawler")
        return
    later = ModuleType(_GUESSER)
    later.from_bytes = _from_bytes  # type: ignore[attr-defined]
    sys.modules[_GUESSER] = later
    try:
        import_module("scrapy.crawler")
    finally:
        del sys.modules[_GUESSER]


def _from_bytes(text: bytes, *options: Any, **named: Any) -> Any:
    return import_module(_GUESSER).from_bytes(text, *options, **named)
