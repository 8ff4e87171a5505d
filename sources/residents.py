"""What residents report: which visa somebody holds there, or was refused, in which season.

A report has no words and no name. Who sent it is kept as a hash with the season's salt, so that
two reports of one person are not two; with the salt, which is forgotten a season later, goes the
last trace of them.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from extractors import Stance, Visa
from monitor.timeline import season
from sources.errors import SourceError
from store import evidence, programs
from store.database import Store
from store.evidence import Saying
from store.records import stamp

PER_DAY = 3  # reports of one person
OLDEST = 5  # seasons back

# What a report can say, and what it means.
OUTCOMES = {"held": Stance.SPONSORED, "refused": Stance.NOT_SPONSORED}


class ReportError(SourceError):
    """A report that cannot be filed, and why."""


class TooMany(ReportError):
    """This person has reported often enough today."""


@dataclass(frozen=True, slots=True)
class Report:
    """In that season a resident of the program held the visa, or was refused it for it."""

    program_id: str
    season: int
    visa: Visa
    outcome: str = "held"


def report(store: Store, made: Report, reporter: str, now: datetime) -> int | None:
    """Files a report and gives its number; None when the same person has said so before.

    `reporter` is whatever tells people apart (an address); only its hash is kept. Raises NotFound,
    and ReportError for a season or outcome that cannot be.
    """
    this = season(stamp(now))
    if not this - OLDEST <= made.season <= this:
        raise ReportError(f"the season is one of {this - OLDEST} to {this} (the year of the Match)")
    if made.outcome not in OUTCOMES:
        raise ReportError(f"a visa was {' or '.join(OUTCOMES)}, not '{made.outcome}'")
    if not reporter.strip():
        raise ReportError("who reports it? Of one person, two reports are not two")
    salt = secrets.token_bytes(16)
    with store.writing():
        programs.get(store, made.program_id)
        who = _hash(reporter, evidence.salt(store, this, salt))
        if evidence.reported_since(store, who, stamp(now - timedelta(days=1))) >= PER_DAY:
            raise TooMany(f"one person reports at most {PER_DAY} times a day; come back tomorrow")
        stance = OUTCOMES[made.outcome]
        return evidence.add(
            store,
            Saying(
                made.program_id,
                "resident",
                made.season,
                stamp(now),
                {"stances": {str(made.visa): str(stance)}, "conditions": []},
                key=f"resident:{who}:{made.program_id}:{made.season}:{made.visa}:{stance}",
                who=who,
            ),
        )


def _hash(reporter: str, salt: bytes) -> str:
    """Slow on purpose: all addresses of the Internet can be tried against a fast one."""
    plain = " ".join(reporter.split()).casefold()
    return hashlib.scrypt(plain.encode(), salt=salt, n=2**14, r=8, p=1, dklen=16).hex()
