"""The documentation names every kind of page and every limit, and the project's settings hold."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from dataclasses import fields
from pathlib import Path

from scrapy.settings import Settings

import crawler
from crawler import Health, Limits
from crawler.settings import for_limits, user_agent

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = (ROOT / "docs" / "crawling.md").read_text(encoding="utf-8")


def rows(heading: str) -> set[str]:
    """Return the first words of the rows of the table under a heading."""
    section = DOCUMENT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


def test_every_health_is_documented() -> None:
    assert rows("What became of a page") == {health.value for health in Health}


def test_every_limit_is_documented() -> None:
    assert rows("Limits") == {field.name for field in fields(Limits)}


def test_every_exported_name_is_there() -> None:
    assert all(hasattr(crawler, name) for name in crawler.__all__)


def test_the_examples_in_docstrings_hold() -> None:
    modules = [module.name for module in pkgutil.walk_packages(crawler.__path__, "crawler.")]
    results = [doctest.testmod(importlib.import_module(name)) for name in modules]
    assert sum(result.attempted for result in results) >= 10
    assert sum(result.failed for result in results) == 0


def test_settings_are_polite_without_a_plan() -> None:
    settings = Settings()
    settings.setmodule("crawler.settings")
    for name, value in for_limits(Limits()).items():
        if name != "LOG_INSTALL_ROOT_HANDLER":
            assert settings[name] == value, name
    assert not settings.getbool("COOKIES_ENABLED")
    assert settings.getbool("DOWNLOAD_VERIFY_CERTIFICATES")
    assert settings.getfloat("DOWNLOAD_DELAY_JITTER") == 0


def test_a_contact_cannot_break_the_header() -> None:
    assert user_agent("a@larkspur.example\r\nCookie: x") == (
        "VisaWatch/0.1 (+a@larkspur.exampleCookie: x)"
    )
    assert user_agent("  ") == "VisaWatch/0.1"
