"""Programs as pages show them: the policy, who stands for it, and how fresh it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from extractors.values import Category, Condition, Evidence, Policy, Stance, Visa, categorise
from monitor import diff
from monitor.status import Status, statuses
from monitor.taken_back import BY_ITSELF
from store import verdicts
from store.database import Store
from store.records import Program, Review

# The two that every applicant asks about are always said, the others when a page speaks of them.
ALWAYS = (Visa.J1, Visa.H1B)

_EVEN = 0.5  # a confidence below which an answer is more likely wrong than right

_TONES = {
    Stance.SPONSORED: "yes",
    Stance.CONDITIONAL: "some",
    Stance.NOT_SPONSORED: "no",
    Stance.UNSTATED: "unknown",
    Stance.CONFLICTING: "unknown",
}
_CATEGORY_TONES = {
    Category.J1_AND_H1B: "yes",
    Category.J1_H1B_CASE_BY_CASE: "some",
    Category.H1B_ONLY: "some",
    Category.J1_ONLY: "some",
    Category.J1_H1B_UNSTATED: "some",
    Category.NO_SPONSORSHIP: "no",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """A few words with a colour; the words say it all."""

    words: str
    tone: str  # yes | some | no | unknown


@dataclass(frozen=True, slots=True)
class Says:
    """What a policy says of one visa."""

    visa: str
    stance: Chip
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class View:
    """A program as it is shown. `review` is the decision by which its policy stands, if any."""

    status: Status
    review: Review | None = None

    @property
    def program(self) -> Program:
        """The program itself."""
        return self.status.program

    @property
    def policy(self) -> Policy | None:
        """What stands; None when no page of it was ever seen."""
        return self.status.policy

    @property
    def place(self) -> str:
        """`Salem, MA`, or what is known of it."""
        return ", ".join(filter(None, (self.program.city, self.program.state)))

    @property
    def category(self) -> Chip:
        """The category in words."""
        return category_chip(self.policy.category if self.policy else None)

    @property
    def says(self) -> tuple[Says, ...]:
        """Visa by visa, what stands; nothing for a program that was never seen."""
        return says(self.policy) if self.policy else ()

    @property
    def doubtful(self) -> bool:
        """Whether a person should look before anybody relies on it."""
        return self.policy is None or self.policy.needs_review

    @property
    def uncertain(self) -> bool:
        """Whether it is not to be shown as certain: it is in doubt, or no maintainer has confirmed
        it and it is no more likely right than wrong."""
        if self.policy is None or self.policy.needs_review:
            return True
        return self.review is None and self.policy.confidence < _EVEN

    @property
    def quotes(self) -> tuple[Evidence, ...]:
        """The sentences of its pages that prove it, each once, page by page in reading order.

        web.sides has what others say.
        """
        every = self.policy.evidence if self.policy else ()
        evidence = [e for e in every if not e.rules[:1] or not e.rules[0].startswith("channel:")]
        pages = list(dict.fromkeys(e.url for e in evidence))
        once = {(e.quote, e.url): e for e in reversed(evidence)}.values()
        return tuple(sorted(once, key=lambda e: (pages.index(e.url), e.start)))

    @property
    def sure(self) -> int:
        """How many of a hundred passages of this kind are read rightly."""
        return round(100 * self.policy.confidence) if self.policy else 0


def views(store: Store, ids: Sequence[str], *, stale_after_cycles: int) -> list[View]:
    """The programs with these ids, in their order. Raises NotFound."""
    found = statuses(store, only=ids, stale_after_cycles=stale_after_cycles)
    by_id = {status.program.program_id: status for status in found}
    return viewed(store, [by_id[i] for i in ids])


def viewed(store: Store, found: Sequence[Status]) -> list[View]:
    """These programs, with the decisions by which their policies stand."""
    ids = [status.program.program_id for status in found]

    def decided(missing: list[str]) -> dict[str, Review | None]:
        made = verdicts.standing(store, missing)
        # What closed itself was not looked at by anybody.
        return {
            i: review if (review := made.get(i)) and review.by != BY_ITSELF else None
            for i in missing
        }

    people = store.each("decided", ids, decided)
    return [View(status, people[i]) for i, status in zip(ids, found, strict=True)]


def says(policy: Policy) -> tuple[Says, ...]:
    """What a policy says, visa by visa, the J-1 and the H-1B always."""
    return _says(policy.stances, policy.conditions)


@lru_cache(1000)
def _says(
    stances: tuple[tuple[Visa, Stance], ...], conditions: tuple[Condition, ...]
) -> tuple[Says, ...]:
    data = {"conditions": [{"visa": c.visa, "kind": c.kind, "by": c.by} for c in conditions]}
    spoken = dict(stances)
    return tuple(
        Says(
            diff.visa_words(visa),
            stance_chip(spoken.get(visa, Stance.UNSTATED)),
            diff.conditions(data, visa),
        )
        for visa in Visa
        if visa in ALWAYS or visa in spoken
    )


def category_chip(category: Category | None) -> Chip:
    """A category in words; `not seen yet` for none."""
    if category is None:
        return Chip("not seen yet", "unknown")
    return Chip(diff.CATEGORY_WORDS[category], _CATEGORY_TONES.get(category, "unknown"))


def category_chip_of(policy: dict[str, Any]) -> Chip:
    """The same of a policy as the store keeps it."""
    return category_chip(categorise(diff.stance(policy, Visa.J1), diff.stance(policy, Visa.H1B)))


def stance_chip(stance: Stance) -> Chip:
    """A stance in words."""
    return Chip(diff.STANCE_WORDS[stance], _TONES[stance])
