"""A cycle whose mail cannot be delivered: the change is kept, and a later run tells of it."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from loopback import Site
from mailserver import MailServer
from shell import Shell

ADA, BOB = "ada@inbox.example", "bob@inbox.example"
BEFORE = "<title>Visas</title><h1>Visas</h1><p>We sponsor J-1 and H-1B visas.</p>"
AFTER = "<title>Visas</title><h1>Visas</h1><p>We sponsor J-1 visas only.</p>"


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture
def shell(shell: Shell, web: Site) -> Shell:
    """A program of which two subscribers will hear in the next cycle."""
    web.page("/visas", BEFORE)
    web.page("/quiet", AFTER)
    shell.watch({"larkspur": web.url("/visas"), "sorrel": web.url("/quiet")})
    for address in (ADA, BOB):
        shell("subscribe", address)
    shell.crawl(web.host)
    web.page("/visas", AFTER)
    return shell


def serve(shell: Shell, port: int, at: str = "2026-12-01T02:00:00Z") -> None:
    url, sender = f"smtp://127.0.0.1:{port}", "watch@visawatch.example"
    shell.settings = {"mail": {"smtp_url": url, "sender": sender}}
    shell.options = ["--now", at]


def crawl(shell: Shell, site: Site) -> tuple[dict[str, Any], str]:
    said = shell("crawl", "--json", "--allow-host", site.host)
    return said.json[0], said.err


def states(shell: Shell) -> list[tuple[str, str]]:
    return [(mail["address"], mail["state"]) for mail in shell("alerts", "show", "--json").json]


def test_a_server_that_is_down(shell: Shell, web: Site, mail: MailServer, closed_port: int) -> None:
    serve(shell, closed_port)
    summary, said = crawl(shell, web)
    assert (summary["changes"], summary["mails"]) == (1, 0)
    assert f"127.0.0.1:{closed_port}" in said
    assert shell.policies()["larkspur"]["category"] == "j1_only"
    assert states(shell) == [(ADA, "queued"), (BOB, "queued")]
    assert f"127.0.0.1:{closed_port}" in shell("alerts", "send", status=1).err

    serve(shell, mail.port)
    summary, said = crawl(shell, web)
    assert (summary["changes"], summary["mails"], said) == (0, 2, "")
    assert sorted(mail.recipients()) == [ADA, BOB]
    shell("alerts", "send")
    assert len(mail.received) == 2


def test_a_server_that_refuses_one_recipient(shell: Shell, web: Site, mail: MailServer) -> None:
    mail.rcpt[ADA] = ["550 no such user"]
    serve(shell, mail.port)
    summary, said = crawl(shell, web)
    assert (summary["changes"], summary["mails"]) == (1, 1)
    assert ADA in said
    assert "550" in said
    assert mail.recipients() == [BOB]
    assert states(shell) == [(ADA, "refused"), (BOB, "sent")]


def test_a_server_that_wants_one_mail_later(shell: Shell, web: Site, mail: MailServer) -> None:
    mail.rcpt[ADA] = ["451 come back later"]
    serve(shell, mail.port)
    _, said = crawl(shell, web)
    assert "451" in said
    assert mail.recipients() == [BOB]
    shell("alerts", "send")  # too soon
    assert mail.recipients() == [BOB]
    serve(shell, mail.port, at="2026-12-02T02:00:00Z")
    assert crawl(shell, web)[0]["mails"] == 1
    assert mail.recipients() == [BOB, ADA]
    assert set(mail.counts().values()) == {1}


def test_settings_of_no_use_stop_a_cycle_before_it_begins(shell: Shell, web: Site) -> None:
    asked = len(web.visits)
    shell.settings = {"mail": {"smtp_url": "smtp://127.0.0.1:25", "sender": ""}}
    assert "mail.sender is empty" in shell("crawl", "--allow-host", web.host, status=1).err
    assert len(web.visits) == asked


def test_a_mail_folder_that_cannot_be_made(shell: Shell, web: Site) -> None:
    (shell.folder / "mail").write_text("not a folder")
    summary, said = crawl(shell, web)
    assert (summary["changes"], summary["mails"]) == (1, 0)
    assert "mail" in said
    (shell.folder / "mail").unlink()
    assert crawl(shell, web)[0]["mails"] == 2
    assert len(list((shell.folder / "mail" / "new").iterdir())) == 2
