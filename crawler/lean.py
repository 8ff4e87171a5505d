"""Scrapy, loaded without what no crawl uses.

Its responses can guess the encoding of a text that names none, by charset_normalizer, which takes
3 MB. Pages are read by extractors.decode and nothing here asks a response for its text, so that
it is loaded when somebody does.

For each class that it knows by an old name, too, it looks for the module that is being loaded in
the source of all files that are: a tenth of a second, for a name that only a warning would show.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

_GUESSER = "charset_normalizer"
_USED = ("scrapy.crawler", "scrapy.core.downloader.handlers.http11")


def load_scrapy() -> None:
    """Load what a crawl needs of it, as the first of a process."""
    with _guessing_later(), _old_names_unplaced():
        for name in _USED:
            import_module(name)


@contextmanager
def _guessing_later() -> Iterator[None]:
    if _GUESSER in sys.modules:
        yield
        return
    later = ModuleType(_GUESSER)
    later.from_bytes = _from_bytes  # type: ignore[attr-defined]
    sys.modules[_GUESSER] = later
    try:
        yield
    finally:
        del sys.modules[_GUESSER]


def _from_bytes(text: bytes, *options: Any, **named: Any) -> Any:
    return import_module(_GUESSER).from_bytes(text, *options, **named)


@contextmanager
def _old_names_unplaced() -> Iterator[None]:
    deprecate: Any = import_module("scrapy.utils.deprecate")
    inspect = deprecate.inspect
    deprecate.inspect = SimpleNamespace(
        **{**vars(inspect), "stack": lambda: [(None,)] * 2, "getmodule": lambda frame: None}
    )
    try:
        yield
    finally:
        deprecate.inspect = inspect
