"""The labelled mails of coordinators (tests/data/coordinator_mails.toml), and how each is read."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from extractors import Asker, Visa
from sources.letters import Kind, read
from sources.replies import Understood, understand

MAILS = Path(__file__).parent.parent / "tests" / "data" / "coordinator_mails.toml"
ASKER = Asker("residency", "Neurology", "Marrow Bay Medical Center")
READ_AT = datetime(2026, 11, 28, 9, tzinfo=UTC)


@dataclass(frozen=True)
class Answered:
    """A mail, and what an expert reads in it."""

    mail: bytes
    says: dict[Visa, str]
    whole: bool  # whether it says something of both visas

    @property
    def understood(self) -> Understood:
        """What is read in it, from the bytes on."""
        letter = read(self.mail, READ_AT)
        assert letter.kind is Kind.ANSWER, letter
        return understand(letter.text, ASKER)

    @property
    def right(self) -> bool:
        """Whether that is what it says of the J-1 and the H-1B."""
        policy = self.understood.policy
        return {visa: str(policy.stance(visa)) for visa in self.says} == self.says


def mails() -> list[Answered]:
    """All labelled mails."""
    found = []
    for entry in tomllib.loads(MAILS.read_text("utf-8"))["mail"]:
        mail = EmailMessage()
        mail["From"] = "Pat Rivers <pat@marrow.example>"
        mail["Message-ID"] = "<1@marrow.example>"
        if "html" in entry:
            mail.set_content(entry["html"], subtype="html")
        else:
            mail.set_content(entry["text"])
        says = {Visa.J1: entry.get("j1", "unstated"), Visa.H1B: entry.get("h1b", "unstated")}
        found.append(Answered(mail.as_bytes(), says, whole="j1" in entry and "h1b" in entry))
    return found
