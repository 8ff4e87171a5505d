"""Why a page is read as it is: for each sentence, the rules that fired and how far they reach."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from extractors import Asker, Evidence, Policy, Statement, page_text, policy_for, read_page
from extractors.blocks import CELL_BREAK
from extractors.clauses import read_sentence
from extractors.reading_text import ANY, OTHER, SAME
from extractors.readings import Reading
from extractors.rulebook import Hit, RuleKind
from extractors.scope import Scope, applies
from extractors.sentences import sentence_spans
from monitor.diff import category

_STYLES = {
    RuleKind.OFFER: "green",
    RuleKind.MILD_OFFER: "green",
    RuleKind.UNNAMED: "green",
    RuleKind.REFUSE: "bold red",
    RuleKind.NEGATION: "bold red",
    RuleKind.CITIZENS: "bold red",
    RuleKind.ONLY: "magenta",
    RuleKind.CONDITION: "yellow",
    RuleKind.PSEUDO: "dim strike",
    RuleKind.DECOY: "dim strike",
    RuleKind.NOT_ONLY: "dim strike",
}
_VISA_STYLE = "bold cyan"
_CUES = frozenset(
    {
        RuleKind.OFFER,
        RuleKind.MILD_OFFER,
        RuleKind.UNNAMED,
        RuleKind.REFUSE,
        RuleKind.ONLY,
        RuleKind.CITIZENS,
        RuleKind.CONDITION,
    }
)
_CANCELLING = (RuleKind.PSEUDO, RuleKind.DECOY, RuleKind.NOT_ONLY)
_ELSEWHERE = (RuleKind.ASIDE, RuleKind.OTHERS)
_WORDS = {ANY: "visas of no kind", OTHER: "other visas", SAME: "the visa named before"}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a page with what the rules read in it, taken by itself."""

    raw: str
    start: int  # in the page's text
    reading: Reading

    def words(self, start: int, end: int) -> str:
        """The page's words at a span of the text that rules see."""
        return self.raw[slice(*self.span(start, end))].strip()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a span of the text that rules see stands in the page's own words."""
        origin = self.reading.text.origin
        return origin[start], origin[end] if end < len(origin) else len(self.raw)


@dataclass(frozen=True, slots=True)
class Explained:
    """A sentence, and line by line why it is read as it is; `decides` is what it proves."""

    sentence: Text
    lines: tuple[Text, ...]
    decides: tuple[Text, ...]


def explain(console: Console, body: bytes, content_type: str, asker: Asker) -> None:
    """Print every sentence that names a visa or proves a stance, and the policy for the asker."""
    stated = read_page(body, content_type)
    policy, _ = policy_for([stated], asker=asker)
    for found in _explained(stated, policy, page_text(body, content_type), asker):
        console.print(found.sentence)
        for line in (*found.lines, *found.decides):
            console.print(Padding(line, (0, 0, 0, 4)))
        console.print()
    console.print(_summary(policy))


def explained(body: bytes, content_type: str, asker: Asker) -> list[Explained]:
    """Every sentence that names a visa or proves a stance, for the asker."""
    stated = read_page(body, content_type)
    policy, _ = policy_for([stated], asker=asker)
    return list(_explained(stated, policy, page_text(body, content_type), asker))


def _explained(
    stated: Sequence[Statement], policy: Policy, text: str, asker: Asker
) -> Iterator[Explained]:
    for sentence in sentences(text):
        proofs = [e for e in policy.evidence if _proves(e, sentence)]
        if not proofs and not sentence.reading.mentions:
            continue
        said = [s for s in stated if _proves(s, sentence)]
        lines = (
            *_rules(sentence),
            *_claims(sentence),
            *_scopes(said, asker),
            *_second_readers(said),
        )
        yield Explained(_coloured(sentence), lines, tuple(_decided(proofs)))


def sentences(text: str) -> Iterator[Sentence]:
    """The sentences (and table cells) of a page's text, each read by itself."""
    at = 0
    for line in text.split("\n"):
        for cell in line.split(CELL_BREAK):
            for start, end in sentence_spans(cell):
                raw = cell[start:end]
                yield Sentence(raw, at + start, read_sentence(raw))
            at += len(cell) + len(CELL_BREAK)
        at += 1 - len(CELL_BREAK)


def _proves(evidence: Evidence | Statement, sentence: Sentence) -> bool:
    end = sentence.start + len(sentence.raw)
    return evidence.start < end and sentence.start < evidence.end


def _coloured(sentence: Sentence) -> Text:
    text = Text(sentence.raw)
    for hit in sentence.reading.hits:
        if hit.rule.kind in _STYLES:
            text.stylize(_STYLES[hit.rule.kind], *sentence.span(hit.start, hit.end))
    for mention in sentence.reading.text.mentions:
        text.stylize(_VISA_STYLE, *sentence.span(mention.start, mention.end))
    return text


def _rules(sentence: Sentence) -> Iterator[Text]:
    """A line for each rule that fired: its kind and name, the words, and what became of it."""
    reading = sentence.reading
    lines = [(m.start, RuleKind.VISA, m.rule, m.end, "") for m in reading.text.mentions]
    lines += [
        (hit.start, hit.rule.kind, hit.rule.id, hit.end, _fate(sentence, hit))
        for hit in reading.hits
    ]
    for start, kind, rule, end, fate in sorted(lines, key=lambda line: (line[0], line[2])):
        style = _VISA_STYLE if kind is RuleKind.VISA else _STYLES.get(kind, "")
        text = Text(f"{kind:10} ", style=style)
        text.append(f"{rule}: “{sentence.words(start, end)}”", style="default")
        text.append(f" {fate}" if fate else "", style="dim")
        yield text


