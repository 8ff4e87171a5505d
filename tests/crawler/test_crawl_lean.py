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


def test_what_guesses_encodings_is_loaded_when_it_is_asked() -> None:
    said = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", COMMAND],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    assert said.stdout.splitlines() == ["False", "utf_8", "True"]
