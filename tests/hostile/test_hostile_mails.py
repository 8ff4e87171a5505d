"""Hostile mails, through `verify read`: told apart in time, and none taken at its word."""

from __future__ import annotations

import time
import tomllib
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from cases import HERE
from mailserver import MailServer
from shell import Shell
from tame import obeyed

SECONDS = 5.0  # of a core for one mail
PROGRAM = "marrow"
TODAY = ("--now", "2026-11-28T09:00:00Z")


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail and what must become of it; {asked} stands for the question that it answers."""

    name: str
    why: str
    raw: str
    becomes: str
    says: str  # among the reasons
    not_said: str


def mails() -> list[Mail]:
    data = tomllib.loads((HERE / "mails.toml").read_text("utf-8"))
    return [
        Mail(
            f"{family['name']}-{name}",
            why,
            family["mail"].replace("{}", _piece(piece)),
            family["becomes"],
            family.get("says", ""),
            family.get("not_said", ""),
        )
        for family in data["family"]
        for name, piece, why in family["cases"]
    ]


def _piece(piece: Any) -> str:
    if isinstance(piece, str):
        return piece
    text, times, end = piece
    if times == 1:
        return f"{text}{'9' * 30_000}{end}"
    return "".join(text.replace("{n}", str(number)) for number in range(times)) + str(end)


ALL = mails()


@dataclass(frozen=True)
class Read:
    """What became of each mail, and how long it took."""

    outcomes: dict[str, dict[str, Any]]
    seconds: dict[str, float]
    said: str


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    from mailserver import serving

    shell = Shell(tmp_path_factory.mktemp("mails"))
    with serving(MailServer()) as server:
        shell.settings["mail"] = {
            "smtp_url": f"smtp://127.0.0.1:{server.port}",
            "sender": "ask@visawatch.example",
        }
        listed = shell.folder / "programs.csv"
        listed.write_text(
            "program_id,institution,specialty,website_url,coordinator_email\n"
            f"{PROGRAM},Marrow Hospital,Neurology,https://marrow.example/,pat@marrow.example\n"
        )
        shell("programs", "import", str(listed))
        shell(*TODAY, "verify", "send", PROGRAM, "--yes", "--by", "ada")
        ((_, question),) = server.received
    asked = str(message_from_bytes(question)["Message-ID"])
    outcomes, seconds, said = {}, {}, ""
    for number, mail in enumerate(ALL):
        head = f"Message-ID: <{number}@x.example>\nIn-Reply-To: {asked}\nSubject: Re: visas"
        file = shell.folder / f"{mail.name}.eml"
        file.write_bytes(mail.raw.replace("{head}", head).encode())
        begun = time.process_time()
        result = shell(*TODAY, "verify", "read", str(file), "--json")
        seconds[mail.name] = time.process_time() - begun
        outcomes[mail.name] = result.json[0] if result.json else {"outcome": "nothing"}
        said += result.out + result.err
        file.unlink()
    queue = shell("verify", "queue", "--json").json
    for outcome in outcomes.values():
        waits = [q for q in queue if q["id"] == outcome.get("evidence_id")]
        outcome["waits"] = waits[0] if waits else {}
    return Read(outcomes, seconds, said + shell("verify", "queue").out)


@pytest.mark.parametrize("mail", ALL, ids=lambda mail: mail.name)
def test_a_mail_becomes_what_it_should_in_time(read: Read, mail: Mail) -> None:
    outcome = read.outcomes[mail.name]
    assert outcome["outcome"] == mail.becomes, (mail.why, outcome)
    assert read.seconds[mail.name] < SECONDS
    if mail.becomes == "refused":
        assert outcome["why"]
        assert mail.says in outcome["why"]
    if mail.becomes == "queued":
        assert outcome["waits"]["stances"].get("J-1") == "sponsored", outcome
    if mail.not_said:
        assert mail.not_said not in outcome["waits"]["quote"]
        assert outcome["waits"]["stances"].get(mail.not_said) != "sponsored"


def test_nothing_of_them_talks_to_the_terminal(read: Read) -> None:
    assert obeyed(read.said) == set()


def test_there_are_as_many_as_we_say(tmp_path: Path) -> None:
    assert len(ALL) >= 75
