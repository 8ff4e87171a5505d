"""The search form's fields, as an address carries them."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

from extractors.conditions import ConditionKind
from extractors.values import Category, Visa
from monitor.diff import CATEGORY_WORDS, CONDITION_WORDS
from store.search import Wish

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)]

Empty = BeforeValidator(lambda value: value or None)  # a form sends what was not chosen, too


def _one_of(kind: type[StrEnum]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": ["", *kind]})


VISAS = tuple(v for v in Visa if v not in (Visa.PERMANENT_RESIDENT, Visa.CITIZEN))


class Checked(StrEnum):
    """When a program's pages must have been seen last."""

    ANY = ""
    WEEK = "week"
    MONTH = "month"
    OLDER = "older"


class Sort(StrEnum):
    """In which order programs are shown; the names of store.search.SORTS."""

    NAME = "name"
    SPECIALTY = "specialty"
    STATE = "state"
    CHANGED = "changed"
    CHECKED = "checked"
    UNCHECKED = "unchecked"


CHECKED_WORDS = {
    Checked.ANY: "at any time",
    Checked.WEEK: "in the last 7 days",
    Checked.MONTH: "in the last 30 days",
    Checked.OLDER: "longer ago than 30 days, or never",
}
SORT_WORDS = {
    Sort.NAME: "institution",
    Sort.SPECIALTY: "specialty",
    Sort.STATE: "state",
    Sort.CHANGED: "latest policy first",
    Sort.CHECKED: "latest checked first",
    Sort.UNCHECKED: "longest unchecked first",
}


class Filters(BaseModel):
    """Which programs somebody asks for; an empty field asks for nothing."""

    model_config = ConfigDict(frozen=True)

    q: Words = ""
    state: Words = ""
    city: Words = ""
    specialty: Words = ""
    institution: Words = ""
    level: Words = ""
    visa: Annotated[Visa | None, Empty, _one_of(Visa)] = None
    category: Annotated[Category | None, Empty, _one_of(Category)] = None
    condition: Annotated[ConditionKind | None, Empty, _one_of(ConditionKind)] = None
    checked: Checked = Checked.ANY
    sure: bool = False
    sort: Sort = Sort.NAME

    def wish(self, now: datetime, *, institution_id: int | None = None) -> Wish:
        """As the store looks for it."""
        month = now - timedelta(days=30)
        return Wish(
            text=self.q,
            state=self.state.upper(),
            city=self.city,
            specialty=self.specialty,
            institution=self.institution,
            institution_id=institution_id,
            level=self.level,
            visa=self.visa or "",
            category=self.category or "",
            condition=self.condition or "",
            without_doubt=self.sure,
            checked_since={
                Checked.WEEK: now - timedelta(days=7),
                Checked.MONTH: month,
            }.get(self.checked),
            not_checked_since=month if self.checked is Checked.OLDER else None,
        )


class Asked(Filters):
    """What somebody searches for on the pages, and which page of it."""

    page: int = Field(default=1, ge=1, le=100_000)

    def query(self, **instead: Any) -> dict[str, Any]:
        """The address's parameters, less those that ask for nothing."""
        given = {**self.model_dump(mode="json", exclude_defaults=True), **instead}
        return {key: 1 if value is True else value for key, value in given.items()}

    @property
    def filters(self) -> list[tuple[str, str, str]]:
        """What is asked for beside the words: each field's label, its value in words, its name."""
        found = []
        for field, label in LABELS.items():
            value = getattr(self, field)
            if value != Asked.model_fields[field].default:
                words = "" if value is True else _WORDS.get(value, str(value))
                found.append((label, words, field))
        return found


LABELS = {
    "visa": "Visa that can be had",
    "category": "Policy",
    "condition": "Condition",
    "specialty": "Specialty",
    "level": "Level",
    "state": "State",
    "city": "City",
    "institution": "Institution",
    "checked": "Last checked",
    "sure": "Leave out what is in doubt",
}
CATEGORIES = {category: CATEGORY_WORDS[category] for category in Category}
CONDITIONS = {kind: CONDITION_WORDS[kind] for kind in ConditionKind}
_WORDS: dict[Any, str] = {**CATEGORIES, **CONDITIONS, **CHECKED_WORDS}
