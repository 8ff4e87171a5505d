"""What changed between two policies: in one line, and word by word.

Policies are taken as JSON here (`Change.before` and `Change.after`), as the store keeps
them. Only the blocks that their statements stand in are compared, never a whole page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from fast_diff_match_patch import diff as _diff
from markupsafe import Markup

from extractors.conditions import ConditionKind
from extractors.values import Category, Stance, Visa, categorise
from store.records import Change

if TYPE_CHECKING:
    from rich.text import Text

TIME_LIMIT = 0.5  # seconds; unlike texts of 50 KB take 11 s without one
MOST_WORDS = 0x100000  # different words in one diff: each becomes one character above U+FFFF

Op = Literal["equal", "insert", "delete"]
_OPS: dict[str, Op] = {"=": "equal", "+": "insert", "-": "delete"}

# A word keeps its inner hyphens, dots and apostrophes: "H-1B", "U.S", "program's".
_WORDS = re.compile(r"\w+(?:[-\u2010-\u2015.'’]\w+)*|\s+|[^\w\s]")

CATEGORY_WORDS = {
    Category.J1_ONLY: "J-1 only",
    Category.J1_H1B_UNSTATED: "J-1, H-1B not stated",
    Category.J1_AND_H1B: "J-1 and H-1B",
    Category.J1_H1B_CASE_BY_CASE: "J-1, H-1B case by case",
    Category.H1B_ONLY: "H-1B only",
    Category.NO_SPONSORSHIP: "no sponsorship",
    Category.UNSTATED: "nothing stated",
    Category.CONFLICTING: "conflicting statements",
    Category.UNCLEAR: "unclear",
}

STANCE_WORDS = {
    Stance.SPONSORED: "sponsored",
    Stance.CONDITIONAL: "conditional",
    Stance.NOT_SPONSORED: "not sponsored",
    Stance.UNSTATED: "not stated",
    Stance.CONFLICTING: "conflicting",
}

VISA_WORDS = {Visa.PERMANENT_RESIDENT: "permanent residents", Visa.CITIZEN: "citizens"}

_STANCES = {str(stance): stance for stance in Stance}  # by value: a third of Stance("sponsored")
_VISAS = tuple(Visa)
CONDITION_WORDS = {
    ConditionKind.STEP3_PASSED: "Step 3 passed",
    ConditionKind.ECFMG_CERTIFIED: "ECFMG certificate",
    ConditionKind.APPLICANT_PAYS: "applicant pays the fees",
    ConditionKind.CASE_BY_CASE: "case by case",
    ConditionKind.EXCEPTIONAL_ONLY: "exceptional cases only",
    ConditionKind.TRANSFER_ONLY: "transfers only",
    ConditionKind.US_GRADUATES_ONLY: "US graduates only",
    ConditionKind.GME_APPROVAL: "approval of the GME office",
    ConditionKind.PREFERRED_OTHER: "another visa is preferred",
    ConditionKind.PAUSED: "paused",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of words that both texts have, or only the later or the earlier one."""

    op: Op
    text: str


def word_diff(before: str, after: str) -> tuple[Span, ...]:
    """The words that turn `before` into `after`.

    The equal and deleted spans joined are `before`, the equal and inserted ones `after`.

    >>> [f"{span.op} {span.text!r}" for span in word_diff("We sponsor H-1B.", "We sponsor J-1.")]
    ["equal 'We sponsor '", "delete 'H-1B'", "insert 'J-1'", "equal '.'"]
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    numbers: dict[str, int] = {}
    for word in (*old, *new):
        numbers.setdefault(word, len(numbers))
    if len(numbers) > MOST_WORDS:
        return (Span("delete", before), Span("insert", after))
    return tuple(_spans(old, new, _encoded(old, numbers), _encoded(new, numbers)))


def policy_diff(before: dict[str, Any], after: dict[str, Any]) -> tuple[Span, ...]:
    """The word diff of the blocks that two policies' statements stand in."""
    return word_diff(statement_text(before), statement_text(after))


def statement_text(policy: dict[str, Any]) -> str:
    """The blocks of a policy's evidence in page order, each once, with an empty line between."""
    evidence = sorted(
        policy.get("evidence", ()), key=lambda e: (e.get("url") or "", e.get("start", 0))
    )
    blocks = dict.fromkeys(e.get("context") or e["quote"] for e in evidence)
    return "\n\n".join(
        block
        for block in filter(None, blocks)
        if not any(block in other for other in blocks if other != block)
    )


def shortened(spans: Iterable[Span], *, around: int = 30) -> tuple[Span, ...]:
    """The same diff with the long unchanged stretches cut to `around` words beside a change.

    >>> shortened((Span("equal", "a b c d e f "), Span("insert", "x")), around=2)
    (Span(op='equal', text='… e f '), Span(op='insert', text='x'))
    """
    whole = tuple(spans)
    last = len(whole) - 1
    return tuple(
        Span("equal", _cut(span.text, around, start=index == 0, end=index == last))
        if span.op == "equal"
        else span
        for index, span in enumerate(whole)
    )


def as_text(spans: Iterable[Span]) -> str:
    """The diff in plain characters.

    >>> as_text(word_diff("We sponsor H-1B.", "We sponsor J-1."))
    'We sponsor [-H-1B-]{+J-1+}.'
    """
    marks = {"equal": "{}", "delete": "[-{}-]", "insert": "{{+{}+}}"}
    return "".join(marks[span.op].format(span.text) for span in spans)


