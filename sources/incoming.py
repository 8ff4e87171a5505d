"""Mails that came in to what waits for a maintainer: threaded, told apart, read, queued."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from monitor.reading import asker_of
from monitor.timeline import season
from sources import letters
from sources.errors import LetterError
from sources.letters import LARGEST, Kind, Letter
from sources.mailbox import Found
from sources.replies import Understood, understand
from store import evidence, programs, questions
from store.database import Store
from store.evidence import Saying
from store.questions import Mail, Question
from store.records import stamp

WHO = "program coordinator"  # who answers, as it is shown: never a name or an address


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one mail. `outcome` is queued, auto_reply, bounce, unasked or refused."""

    place: str
    outcome: str
    program_id: str = ""
    evidence_id: int | None = None
    why: str = ""


def take(store: Store, found: Iterable[Found], now: datetime) -> list[Outcome]:
    """Reads mails, each once, and queues answers to our questions for a maintainer.

    No answer counts before somebody has read it. What is unreadable or comes from somebody else
    than was asked is told with the reason; what is not for us is left alone.
    """
    outcomes = []
    for one in found:
        with store.writing():
            outcome = _take(store, one, now)
        if outcome is not None:
            outcomes.append(outcome)
    return outcomes


def _take(store: Store, found: Found, now: datetime) -> Outcome | None:
    """What becomes of a mail; None for one that was read before."""
    if found.size > LARGEST:
        why = f"larger than {LARGEST:,} bytes ({found.size:,}); read it yourself"
        return Outcome(found.place, "refused", why=why)
    message_id = letters.identity(found.raw)
    if questions.known(store, [message_id]):
        return None
    try:
        letter = letters.read(found.raw, now)
    except LetterError as error:
        mail = Mail(message_id, "unreadable", "", stamp(now), stamp(now), problem=str(error))
        questions.note(store, mail)
        return Outcome(found.place, "refused", why=str(error))
    question = questions.of_mail(store, letter.answers)
    outcome = _made_of(store, letter, question, found.place, now)
    sent = Mail(
        message_id,
        str(letter.kind),
        letter.sender if question else "",  # of others' mail nothing is kept
        stamp(letter.received_at),
        stamp(now),
        question.id if question else None,
        outcome.why,
    )
    questions.note(store, sent)
    return outcome


def _made_of(
    store: Store, letter: Letter, question: Question | None, place: str, now: datetime
) -> Outcome:
    if question is None:
        return Outcome(place, "unasked", why="answers no question of ours")
    program_id = question.program_id
    if letter.kind is not Kind.ANSWER:
        return Outcome(place, str(letter.kind), program_id, why=letter.why)
    if _domain(letter.sender) != _domain(question.address):
        why = f"comes from {letter.sender}; {question.address} was asked"
        return Outcome(place, "refused", program_id, why=why)
    # Many speak of residents and fellows in one sentence.
    asker = asker_of(programs.ever(store, program_id)[0])
    read = understand(letter.text, asker)
    number = evidence.add(store, _saying(letter, question, read))
    return Outcome(place, "queued", program_id, number)


def _saying(letter: Letter, question: Question, read: Understood) -> Saying:
    at = stamp(letter.received_at)
    said = read.policy.to_json()
    digest = hashlib.sha256(letter.message_id.encode()).hexdigest()[:32]
    other = letter.sender != question.address
    return Saying(
        question.program_id,
        "coordinator",
        season(at),
        at,
        {"stances": said["stances"], "conditions": said["conditions"]},
        key=f"coordinator:{digest}",
        who=WHO,
        quote=read.quote or _shortened(letter.text),
        confidence=read.policy.confidence,
        doubtful=read.doubtful or other,
        note="from another address of the same domain" if other else "",
    )


def _shortened(text: str, most: int = 400) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _domain(sender: str) -> str:
    return sender.rpartition("@")[2].lower()
