"""What the process that crawls has in memory."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = """
import sys
from crawler.lean import load_scrapy
load_scrapy()
print("charset_normalizer" in sys.modules)
from scrapy.http.response import text
print(text.from_bytes("Visas: señor, naïve, café".encode()).best().encoding)
print("charset_normalizer" in sys.modules)
"""
WITH_OLD_NAMES = """
import inspect
def no_stack(*given):
    raise AssertionError("the source of all that is loaded was read")
inspect.stack = no_stack
from crawler.lean import load_scrapy
load_scrapy()
from scrapy.core.downloader import contextfactory
from scrapy.utils import deprecate
print(contextfactory.ScrapyClientContextFactory.__mro__[1].__name__)
print(deprecate.inspect is inspect)
"""


def test_what_guesses_encodings_is_loaded_when_it_is_asked() -> None:
    assert said_by(COMMAND) == ["False", "utf_8", "True"]


def test_old_names_are_known_without_a_look_at_the_stack() -> None:
    assert said_by(WITH_OLD_NAMES) == ["_ScrapyClientContextFactory", "True"]


def said_by(command: str) -> list[str]:
    """The lines of a new process."""
    said = subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "error", "-c", command],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return said.stdout.splitlines()
