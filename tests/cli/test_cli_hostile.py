"""Nothing of a page gets out of its place: on a terminal, in JSON, in a log, in a file."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path

import httpx
import pytest
from loopback import Site, Visit
from shell import Shell

from crawler.plain import CONTROLS, LineFormatter

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\u2066\x7f\x08"
SAID = f"We sponsor {ESCAPES}J-1 visas =1+1 only."
MORE = f"We sponsor {ESCAPES}J-1 and H-1B visas."


def page(said: str) -> bytes:
    """A page whose every part has what a terminal obeys."""
    plain = "<p>Our residency is at Larkspur, by the sea, where there is much else to do.</p>" * 20
    return (
        f"<meta charset=utf-8><!-- {plain} --><title>{ESCAPES}Visas</title><h1>Visas {ESCAPES}</h1>"
        f"<p>{said}</p>{plain}"
    ).encode()


def gone(visit: Visit) -> None:
    """An answer whose headers have it too."""
    raw = ESCAPES.encode()
    visit.send_raw(b"HTTP/1.1 404 %s\r\nX-%s: x\r\nETag: \x1b\r\n\r\n%s" % (raw, raw, raw))


@pytest.fixture
def shell_of_two_nights(shell: Shell, web: Site) -> Shell:
    shell.watch({"larkspur": web.url("/visas"), "sorrel": web.url("/gone")})
    web.page("/visas", page(SAID), headers={"ETag": '"\x1b[2J"'})
    web.route("/gone", gone)
    shell.crawl(web.host)
    web.page("/visas", page(MORE))
    shell.crawl(web.host)
    return shell


def obeyed(text: str) -> set[str]:
    return {char for char in text if ord(char) in CONTROLS}


def test_no_command_lets_a_page_talk_to_the_terminal(
    shell_of_two_nights: Shell, web: Site, tmp_path: Path
) -> None:
    shell = shell_of_two_nights
    (found,) = [c for c in shell.changes() if c["program_id"] == "larkspur"]
    number = str(found["id"])
    shell("subscribe", "a@b.example")
    stored = [e["snapshot"] for e in found["after"]["evidence"]]
    (tmp_path / "page.html").write_bytes(page(SAID))
    shell.options = ["-v"]
    for command in (
        ["crawl", "--allow-host", web.host],
        ["policies"],
        ["policies", "--json"],
        ["changes", "--status", "all", "--all"],
        ["changes", "--status", "all", "--all", "--json"],
        ["history", "larkspur"],
        ["history", "larkspur", "--json"],
        ["rules", "explain", str(tmp_path / "page.html")],
        ["classify", str(tmp_path / "page.html")],
        ["classify", "--json", str(tmp_path / "page.html")],
        ["sources", "show", "larkspur"],
        ["programs", "show", "larkspur"],
        ["reclassify"],
        ["review", number, "dismiss", "--by", "ada", "--note", ESCAPES],
        ["export", str(tmp_path / "out")],
        ["programs", "show", f"larkspur{ESCAPES}"],
        ["alerts", "show"],
    ):
        status = 1 if ESCAPES in command[-1] and command[0] == "programs" else 0
        said = shell(*command, status=status)
        assert obeyed(said.out + said.err) == set(), command
    assert stored
    for file in (tmp_path / "out").rglob("*"):
        if file.suffix in (".csv", ".atom"):
            assert obeyed(file.read_text().replace("\r\n", "\n")) == set(), file
        assert re.fullmatch(r"[A-Za-z0-9._-]+", file.name)


def test_json_means_what_the_page_says(shell_of_two_nights: Shell) -> None:
    """A quote is what stands on the page; JSON has an escape for each character."""
    (larkspur,) = [p for p in shell_of_two_nights.policies().values() if p["evidence"]]
    assert "J-1" in larkspur["evidence"][0]["quote"]


def test_a_line_of_a_log_stays_one() -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(LineFormatter("%(name)s: %(message)s"))
    record = logging.LogRecord("web", 20, "", 0, f"no %s{ESCAPES}", ("\nroot: all is well",), None)
    handler.emit(record)
    assert out.getvalue().startswith("web: no \\nroot: all is well")
    assert out.getvalue().count("\n") == 1
    assert obeyed(out.getvalue()) == set()


def test_a_log_has_no_token_and_nothing_of_a_profile(shell: Shell) -> None:
    shell.options = ["-v"]
    with shell.serving("--workers", "1") as serving:
        for path in ("/unsubscribe/tok-en", "/subscribe/confirm/tok-en", "/shortlist?visa=h1b"):
            httpx.get(serving.address + path, trust_env=False)
    said = serving.log
    assert said.count("GET /unsubscribe/… ") == said.count("GET /subscribe/confirm/… ") == 1
    assert "GET /shortlist " in said
    assert "tok-en" not in said
    assert "h1b" not in said
