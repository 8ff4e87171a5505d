"""The licence of each package that is installed is known, allowed, and listed."""

from __future__ import annotations

import sys

import pytest

from benchmarks.controls import ROOT

sys.path.append(str(ROOT / "docs"))
import licences


def test_the_list_is_as_it_is_made() -> None:
    """`make licences` makes it."""
    assert licences.WRITTEN.read_text("utf-8") == licences.text()


def test_a_licence_that_is_not_allowed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(licences.KNOWN["packages"], "rich", "AGPL-3.0-only")
    with pytest.raises(licences.LicenceError, match=r"rich: 'AGPL-3.0-only' is not allowed"):
        licences.text()
    with pytest.raises(licences.LicenceError, match="no licence"):
        licences.licence("a-package-that-is-not-there")
