"""The second reader: taught by labelled examples, where the rules are written.

It reads a window whole and says how likely each stance on the J-1 and on the H-1B is. It knows
ways of saying it that no rule lists, and it cannot say why; the two readers err in different
places, so that where they agree an answer is surer than either's alone (extractors/agree.py).

The model is a small sentence transformer (all-MiniLM-L6-v2, Apache-2.0), fine-tuned on
`tests/data` by `make reader`, more than once, and kept as ONNX beside this file: see
docs/second-reader.md. It is loaded when the first page names a visa.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Protocol

from extractors.blocks import CELL_BREAK, Block
from extractors.reading_text import OTHER, reading_text
from extractors.readings import Strength
from extractors.stated import BESIDE, NAMED, SECOND, Statement
from extractors.values import Stance, Visa
from extractors.windows import Window, windows
from extractors.wordpiece import WordPieces

VISAS = (Visa.J1, Visa.H1B)
STANCES = (
    Stance.UNSTATED,
    Stance.SPONSORED,
    Stance.CONDITIONAL,
    Stance.NOT_SPONSORED,
    Stance.CONFLICTING,
)
MAX_TOKENS = 160  # of a window with its heading; the model was taught with as many
_CACHED = 500  # windows: programs of one institution share their sentences, and come together
_FOLDER = Path(__file__).parent / "second"
FILES = ("model.onnx", "weights.bin", "pieces.txt")  # what its version is a hash of
MODEL, PIECES = _FOLDER / FILES[0], _FOLDER / FILES[2]

Chances = tuple[tuple[float, ...], ...]  # for each of VISAS those of STANCES, in thousandths


class Known(Protocol):
    """What windows were read as before, by the hash of their words: a dict, or the store's."""

    def get(self, window: bytes, /) -> Chances | None:
        """The chances of a window, None if it was not read yet."""

    def __setitem__(self, window: bytes, chances: Chances, /) -> None:
        """Notes what a window was read as."""


def opinions(blocks: Sequence[Block], text: str, known: Known | None = None) -> list[Statement]:
    """What the second reader makes of a page: by window, one statement on each visa.

    `text` is the page's text. A statement's `chances` are those of STANCES, and its stance the
    likeliest of them, which may be UNSTATED. A window in `known` is not read again, as the model
    takes ten times as long for it as all else does; others are added. See `version`.
    """
    found: list[Statement] = []
    pieces = [(window, _names(window)) for window in windows(blocks, text)]
    on_page = {visa for _, names in pieces for visa in names}
    for window, names in pieces:
        # "Other visas" are other than those of which the page speaks elsewhere.
        others = OTHER in names and names.isdisjoint(VISAS)
        named = [{m.visa for m in reading_text(text[a:b]).mentions} for a, b in window.spans]
        above = {m.visa for m in reading_text(window.under).mentions}
        rows = any(CELL_BREAK in text[a:b] for a, b in window.spans)
        for visa, chances in zip(VISAS, _chances(window, known), strict=True):
            if others and visa in on_page:
                continue
            if len(window.spans) == 1 or rows:
                # One sentence does not contradict itself, and what rows say is for the rules.
                chances = (*chances[:-1], 0.0)
            proof = _proof(window, named, visa, text)
            rules = (SECOND, *_naming(visa, set().union(*named), above))
            found.append(_statement(window, visa, chances, proof, rules, text))
    return found


def _names(window: Window) -> set[str]:
    """The visas that a window or its heading names."""
    lines = (window.under, *window.text.split("\n"))
    return {mention.visa for line in lines for mention in reading_text(line).mentions}


def _naming(visa: Visa, named: set[str], above: set[str]) -> tuple[str, ...]:
    """How a window speaks of a visa: by name, by what it says of the other one, or of all."""
    if visa in named:
        return (NAMED,)
    return (BESIDE,) if visa not in above and (named | above) & set(VISAS) else ()


def version() -> str:
    """Of the model: what another one has read is not known to this one."""
    return (_FOLDER / "version.txt").read_text("ascii").strip()


def _chances(window: Window, known: Known | None) -> Chances:
    under, text = as_read(window)
    if known is None:
        return chances_of(under, text)
    digest = hashlib.blake2b(f"{under}\0{text}".encode(), digest_size=16).digest()
    found = known.get(digest)
    if found is None:
        found = known[digest] = chances_of(under, text)
    return found


def as_read(window: Window) -> tuple[str, str]:
    """A window's heading and text as the model gets them: visas spelled one way."""
    return _spelled(window.under), _spelled(window.text)


@lru_cache(maxsize=_CACHED)
def chances_of(under: str, text: str) -> Chances:
    """For each of VISAS, the chances of STANCES: the mean of what the model's members say."""
    import numpy as np

    session, pieces = _loaded()
    ids, types = pieces.encode(under, text, MAX_TOKENS)
    (logits,) = session.run(
        None, {"ids": np.array([ids], np.int64), "types": np.array([types], np.int64)}
    )
    table = logits.reshape(-1, len(VISAS), len(STANCES)).astype(np.float64)  # one by member
    odds = np.exp(table - table.max(axis=-1, keepdims=True))
    # Rounded, so that another machine's last digits make no other reading.
    shares = (odds / odds.sum(axis=-1, keepdims=True)).mean(axis=0).round(3)
    return tuple(tuple(float(share) for share in row) for row in shares)


@cache
def _loaded() -> tuple[Any, WordPieces]:
    # By itself it files what it runs in the home folder, and sends that to its maker.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    # It is slow to import, and most pages and commands do not need it.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # The graph is laid out already, and its weights are mapped: training.export says how. A second
    # copy of them, for a twentieth of the time, would be 20 MB.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", "1")
    # What it needs for the longest window is given back, and not kept for the next one.
    options.enable_cpu_mem_arena = False
    session = onnxruntime.InferenceSession(str(MODEL), options, providers=["CPUExecutionProvider"])
    return session, WordPieces(PIECES.read_text("utf-8").split("\n"))


def _spelled(text: str) -> str:
    return "\n".join(reading_text(line).text for line in text.split("\n"))


def _statement(
    window: Window,
    visa: Visa,
    chances: tuple[float, ...],
    proof: tuple[int, int],
    rules: tuple[str, ...],
    text: str,
) -> Statement:
    stance = STANCES[max(range(len(STANCES)), key=lambda n: chances[n])]
    start, end = proof
    return Statement(
        visa,
        stance,
        Strength.MILD,
        text[start:end],
        start,
        end,
        rules,
        window.block,
        scope=window.scope,
        context="\n".join(part for part in (window.under, window.text) if part),
        chances=chances,
    )


def _proof(window: Window, named: Sequence[set[str]], visa: Visa, text: str) -> tuple[int, int]:
    """The sentence of a window that names the visa, or any visa, with the answer to it."""
    wanted = [number for number, visas in enumerate(named) if visa in visas]
    any_visa = [number for number, visas in enumerate(named) if visas]
    number = (wanted or any_visa or [0])[-1]
    start, end = window.spans[number]
    if text[start:end].endswith("?") and number + 1 < len(window.spans):
        end = window.spans[number + 1][1]
    return start, end