def _fate(sentence: Sentence, hit: Hit) -> str:
    """What became of a cue: it counts as far as it reaches, was turned, or was cancelled."""
    reading = sentence.reading
    if hit.rule.kind not in _CUES:
        return ""
    if any(_same(live, hit) and live.rule.id == hit.rule.id for live in reading.live):
        return _reach(sentence, hit)
    for live in reading.live:
        if _same(live, hit) and live.rule.kind is RuleKind.REFUSE:
            negation = _before(reading, live.rule.id, hit)
            by = f"“{sentence.words(negation.start, negation.end)}” " if negation else ""
            return f"turned into a refusal by {by}({live.rule.id}); {_reach(sentence, hit)}"
    for other in reading.hits:
        cancels = other.rule.kind in (*_CANCELLING, RuleKind.REFUSE) and other != hit
        if cancels and other.start < hit.end and hit.start < other.end:
            return f"cancelled by {other.rule.id}: “{sentence.words(other.start, other.end)}”"
    return "does not count: a negation before it has it already"


def _same(a: Hit, b: Hit) -> bool:
    return (a.start, a.end) == (b.start, b.end)


def _before(reading: Reading, rule: str, hit: Hit) -> Hit | None:
    found = [h for h in reading.hits if h.rule.id == rule and h.end <= hit.start]
    return max(found, key=lambda h: h.end, default=None)


def _reach(sentence: Sentence, hit: Hit) -> str:
    """Between which turns the cue can find its visas."""
    reading = sentence.reading
    clause = next((c for c in reading.clauses if c.start <= hit.start < c.end), None)
    if clause is None:
        about = next((h for h in reading.hits if h.rule.kind in _ELSEWHERE), None)
        why = f" ({about.rule.id}: “{sentence.words(about.start, about.end)}”)" if about else ""
        return f"left out: its clause is about something else{why}"
    parts = []
    if clause.start:
        parts.append(f"from {_turn(sentence, clause.start)}")
    if clause.end < len(reading.text.text):
        parts.append(f"up to {_turn(sentence, clause.end)}")
    return f"reaches {' '.join(parts) or 'the whole sentence'}"


def _turn(sentence: Sentence, at: int) -> str:
    hits = sentence.reading.hits
    end = next((h for h in hits if h.rule.kind is RuleKind.END and h.start == at), None)
    return f"“{sentence.words(end.start, end.end)}” ({end.rule.id})" if end else f"character {at}"


def _claims(sentence: Sentence) -> Iterator[Text]:
    """What the sentence says, were it alone on the page."""
    reading = sentence.reading
    for claim in reading.claims:
        visa, stance = _WORDS.get(claim.visa, claim.visa), claim.stance.replace("_", " ")
        rules = ", ".join(claim.rules)
        yield Text(f"says: {visa} {stance}, {claim.strength.name.lower()} ({rules})")
    for demand in reading.demands:
        visas = ", ".join(_WORDS.get(v, v) for v in demand.visas) or "the visa named before"
        yield Text(f"asks: {demand.kind.replace('_', ' ')} of {visas} ({demand.rule})")
    for mention in reading.unclaimed:
        yield Text(f"leaves open: {_WORDS.get(mention.visa, mention.visa)}", style="dim")


def _scopes(said: Sequence[Statement], asker: Asker) -> Iterator[Text]:
    """Whom the statements speak of, when that is not everybody; and whether it is the asker."""
    for scope in dict.fromkeys(s.scope for s in said if s.scope != Scope()):
        told = "; ".join(f"{name} {_plain(value)}" for name, value in scope.to_json().items())
        heard = applies(scope, asker) and not scope.past
        text = Text(f"speaks of: {told}")
        yield text if heard else text.append(": not of who asks", style="dim")


def _second_readers(said: Sequence[Statement]) -> Iterator[Text]:
    """What the second reader makes of the piece that the sentence stands in."""
    for piece in dict.fromkeys(s.context for s in said if s.chances):
        found = [
            f"{s.visa} {s.stance.replace('_', ' ')} {max(s.chances):.2f}"
            for s in said
            if s.chances and s.context == piece
        ]
        lines = len(piece.split("\n"))
        where = f" (read with its {lines} lines)" if lines > 1 else ""
        yield Text(f"second reader: {', '.join(found)}{where}", style="dim")


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "yes" if value is True else str(value)


def _decided(proofs: list[Evidence]) -> Iterator[Text]:
    for proof in proofs:
        stance, rules = proof.stance.replace("_", " "), ", ".join(proof.rules)
        yield Text(f"decides: {proof.visa} {stance} ({rules})", style="bold")


def _summary(policy: Policy) -> Text:
    text = Text(category(policy.to_json()), style="bold")
    for condition in policy.conditions:
        by = f" by {condition.by}" if condition.by else ""
        text.append(f"\n{condition.visa}: {condition.kind.replace('_', ' ')}{by}", style="default")
    review = "; needs review" if policy.needs_review else ""
    text.append(f"\nconfidence {policy.confidence:.2f}{review}", style="dim")
    return text
