"""What a page's state means, and in which sentences it is said: words.toml as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.simweb.values import PageState, data, dice

MISREAD_SHARE = 0.03  # of sentences, where there is a wording that is not read yet


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is stated: stances by visa, and conditions as (visa, kind, ISO date or None)."""

    stances: frozenset[tuple[str, str]] = frozenset()
    conditions: frozenset[tuple[str, str, str | None]] = frozenset()

    def stance(self, visa: str) -> str:
        """The stance on a visa; `unstated` when nothing is said."""
        return dict(self.stances).get(visa, "unstated")

    def about(self, visa: str) -> object:
        """All that is said of a visa."""
        return self.stance(visa), {c for c in self.conditions if c[0] == visa}


def meaning(page: PageState) -> Meaning:
    """What a page states."""
    if not page.there or page.closed or not page.policy:
        return Meaning()
    says = data("words")["says"][page.policy]
    stances = {v: s for v, s in says["stances"].items() if page.part in ("", v)}
    stated = {(visa, kind, None) for visa, kind in says.get("conditions", ()) if visa in stances}
    for name, by in page.conditions:
        condition = data("words")["condition"][name]
        visa = condition["visa"]
        if applies(name, stances):
            stances[visa] = condition.get("makes", stances[visa])
            stated.add((visa, condition["kind"], iso(by) if by else None))
    return Meaning(frozenset(stances.items()), frozenset(stated))


def applies(name: str, stances: dict[str, str]) -> bool:
    """Whether a condition can be put on what is stated: not on a visa that is refused."""
    stance = stances.get(data("words")["condition"][name]["visa"])
    return stance in ("sponsored", "conditional")


def sentences(page: PageState) -> list[str]:
    """The sentences of a page's policy."""
    if not page.policy:
        return []
    words = data("words")
    says = words["says"][page.policy]
    lines = []
    if page.shape != "table":
        if page.part:
            options = words["visa"][page.part][says["stances"][page.part]]["phrases"]
        else:
            options = says["phrases"]
        lines.append(options[page.phrase % len(options)])
    stances = dict(says["stances"])
    for name, by in page.conditions:
        condition = words["condition"][name]
        if not applies(name, stances) or page.part not in ("", condition["visa"]):
            continue
        options = condition["phrases"]
        hard = condition.get("misread", [])
        if hard and _hard(page, name):
            options = hard
        lines.append(options[page.phrase % len(options)].format(by=by))
    return lines


def rows(page: PageState) -> list[tuple[str, str]]:
    """A page's policy as rows of a table: visa and answer."""
    if not page.policy:
        return []
    words = data("words")
    stances = words["says"][page.policy]["stances"]
    return [
        (visa, _answer(page, words["visa"][visa][stance]))
        for visa, stance in stances.items()
        if page.part in ("", visa)
    ]


def _answer(page: PageState, says: dict[str, str]) -> str:
    return says["misread"] if "misread" in says and _hard(page, "row") else says["answer"]


def _hard(page: PageState, what: str) -> bool:
    """Whether a wording is drawn here that is not read yet."""
    return dice(page.path, page.phrase, what).random() < MISREAD_SHARE


def iso(date: str) -> str:
    """`2027-02-01` for `February 1, 2027`."""
    return datetime.strptime(date, "%B %d, %Y").replace(tzinfo=UTC).date().isoformat()
