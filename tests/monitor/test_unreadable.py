"""A page that finds a fault in how we read is one page that cannot be read, and no more."""

from __future__ import annotations

import logging

import pytest
from loopback import Site
from shell import Shell

from extractors import Known, Statement, read_page
from monitor import reads as reading

GOOD = "<title>Visas</title><h1>Visas</h1><p>We sponsor J-1 visas only.</p>"


def test_a_fault_in_reading_one_page_ends_no_night(
    shell: Shell, web: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def reads(body: bytes, content_type: str, known: Known | None) -> tuple[Statement, ...]:
        if b"fault" in body:
            raise IndexError("planted")
        return read_page(body, content_type, known)

    monkeypatch.setattr(reading, "read_page", reads)
    web.page("/larkspur", GOOD)
    web.page("/sorrel", GOOD)
    shell.watch({name: web.url(f"/{name}") for name in ("larkspur", "sorrel")})
    assert shell.crawl(web.host)["fetched"] == 2
    web.page("/larkspur", GOOD.replace("J-1", "fault: H-1B"))
    web.page("/sorrel", GOOD.replace("J-1", "H-1B"))
    with caplog.at_level(logging.ERROR, "monitor.reads"):
        summary = shell.crawl(web.host)
    assert (summary["fetched"], summary["failed"], summary["changes"]) == (1, 1, 1)
    policies = shell.policies()
    assert (policies["larkspur"]["category"], policies["larkspur"]["health"]) == (
        "j1_only",
        "unreachable",
    )
    assert policies["sorrel"]["category"] == "h1b_only"
    assert "planted" in caplog.text
    (shown,) = shell("programs", "show", "larkspur", "--json").json
    assert "reading it failed" in shown["detail"]
