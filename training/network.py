"""The network of the second reader: a BERT encoder with one head per visa, fine-tuned in PyTorch.

Embeddings stay as they were learned: they know words that no passage here has.
"""

from __future__ import annotations

import json
import math
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from transformers import AutoModel

HIDDEN, HEADS = 384, 12
_STRETCH = 20  # batches within which rows are put by length
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


def pretrained() -> tuple[Any, list[str]]:
    """The encoder and the word pieces of all-MiniLM-L6-v2, out of the package with them."""
    import all_minilm_l6_v2

    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(all_minilm_l6_v2.get_model_zip_path()) as archive:
            for name in archive.namelist():
                if name.endswith(("config.json", "model.safetensors", "tokenizer.json")):
                    (Path(folder) / Path(name).name).write_bytes(archive.read(name))
        encoder = AutoModel.from_pretrained(folder, add_pooling_layer=False)
        data = json.loads((Path(folder) / "tokenizer.json").read_text("utf-8"))
    numbers: dict[str, int] = data["model"]["vocab"]  # those of a BERT leave none out
    return encoder, sorted(numbers, key=numbers.__getitem__)


def teach(encoder: Any, lessons: Sequence[Lesson], plan: Plan, classes: int) -> Weights:
    """The weights after one epoch for each lesson."""
    torch.manual_seed(plan.seed)
    random = np.random.default_rng(plan.seed)
    network = Network(encoder, lessons[0].labels.shape[1], classes)
    network.encoder.embeddings.requires_grad_(False)
    inner = [p for p in network.encoder.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        [
            {"params": inner, "lr": plan.rate},
            {"params": network.head.parameters(), "lr": 10 * plan.rate},
        ],
        weight_decay=0.01,
        fused=True,
    )
    steps = sum(math.ceil(len(lesson.encoded) / plan.batch) for lesson in lessons)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _share(step, steps))
    network.train()
    for number, lesson in enumerate(lessons, 1):
        losses = []
        for picked, ids, types in _batches(lesson.encoded, plan.batch, random):
            with torch.autocast("cpu", torch.bfloat16):
                found = network(ids, types)
            wanted = torch.from_numpy(lesson.labels[picked]).long()
            loss = functional.cross_entropy(found.float().flatten(0, 1), wanted.flatten())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        print(f"epoch {number} of {len(lessons)}: loss {np.mean(losses):.3f}", flush=True)
    return _weights(network)


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
