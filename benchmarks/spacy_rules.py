"""Two readers made of spaCy's parts: `python -m benchmarks.spacy_rules READER`.

    window    spaCy's Matcher and sentencizer, with a window for negations
    context   the same visas, with medspaCy's ConText for negations and where they end

Runs in its own environment (requirements-quality.lock): texts on standard input, answers on
standard output, both JSON. Status 3 says that the reader's library is not installed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

from benchmarks.baselines import NEGATIONS, OFFERS, SPELLINGS, TURNS, Answer, answer

WINDOW = 6  # words before a visa, and after it
_WORDS = {"J-1": "jonevisa", "H-1B": "honebvisa"}
_ANY = ("visa", "visas")
_NAMES = {word: visa for visa, word in _WORDS.items()}


def window() -> Callable[[str], Answer]:
    """Visas by the Matcher; refused when a negation stands within the window."""
    import spacy
    from spacy.matcher import Matcher

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    matcher = Matcher(nlp.vocab)
    for visa, word in _WORDS.items():
        matcher.add(visa, [[{"LOWER": word}]])

    def read(text: str) -> Answer:
        return answer(
            find for line in text.splitlines() for find in _finds(nlp(_spelled(line)), matcher)
        )

    return read


def _spelled(text: str) -> str:
    """A word for each visa, whatever the tokenizer would make of its hyphens."""
    for visa, spelling in SPELLINGS.items():
        text = spelling.sub(f" {_WORDS[visa]} ", text)
    return text.replace("’", "'")


def _finds(doc: Any, matcher: Any) -> Iterator[tuple[str, str, str]]:
    for sentence in doc.sents:
        if sentence.text.rstrip().endswith("?"):
            continue
        words = [token.lower_ for token in sentence]
        named = [
            (doc.vocab.strings[key], start - sentence.start, end - sentence.start)
            for key, start, end in matcher(doc)
            if sentence.start <= start < sentence.end
        ]
        if not named:  # "visas" of no kind
            any_visa = [n for n, word in enumerate(words) if word in _ANY]
            named = [(visa, n, n + 1) for n in any_visa for visa in SPELLINGS]
        for visa, start, end in named:
            near = [*_until(words[:start][::-1]), *words[start:end], *_until(words[end:])]
            if set(near) & NEGATIONS:
                yield sentence.text, visa, "not_sponsored"
            elif set(words) & (OFFERS | {"only"}) or len(words) <= 2 * WINDOW:
                yield sentence.text, visa, "sponsored"


def _until(words: list[str]) -> list[str]:
    """The words of the window, up to a turn."""
    stop = next((n for n, word in enumerate(words) if word in TURNS), len(words))
    return words[: min(stop, WINDOW)]


def context() -> Callable[[str], Answer]:
    """Visas by medspaCy's target matcher, negations by its ConText with our words for both."""
    import spacy
    from medspacy.context import ConTextRule
    from medspacy.target_matcher import TargetRule

    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    targets = nlp.add_pipe("medspacy_target_matcher", config={"rules": None})
    targets.add([TargetRule(word, visa) for word, visa in _NAMES.items()])
    targets.add([TargetRule(word, "ANY") for word in _ANY])
    modifiers = nlp.add_pipe("medspacy_context", config={"rules": None})
    modifiers.add(
        [
            ConTextRule(word, "NEGATED_EXISTENCE", direction="BIDIRECTIONAL", max_scope=2 * WINDOW)
            for word in sorted(NEGATIONS)
        ]
        + [ConTextRule(word, "CONJ", direction="TERMINATE") for word in TURNS]
    )

    def read(text: str) -> Answer:
        docs = (nlp(_spelled(line)) for line in text.splitlines())
        return answer(find for doc in docs for find in _negated(doc))

    return read


def _negated(doc: Any) -> Iterator[tuple[str, str, str]]:
    for entity in doc.ents:
        sentence = entity.sent
        if sentence.text.rstrip().endswith("?"):
            continue
        any_visa = entity.label_ == "ANY"
        if any_visa and any(e.label_ != "ANY" for e in sentence.ents):
            continue  # "visas" beside a named one
        named = list(SPELLINGS) if any_visa else [entity.label_]
        words = [token.lower_ for token in sentence]
        for visa in named:
            if entity._.is_negated:
                yield sentence.text, visa, "not_sponsored"
            elif set(words) & (OFFERS | {"only"}) or len(words) <= 2 * WINDOW:
                yield sentence.text, visa, "sponsored"


READERS = {"window": ("spacy", window), "context": ("medspacy", context)}


def main(reader: str) -> int:
    """Reads the texts of standard input; the exit status."""
    library, make = READERS[reader]
    if find_spec(library) is None:
        return 3
    read = make()
    rows = [asdict(read(text)) for text in json.load(sys.stdin)]
    json.dump([{**row, "conditions": sorted(row["conditions"])} for row in rows], sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
