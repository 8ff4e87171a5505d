"""Names as they are searched: without accents and case, each word after a space."""

from __future__ import annotations

import re
import unicodedata

from store.states import NAMES


def folded(text: str) -> list[str]:
    """The words of a text, as they are compared.

    >>> folded("Hôpital Saint-Luc, OB/GYN")
    ['hopital', 'saint', 'luc', 'ob', 'gyn']
    """
    plain = unicodedata.normalize("NFKD", text.casefold())
    return re.findall(r"\w+", "".join(c for c in plain if not unicodedata.combining(c)))


def searchable(
    institution: str, specialty: str, level: str, city: str | None, state: str | None
) -> str:
    """All words of a program, each after a space, so that a word's beginning is found in it.

    >>> searchable("Fernway Hospital", "Medicine", "residency", "Salem", "MA")
    ' fernway hospital medicine residency salem ma massachusetts'
    """
    names = (institution, specialty, level, city or "", state or "", NAMES.get(state or "", ""))
    return "".join(f" {word}" for name in names for word in folded(name))


def sortable(institution: str, specialty: str) -> str:
    """What programs are sorted by: names without case and accents, each specialty in its hospital.

    >>> sortable("Élm Hospital", "Surgery") < sortable("Elm Hospital (North)", "Anesthesiology")
    True
    """
    return "\t".join(" ".join(folded(name)) for name in (institution, specialty))
