"""The commands, as people and scripts call them."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from alerts_bench import NOW, SENDER, Bench
from click.testing import CliRunner, Result
from mailserver import MailServer

from store.records import stamp
from visawatch.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(bench: Bench, tmp_path: Path) -> Run:
    """Runs `visawatch` on the bench's database, with mail into a folder."""

    def runs(*arguments: str, at: str = stamp(NOW), env: dict[str, str] | None = None) -> Result:
        return CliRunner().invoke(
            main,
            ["--db", str(bench.store.path), "--now", at, *arguments],
            env={"VISAWATCH_MAIL__MAILDIR": str(tmp_path / "mail"), **(env or {})},
        )

    return runs


def test_from_subscription_to_mail(run: Run, bench: Bench, tmp_path: Path) -> None:
    early = stamp(NOW - timedelta(hours=1))
    made = run("subscribe", "ana@a.example", "--visa", "h-1b", "--state", "wa", at=early)
    assert made.exit_code == 0, made.output
    assert "critical and major changes about H-1B in state WA, as soon as they" in made.stdout
    bench.flag()
    sent = run("alerts", "send")
    assert (sent.exit_code, sent.stderr) == (0, "")
    assert (
        sent.stdout
        == f"1 composed, 1 sent into the folder {tmp_path / 'mail'}, 0 postponed, 0 refused\n"
    )
    assert len(list((tmp_path / "mail" / "new").iterdir())) == 1
    listing = run("alerts", "show")
    assert "ana@a.example" in listing.stdout
    shown = run("alerts", "show", "1")
    assert "Subject: VisaWatch: Harborview Medical, Internal Medicine no longer" in shown.stdout
    assert "We do not sponsor" not in shown.stdout
    assert "we do not sponsor H-1B." in shown.stdout
    (line,) = run("alerts", "show", "--json").stdout.splitlines()
    mail = json.loads(line)
    assert (mail["address"], mail["state"], mail["sent_at"]) == (
        "ana@a.example",
        "sent",
        stamp(NOW),
    )
    assert "we do not sponsor H-1B." in mail["text"]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("subscribe", "ana"), 2, "'ana' is not an e-mail address"),
        (("subscribe", "a@b.example", "--program", "nope"), 1, "no program 'nope'"),
        (("subscribe", "a@b.example", "--visa", "B-2"), 2, "B-2"),
        (("subscribe", "a@b.example", "--state", "Washington"), 2, "'Washington' is not a state"),
        (("subscribe", "a@b.example", "--severity", "some"), 2, "some"),
        (("subscribe", "a@b.example", "--frequency", "hourly"), 2, "hourly"),
        (("unsubscribe", "a@b.example"), 1, "no subscription of 'a@b.example'"),
        (("unsubscribe", "nonsense"), 1, "no subscription of 'nonsense'"),
        (("alerts", "show", "7"), 1, "no mail 7"),
    ],
)
def test_faults_are_named(run: Run, arguments: tuple[str, ...], status: int, says: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (status, "")
    assert says in result.stderr


def test_a_subscription_that_can_match_nothing_is_noted(run: Run) -> None:
    result = run("subscribe", "a@b.example", "--institution", "Harbourview", "--severity", "minor")
    assert result.exit_code == 0
    assert "no watched program passes these filters" in result.stderr
    assert "minor changes are mailed in digests only" in result.stderr


def test_unsubscribing_by_address_by_number_and_by_token(run: Run) -> None:
    for visa in ("J-1", "H-1B", "O-1"):
        assert run("subscribe", "ana@a.example", "--visa", visa).exit_code == 0
    lines = run("subscriptions", "--json").stdout.splitlines()
    first, second, _ = map(json.loads, lines)
    assert (first["visa"], first["frequency"], first["severity"]) == ("J-1", "at_once", "major")
    by_token = run("unsubscribe", first["token"])
    assert "ana@a.example is no longer told of" in by_token.stdout
    again = run("unsubscribe", first["token"])
    assert (again.exit_code, again.stdout) == (0, "That had ended before.\n")
    assert "about H-1B" in run("unsubscribe", "Ana@a.example", "--id", str(second["id"])).stdout
    assert "about O-1" in run("unsubscribe", "ana@a.example").stdout
    assert run("subscriptions", "--json").stdout == ""
    assert "No subscriptions" in run("subscriptions").stdout


def test_subscriptions_are_listed_for_people(run: Run) -> None:
    run("subscribe", "ana@a.example", "--frequency", "weekly")
    assert "ana@a.example" in run("subscriptions").stdout
    assert "once a week" in " ".join(run("subscriptions").stdout.split())


def test_a_refused_mail_fails_the_command_and_is_named(
    run: Run, bench: Bench, server: MailServer
) -> None:
    server.rcpt["bo@b.example"] = ["550 no such user"]
    bench.subscribe("ana@a.example")
    bench.subscribe("bo@b.example")
    bench.flag()
    env = {
        "VISAWATCH_MAIL__SMTP_URL": f"smtp://127.0.0.1:{server.port}",
        "VISAWATCH_MAIL__SENDER": SENDER,
    }
    result = run("alerts", "send", "--json", env=env)
    assert result.exit_code == 1
    summary = json.loads(result.stdout)
    assert (summary["composed"], summary["sent"], summary["refused"]) == (2, 1, 1)
    assert "refuses bo@b.example: 550 no such user" in result.stderr
    assert "refused:" in run("alerts", "show").stdout
    assert run("alerts", "send", env=env).exit_code == 0


def test_a_day_without_a_server(run: Run, bench: Bench, server: MailServer) -> None:
    """Each hour is tried; a change and a subscriber come in between; each hears of each once."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        down = {
            "VISAWATCH_MAIL__SMTP_URL": f"smtp://127.0.0.1:{taken.getsockname()[1]}",
            "VISAWATCH_MAIL__SENDER": SENDER,
        }
        bench.subscribe("ana@a.example")
        bench.subscribe("cy@c.example", frequency="daily")
        bench.flag()
        for hour in range(24):
            result = run("alerts", "send", at=stamp(NOW + timedelta(hours=hour)), env=down)
            assert (result.exit_code, result.stdout.split(",")[1]) == (1, " 0 sent")
            assert "cannot be reached" in result.stderr
            if hour == 12:
                bench.subscribe("bo@b.example", at=NOW + timedelta(hours=12))
                bench.flag("lakeside-fm", at=NOW + timedelta(hours=13))
    up = {**down, "VISAWATCH_MAIL__SMTP_URL": f"smtp://127.0.0.1:{server.port}"}
    server.rcpt["bo@b.example"] = ["450 first time"]
    for hour in (25, 26, 27):
        run("alerts", "send", at=stamp(NOW + timedelta(hours=hour)), env=up)
    assert set(server.counts().values()) == {1}
    told = [(to, parsed_id(raw)) for to, raw in server.received]
    assert sorted(told) == [
        ("ana@a.example", ["harborview-im"]),
        ("ana@a.example", ["lakeside-fm"]),
        ("bo@b.example", ["lakeside-fm"]),
        ("cy@c.example", ["harborview-im", "lakeside-fm"]),
    ]


def parsed_id(raw: bytes) -> list[str]:
    """The programs that a mail tells of."""
    part = message_from_bytes(raw, policy=default).get_body(("plain",))
    assert isinstance(part, EmailMessage)
    return sorted(set(re.findall(r"\[([a-z]+-[a-z]+)\]", part.get_content())))


def test_what_is_unconfirmed_is_told_and_sent_once_more_when_asked_for(
    run: Run, bench: Bench, server: MailServer
) -> None:
    server.data["ana@a.example"] = ["drop taken"] * 2
    env = {
        "VISAWATCH_MAIL__SMTP_URL": f"smtp://127.0.0.1:{server.port}",
        "VISAWATCH_MAIL__SENDER": SENDER,
    }
    bench.subscribe("ana@a.example")
    bench.flag()
    assert run("alerts", "send", env=env).exit_code == 1
    later = stamp(NOW + timedelta(minutes=2))
    result = run("alerts", "send", at=later, env=env)
    assert result.exit_code == 1
    assert "1 unconfirmed" in result.stdout
    assert "handed over twice" in result.stderr
    assert "unconfirmed:" in run("alerts", "show").stdout
    assert run("alerts", "send", at=later, env=env).exit_code == 0
    assert len(server.received) == 2
    result = run("alerts", "send", "--unconfirmed", at=later, env=env)
    assert (result.exit_code, result.stdout.partition(",")[2]) == (
        0,
        " 1 sent, 0 postponed, 0 refused\n",
    )
    assert set(server.counts().values()) == {3}


def test_settings_of_no_use_compose_nothing(run: Run, bench: Bench) -> None:
    bench.subscribe("ana@a.example")
    bench.flag()
    result = run("alerts", "send", env={"VISAWATCH_MAIL__SMTP_URL": "smtps://mail.example"})
    assert result.exit_code == 1
    assert "mail.sender is empty" in result.stderr
    assert bench.mails() == []
