"""A profile as an address carries it: the fields of the form on `/shortlist`, and back.

The browser's address is the only place where a profile is kept.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from shortlist.profile import Profile, Wants

WANTS = {
    Wants.J1: "a J-1",
    Wants.H1B: "an H-1B",
    Wants.EITHER: "a J-1 or an H-1B",
    Wants.EAD: "none: I have an EAD",
    Wants.PERMANENT_RESIDENT: "none: I am a permanent resident",
    Wants.CITIZEN: "none: I am a citizen",
}
STEP3 = {"no": "not planned", "planned": "planned for", "passed": "passed"}
ECFMG = {"certified": "I have it", "planned": "expected on", "no": "not planned"}
LEVELS = {"residency": "residencies", "fellowship": "fellowships", "any": "both"}
IN_US = {"": "not said", "yes": "in the United States", "no": "abroad"}
_SINGLE = ("visa", "nationality", "level", "applications", "graduated")
_FLAGS = ("us_graduate", "holds_h1b")
_LISTS = {"specialty": "specialties", "place": "places", "near": "near"}
SCORES = {"step2ck": "Step 2 CK"}  # by field
_WEIGHT = "w_"


def asked(query: QueryParams) -> bool:
    """Whether an address asks for a list, and not for an empty form."""
    return bool(query.get("visa"))


def values(query: QueryParams) -> dict[str, Any]:
    """What the form says, for `shortlist.profile.profile`; empty fields say nothing."""
    found: dict[str, Any] = {
        name: query[name] for name in (*_SINGLE, "prefers", "in_us") if query.get(name)
    }
    for name in ("step3", "ecfmg"):
        chosen, on = query.get(name, ""), query.get(f"{name}_on", "")
        if chosen:
            found[name] = on if chosen == "planned" else chosen
    if found.get("visa") != Wants.EITHER:
        found.pop("prefers", None)
    found.update({name: True for name in _FLAGS if query.get(name)})
    for name, full in _LISTS.items():
        given = [value for value in query.getlist(name) if value]
        if name == "place":
            given += [city.strip() for city in query.get("cities", "").split(";") if city.strip()]
        if given:
            found[full] = given
    if scores := {name: query[field] for field, name in SCORES.items() if query.get(field)}:
        found["scores"] = scores
    weights = {
        name.removeprefix(_WEIGHT): value
        for name, value in query.items()
        if name.startswith(_WEIGHT) and value
    }
    if weights:
        found["weights"] = weights
    return found


def described(profile: Profile) -> str:
    """A profile in a line, for paper, which has no form: `a J-1 or an H-1B; Step 3: passed`."""
    parts = [WANTS[profile.visa] + (f", rather the {profile.prefers}" if profile.prefers else "")]
    for name, words, known in (("step3", "Step 3", STEP3), ("ecfmg", "ECFMG certificate", ECFMG)):
        value = getattr(profile, name)
        said = value.isoformat() if isinstance(value, date) else known[value]
        parts.append(f"{words}: {said}")
    if profile.nationality:
        parts.append(f"from {profile.nationality}")
    if profile.in_us is not None:
        parts.append(IN_US["yes" if profile.in_us else "no"])
    if profile.graduated:
        parts.append(f"graduated in {profile.graduated}")
    parts += [f"{name}: {score}" for name, score in profile.scores.items()]
    parts += [", ".join(found) for name in _LISTS.values() if (found := getattr(profile, name))]
    return "; ".join(parts)


def address(profile: Profile) -> str:
    """The query of an address that asks for this profile's list."""
    pairs: list[tuple[str, object]] = [("visa", profile.visa)]
    if profile.prefers:
        pairs.append(("prefers", profile.prefers))
    for name in ("step3", "ecfmg"):
        value = getattr(profile, name)
        if isinstance(value, date):
            pairs += [(name, "planned"), (f"{name}_on", value.isoformat())]
        else:
            pairs.append((name, value))
    pairs += [(name, 1) for name in _FLAGS if getattr(profile, name)]
    if profile.in_us is not None:
        pairs.append(("in_us", "yes" if profile.in_us else "no"))
    for name in _SINGLE[1:]:
        if value := getattr(profile, name):
            pairs.append((name, value))
    pairs += [(field, profile.scores[n]) for field, n in SCORES.items() if n in profile.scores]
    for name, full in _LISTS.items():
        pairs += [(name, value) for value in getattr(profile, full)]
    pairs += [(_WEIGHT + name, weight) for name, weight in profile.weights.items()]
    return urlencode(pairs)
