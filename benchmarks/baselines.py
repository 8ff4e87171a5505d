"""What VisaWatch is measured against: simpler ways to read the same passages.

Only the standard library is imported here, so that `benchmarks.spacy_rules` can share the word
lists inside its own environment (requirements-quality.lock). Every reader takes texts, a block
to a line, and gives an `Answer` for each.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


SPELLINGS = {
    "J-1": re.compile(r"\bJ ?[-–‑]? ?[1lI]\b", re.IGNORECASE),
    "H-1B": re.compile(r"\bH ?[-–‑]? ?1 ?[-–‑]? ?B\b", re.IGNORECASE),
}
ANY_VISA = re.compile(r"\bvisas?\b", re.IGNORECASE)
OFFERS = _words(
    "sponsor sponsors sponsored sponsoring sponsorship accept accepts accepted accepting support "
    "supports supported offer offers offered provide provides provided consider considers "
    "considered process processes processed available eligible permitted possible welcome yes"
)
NEGATIONS = _words(
    "not no cannot never neither nor unable without n't dont doesnt can't don't doesn't won't "
    "isn't aren't ineligible discontinued suspended declines"
)
TURNS = ("but", "however", "although", "whereas", "while", "except", ";", ":")
AT_DISCRETION = (
    "case_by_case",
    "exceptional_only",
    "transfer_only",
    "us_graduates_only",
    "gme_approval",
)
CONDITIONS = {
    "case_by_case": r"case[- ]by[- ]case|individual(?:ly)? basis|may be considered",
    "exceptional_only": r"\bexceptional|\brare(?:ly)?\b|extraordinary",
    "transfer_only": r"\btransfer",
    "us_graduates_only": r"(?:graduates? of|from) (?:a )?(?:U\.?S\.?|American)[^.]{0,20} schools?",
    "gme_approval": r"approv(?:al|ed)[^.]{0,30}(?:GME|DIO|dean|committee|office)",
    "step3_passed": r"\bstep (?:3|III|three)\b",
    "ecfmg_certified": r"ECFMG[- ]certifi|certifi[a-z]+ (?:by|from) (?:the )?ECFMG",
    "applicant_pays": r"(?:fees?|costs?)[^.]{0,40}(?:applicant|resident|trainee|own)",
    "preferred_other": r"\bprefer",
    "paused": r"\bpaus|\bsuspend|on hold",
}
_CONDITIONS = {kind: re.compile(p, re.IGNORECASE) for kind, p in CONDITIONS.items()}
_SENTENCE = re.compile(r"[^.?!\n]+[.?!]*")
_NEGATION = re.compile(
    rf"\b(?:{'|'.join(sorted(map(re.escape, NEGATIONS)))})\b|n't\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a reader makes of one passage; the last three only our own rules can tell."""

    stances: dict[str, str]
    conditions: frozenset[tuple[str, str]]  # (visa, kind)
    confidence: float | None = None
    needs_review: bool | None = None
    quotes: tuple[bool, ...] = ()  # of each quote, whether it equals the page at its span


def keyword_search(text: str) -> Answer:
    """A visa that is named is sponsored; with a "not" in its sentence it is not.

    >>> keyword_search("We take J-1. We do not take H-1B.").stances
    {'J-1': 'sponsored', 'H-1B': 'not_sponsored'}
    """
    return answer(
        (sentence, visa, "not_sponsored" if _NEGATION.search(sentence) else "sponsored")
        for sentence in _SENTENCE.findall(text)
        for visa in visas_in(sentence)
    )


def visas_in(sentence: str) -> list[str]:
    """The visas that a sentence names; both where it says "visa" and no more."""
    named = [visa for visa, spelling in SPELLINGS.items() if spelling.search(sentence)]
    return named or (list(SPELLINGS) if ANY_VISA.search(sentence) else [])


def answer(found: Any) -> Answer:
    """(sentence, visa, stance) of each find, put together: a refusal outweighs an offer."""
    stances: dict[str, str] = {}
    conditions: set[tuple[str, str]] = set()
    for sentence, visa, stance in found:
        if stances.get(visa) != "not_sponsored":
            stances[visa] = stance
        conditions |= {(visa, kind) for kind, cue in _CONDITIONS.items() if cue.search(sentence)}
    for visa, kind in conditions:
        if kind in AT_DISCRETION and stances[visa] == "sponsored":
            stances[visa] = "conditional"
    kept = {(v, k) for v, k in conditions if stances[v] != "not_sponsored" or k == "paused"}
    return Answer(stances, frozenset(kept))


def in_environment(python: Path, reader: str, texts: Sequence[str]) -> list[Answer] | None:
    """The answers of a reader of `benchmarks.spacy_rules`; None where it is not installed."""
    if not python.exists():
        return None
    done = _run([str(python), "-m", "benchmarks.spacy_rules", reader], list(texts), ROOT)
    return None if done is None else [from_json(row) for row in done]


def last_release() -> str | None:
    """The tag of the last release before this commit, `v1.2.3`; None when there is none."""
    command = ["git", "describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def of_release(tag: str, pages: Sequence[dict[str, str]]) -> list[Answer]:
    """What the rules at a git tag read in pages (`body`, `content_type`, `level`, `specialty`)."""
    packed = subprocess.run(
        ["git", "archive", "--format=tar", tag, "extractors"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    with tempfile.TemporaryDirectory() as name:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(name, filter="data")
        script = Path(name) / "read_pages.py"
        script.write_bytes((Path(__file__).parent / "read_pages.py").read_bytes())
        done = _run([sys.executable, str(script)], list(pages), Path(name))
    if done is None:
        raise RuntimeError(f"the rules of {tag} do not run")
    return [from_json(row) for row in done]


def from_json(row: dict[str, Any]) -> Answer:
    """An answer that another process printed."""
    return Answer(
        row["stances"],
        frozenset((visa, kind) for visa, kind in row["conditions"]),
        row.get("confidence"),
        row.get("needs_review"),
        tuple(row.get("quotes", ())),
    )


def _run(command: list[str], given: list[Any], folder: Path) -> list[dict[str, Any]] | None:
    """JSON in, JSON out; None when the program says that what it needs is missing (status 3)."""
    done = subprocess.run(
        command, input=json.dumps(given), cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode == 3:
        return None
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows
