"""Logs as records (`log.format = "json"`): each line one, no secrets, no page."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import httpx
import pytest
from hookserver import serving_hooks
from loopback import Site
from shell import ROOT, Shell

BEFORE = "Our wombats sponsor the J-1 visa only."
AFTER = "Our wombats sponsor J-1 and H-1B visas."
SECRETS = ("hunter2", "pass phrase", "pass%20phrase", "sesame-token")


def records(text: str) -> list[dict[str, Any]]:
    """Every line as a record; fails for one that is none."""
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def shell(shell: Shell) -> Shell:
    """A watch with a secret in every place that has one, all of whose mail fails."""
    shell.options = ["-v"]
    shell.settings = {
        "log": {"format": "json"},
        "mail": {
            "smtp_url": "smtp://watch:pass%20phrase@127.0.0.1:1",
            "sender": "watch@watch.example",
            "maintainers": ["ada@inbox.example"],
        },
        "web": {"metrics_token": "sesame-token"},
        "verify": {"imap_url": "imaps://watch:pass%20phrase@mail.example"},
    }
    return shell


def test_a_cycle_in_records(shell: Shell, web: Site) -> None:
    with serving_hooks() as hook:
        hook.answers["/hook"] = ["500"] * 9
        shell.settings["crawl"] = {"allow_hosts": [hook.host]}
        shell("subscribe", f"json://watch:hunter2@{hook.host}/hook", status=0)
        shell("subscribe", "ben@inbox.example")
        shell.watch({"larkspur": web.url("/visas"), "sorrel": web.url("/gone")})
        found = []
        for said in (BEFORE, AFTER):
            web.page("/visas", f"<title>Visas \x1b[2J</title><h1>Visas</h1><p>{said}</p>")
            done = shell.process("crawl", "--allow-host", web.host)
            assert done.out == ""
            found += records(done.err)
            assert not any(secret in done.err for secret in SECRETS), done.err
            assert "wombats" not in done.err
            assert "\x1b" not in done.err
    assert all(
        list(record)[:5] == ["time", "level", "logger", "process", "message"] for record in found
    )
    summaries = [record for record in found if "cycle" in record]
    assert [(s["cycle"], s["fetched"], s["changes"]) for s in summaries] == [(1, 1, 0), (2, 1, 1)]
    assert any("127.0.0.1:1" in record["message"] for record in found)  # the mail has failed
    assert hook.asked


def test_a_fault_of_a_command_is_a_record(shell: Shell) -> None:
    shell("programs", "list")
    (record,) = records(shell.process("crawl", "--program", "nowhere", status=1).err)
    assert (record["level"], record["logger"]) == ("error", "visawatch")
    assert "nowhere" in record["message"]


def test_the_web_site_in_records(shell: Shell) -> None:
    with shell.serving("--workers", "1") as serving:
        for path in ("/unsubscribe/tok-en", "/metrics?token=sesame-token", "/programs/%0Ano"):
            headers = {"Authorization": "Bearer sesame-token"}
            httpx.get(serving.address + path, headers=headers, trust_env=False)
    said = serving.log
    messages = [record["message"] for record in records(said)]
    assert any("GET /unsubscribe/… " in message for message in messages)
    assert any("GET /metrics " in message for message in messages)
    assert "tok-en" not in said
    assert not any(secret in said for secret in SECRETS)


FAULTS = """
    import logging, warnings
    from crawler.journal import Journal, log_as
    log_as(Journal(as_json=%s, secrets=frozenset({"hunter2", "a"})))
    def read(page):
        raise ValueError(page)
    page = "wombats\\n\\x1b[2J{'level': 'info'}\\u202e hunter2 " + "x" * 5000 + "its end"
    try:
        try:
            read(page)
        except ValueError as error:
            raise RuntimeError(page) from error
    except RuntimeError:
        logging.getLogger("a").exception("no %%s", "smtps://w:hunter2@mail.example\\nroot: well")
    warnings.warn("hunter2 is old")
    read(page)
"""


def failing(*, as_json: bool) -> str:
    """What a process logs that meets faults nobody has thought of, and ends by one."""
    code = "\n".join(line[4:] for line in FAULTS.splitlines()) % as_json
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    return done.stderr


def test_a_fault_that_nobody_has_thought_of_is_one_record_and_tells_little_of_a_page() -> None:
    said = failing(as_json=True)
    fault, warning, end = records(said)
    assert fault["message"] == "no smtps://…@mail.example\nroot: well"
    assert fault["exception"].count("in read") == 1
    assert "RuntimeError: wombats" in fault["exception"]
    assert (warning["logger"], warning["level"]) == ("py.warnings", "warning")
    assert (end["level"], end["message"]) == ("critical", "ended by a fault of its own")
    assert "ValueError: wombats" in end["exception"]
    assert "hunter2" not in said
    assert "its end" not in said
    assert said.isascii()


def test_lines_for_people_tell_no_more() -> None:
    said = failing(as_json=False).partition("Traceback")[0]  # Python's own, as for every program
    assert "no smtps://…@mail.example\\nroot: well" in said
    assert "RuntimeError: wombats" in said
    assert "hunter2" not in said.partition("warnings.warn")[0].partition("UserWarning")[0]
    assert "its end" not in said
    assert "\x1b" not in said
