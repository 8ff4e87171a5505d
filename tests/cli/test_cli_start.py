"""What a command loads before it does anything: whoever types it waits for that."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What only some pages need, and what sqlite-utils would take along.
LATER = ("bs4", "numpy", "onnxruntime", "pandas", "pydantic", "scrapy", "twisted")
COMMAND = """
import sys
import visawatch.config, visawatch.cycling
print(*sorted(set(sys.modules) & set(sys.argv[1:])))
import numpy
print(numpy.array([1, 2]).sum())
"""


def test_a_cycle_begins_without_what_few_pages_need() -> None:
    said = subprocess.run(
        [sys.executable, "-c", COMMAND, *LATER],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded, later = said.stdout.splitlines()
    assert loaded == ""
    assert later == "3"  # who wants numpy gets it
