"""`make sbom`: a document in which every package of the lock file is, as it is installed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.controls import ROOT

sys.path.append(str(ROOT / "docs"))
import licences

NEEDED = "SBOM_NEEDED"
INSTALLED = (".venv/installed", ".venv-sbom/installed")


def plain(name: str) -> str:
    """A package's name, however it is written (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_it_has_every_package_that_is_installed() -> None:
    """CycloneDX's own tool makes it, and checks it by their schema; here nothing is downloaded."""
    if not (ROOT / ".venv-sbom/bin/cyclonedx-py").exists():
        words = "no CycloneDX here (make .venv-sbom/installed)"
        if os.environ.get(NEEDED):
            pytest.fail(f"{words}, and {NEEDED} is set")
        pytest.skip(words)
    as_it_is = [option for name in INSTALLED for option in ("--old-file", name)]
    here = f"BIN={Path(sys.executable).parent}"
    subprocess.run(["make", *as_it_is, here, "sbom"], cwd=ROOT, check=True, timeout=120)
    text = (ROOT / "build/sbom.json").read_text("utf-8")
    told = json.loads(text)
    assert (told["bomFormat"], told["metadata"]["component"]["name"]) == ("CycloneDX", "visawatch")
    found = {(plain(one["name"]), one["version"]) for one in told["components"]}
    assert found >= {(plain(name), version) for name, version, _ in licences.rows()}
    assert str(ROOT) not in text
