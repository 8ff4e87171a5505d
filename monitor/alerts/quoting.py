"""The sentences that a mail quotes: of pages, and of those who stand on no page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from extractors.values import Stance
from monitor import diff
from monitor.alerts.message import link, one_line, readable

_SPEAKERS = {  # of evidence that stands on no page
    "maintainer": "a maintainer's finding",
    "coordinator": "the program's coordinator",
    "freida": "FREIDA",
    "resident": "residents",
}
_CHANNEL = "channel:"  # of a rule that names one, see sources.fuse


@dataclass(frozen=True, slots=True)
class Quote:
    """A page's own words, and where and when they stood there; `link` only if it is http(s).

    What stands on no page has in `url` who says it.
    """

    text: str
    url: str
    link: str
    seen: str


def quotes(policy: dict[str, Any], visas: tuple[str, ...]) -> tuple[Quote, ...]:
    """What the policy's pages, and others, say of these visas, each sentence once."""
    found = {
        (e["quote"] or _in_short(e), e.get("url"), _speaker(e)): _quote(e, policy)
        for e in policy.get("evidence", ())
        if e["visa"] in visas
    }
    return tuple(found.values())


def _quote(evidence: dict[str, Any], policy: dict[str, Any]) -> Quote:
    speaker, url = _speaker(evidence), evidence.get("url")
    at = moment(evidence.get("fetched_at") or "")
    seen = f"seen {at}" if at and not speaker else at
    against = "it says otherwise" if _otherwise(evidence, policy) else ""
    return Quote(
        readable(evidence["quote"] or _in_short(evidence)),
        speaker or one_line(url or "", 2000),
        "" if speaker else link(url),
        "; ".join(filter(None, (seen, against))),
    )


def beside(policy: dict[str, Any]) -> bool:
    """Whether others than pages have part in a policy."""
    return any(_speaker(e) for e in policy.get("evidence", ()))


def _speaker(evidence: dict[str, Any]) -> str:
    """Who says it, when it stands on no page."""
    rule = next(iter(evidence.get("rules", ())), "")
    return _SPEAKERS.get(rule.removeprefix(_CHANNEL), "") if rule.startswith(_CHANNEL) else ""


def _otherwise(evidence: dict[str, Any], policy: dict[str, Any]) -> bool:
    """Whether it says something else than what all sources come to."""
    said, stands = Stance(evidence["stance"]), diff.stance(policy, evidence["visa"])
    both_offer = {said, stands} <= {Stance.SPONSORED, Stance.CONDITIONAL}
    return stands is not Stance.CONFLICTING and said is not stands and not both_offer


def _in_short(evidence: dict[str, Any]) -> str:
    """`H-1B: not sponsored`, for evidence without words of its own."""
    return f"{diff.visa_words(evidence['visa'])}: {diff.STANCE_WORDS[Stance(evidence['stance'])]}"


def moment(iso: str) -> str:
    """`2026-11-25T02:00:00Z` as `2026-11-25 02:00 UTC`; anything else as it is, in one line."""
    day, _, time = iso.partition("T")
    return f"{day} {time[:5]} UTC" if time.endswith("Z") else one_line(iso)