def as_html(spans: Iterable[Span]) -> Markup:
    """The diff as escaped HTML with `<ins>` and `<del>`, safe to put into a template.

    >>> str(as_html(word_diff("a <b>", "a <i>")))
    'a &lt;<del>b</del><ins>i</ins>&gt;'
    """
    marks = {"equal": "{}", "delete": "<del>{}</del>", "insert": "<ins>{}</ins>"}
    return Markup("").join(Markup(marks[span.op]).format(span.text) for span in spans)  # noqa: S704


def as_rich(spans: Iterable[Span]) -> Text:
    """The diff for a terminal: red and green, with the marks of `as_text` for those without."""
    styles = {"equal": "", "delete": "red", "insert": "green"}
    from rich.text import Text  # for a terminal only

    text = Text()
    for span in spans:
        text.append(as_text((span,)), style=styles[span.op])
    return text


def touched(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    """The visas that a change is about, in the order of `Visa`.

    Those whose stance or conditions differ; if there are none, those that are quoted in
    other words; if there are none either (a page that is gone), all that are stated.
    """
    for of, among in ((_standing, _spoken_of(before, after)), (_quotes, Visa)):
        visas = [v for v in among if of(before, v) != of(after, v)]
        if visas:
            return tuple(visas)
    stated = {**before.get("stances", {}), **after.get("stances", {})}
    return tuple(v for v in Visa if v in stated)


def summary(change: Change) -> str:
    """The change in one line.

    `H-1B: sponsored -> not sponsored (J-1 and H-1B -> J-1 only)`
    """
    before, after = change.before, change.after
    told = (tuple(_visa_lines(v, before, after)) for v in _spoken_of(before, after))
    parts = [", ".join(lines) for lines in told if lines]
    old, new = category(before), category(after)
    if change.kind == "page_gone":
        return f"the page is gone; last known: {old}"
    if not parts:
        return f"wording changed; the policy is the same ({new})"
    return "; ".join(parts) + (f" ({old} -> {new})" if old != new else f" ({new} as before)")


def category(policy: dict[str, Any]) -> str:
    """A policy's category in words: `J-1 and H-1B`."""
    return CATEGORY_WORDS[categorise(stance(policy, Visa.J1), stance(policy, Visa.H1B))]


def stance(policy: dict[str, Any], visa: str) -> Stance:
    """What a policy says of one visa; `unstated` when nothing."""
    return _STANCES[policy.get("stances", {}).get(visa, "unstated")]


def conditions(policy: dict[str, Any], visa: str) -> tuple[str, ...]:
    """A policy's conditions on one visa in words: `Step 3 passed by 2027-02-01`."""
    return tuple(
        CONDITION_WORDS[c["kind"]] + (f" by {c['by']}" if c.get("by") else "")
        for c in policy.get("conditions", ())
        if c["visa"] == visa
    )


def visa_words(visa: str) -> str:
    """A visa's name as people read it: `H-1B`, `permanent residents`."""
    return VISA_WORDS.get(Visa(visa), visa)


def _spoken_of(*policies: dict[str, Any]) -> list[Visa]:
    """The visas that any of these says something of, in the order of `Visa`."""
    named = {visa for policy in policies for visa in policy.get("stances", ())}
    named |= {c["visa"] for policy in policies for c in policy.get("conditions", ())}
    return [visa for visa in _VISAS if visa in named]


def _visa_lines(visa: Visa, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    old, new = stance(before, visa), stance(after, visa)
    was, now = conditions(before, visa), conditions(after, visa)
    gone, added = [c for c in was if c not in now], [c for c in now if c not in was]
    if old != new:
        yield f"{visa_words(visa)}: {STANCE_WORDS[old]} -> {STANCE_WORDS[new]}"
    elif gone or added:
        yield f"{visa_words(visa)}: {STANCE_WORDS[new]} as before"
    if gone:
        yield f"no longer '{', '.join(gone)}'"
    if added:
        yield f"now '{', '.join(added)}'"


def _standing(policy: dict[str, Any], visa: Visa) -> tuple[Stance, frozenset[str]]:
    return stance(policy, visa), frozenset(conditions(policy, visa))


def _quotes(policy: dict[str, Any], visa: Visa) -> frozenset[str]:
    return frozenset(e["quote"] for e in policy.get("evidence", ()) if e["visa"] == visa)


def _encoded(words: list[str], numbers: dict[str, int]) -> str:
    return "".join(chr(0x10000 + numbers[word]) for word in words)


def _spans(old: list[str], new: list[str], before: str, after: str) -> Iterator[Span]:
    here, there = 0, 0
    for sign, count in _diff(
        before, after, timelimit=TIME_LIMIT, checklines=False, cleanup="Semantic", counts_only=True
    ):
        words = new[there : there + count] if sign == "+" else old[here : here + count]
        here += count if sign != "+" else 0
        there += count if sign != "-" else 0
        yield Span(_OPS[sign], "".join(words))


def _cut(text: str, around: int, *, start: bool, end: bool) -> str:
    """`text` less its middle; less its beginning at the `start` of a diff, its end at the end."""
    words = list(re.finditer(r"\S+", text))
    first, last = (0 if start else around), (0 if end else around)
    if len(words) <= first + last + 1:
        return text
    head = text[: words[first - 1].end()] if first else ""
    tail = text[words[-last].start() :] if last else ""
    return " ".join(filter(None, (head, "…", tail)))
