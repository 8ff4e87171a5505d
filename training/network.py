"""The network of the second reader in JAX: a BERT encoder with one head per visa, fine-tuned.

Weights are plain nested dicts of arrays, named after what they do, so that JAX can differentiate
and `training.export` can write them. Embeddings stay as they were learned.
"""

from __future__ import annotations

import json
import math
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

HIDDEN, HEADS = 384, 12
LAYERS = (0, 1, 2, 3, 4, 5)
_EPSILON = 1e-12
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


@dataclass(frozen=True, slots=True)
class Plan:
    """How to teach; the defaults are those of the model in the repository."""

    epochs: int = 6
    batch: int = 16
    rate: float = 1e-4
    dropout: float = 0.1
    seed: int = 0


def pretrained() -> tuple[Weights, str]:
    """The weights and the tokenizer's JSON of all-MiniLM-L6-v2, out of the package with them."""
    import all_minilm_l6_v2

    with zipfile.ZipFile(all_minilm_l6_v2.get_model_zip_path()) as archive:
        names = {name.rpartition("/")[2]: name for name in archive.namelist()}
        tensors = _safetensors(archive.read(names["model.safetensors"]))
        tokenizer = archive.read(names["tokenizer.json"]).decode()
    embeddings = {
        "word": tensors["embeddings.word_embeddings.weight"],
        "position": tensors["embeddings.position_embeddings.weight"],
        "type": tensors["embeddings.token_type_embeddings.weight"],
        "norm": _pair(tensors, "embeddings.LayerNorm"),
    }
    layers = []
    for number in LAYERS:
        prefix = f"encoder.layer.{number}."
        layer: Weights = {name: _pair(tensors, prefix + key) for name, key in _DENSE.items()}
        for name in _DENSE:
            layer[name] = (layer[name][0].T, layer[name][1])
        layer |= {name: _pair(tensors, prefix + key) for name, key in _NORMS.items()}
        layers.append(layer)
    return {"embeddings": embeddings, "layers": layers}, tokenizer


def _safetensors(data: bytes) -> dict[str, np.ndarray]:
    """The float tensors of a safetensors file: a JSON header of offsets, then the bytes."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    found = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            start, end = (8 + length + at for at in entry["data_offsets"])
            found[name] = np.frombuffer(data[start:end], np.float32).reshape(entry["shape"])
    return found


def _pair(tensors: dict[str, np.ndarray], name: str) -> tuple[np.ndarray, np.ndarray]:
    return tensors[f"{name}.weight"], tensors[f"{name}.bias"]


def logits(weights: Weights, ids: Any, types: Any, key: Any = None, dropout: float = 0.0) -> Any:
    """For each row of token ids (0 is padding) a number per visa and stance; dropout with a key."""
    batch, length = ids.shape
    known = ids != 0
    keys = iter(jax.random.split(key, 1 + 2 * len(weights["layers"]))) if key is not None else None

    def dropped(values: Any) -> Any:
        if keys is None:
            return values
        kept = jax.random.bernoulli(next(keys), 1 - dropout, values.shape)
        return jnp.where(kept, values / (1 - dropout), 0)

    def heads(values: Any) -> Any:
        return values.reshape(batch, length, HEADS, HIDDEN // HEADS).transpose(0, 2, 1, 3)

    table = weights["embeddings"]
    x = table["word"][ids] + table["position"][:length][None] + table["type"][types]
    x = dropped(_norm(x, table["norm"]))
    away = jnp.where(known, 0.0, -1e9)[:, None, None, :]
    for layer in weights["layers"]:
        q, k, v = (heads(_dense(x, layer[name])) for name in "qkv")
        scores = jax.nn.softmax(q @ k.transpose(0, 1, 3, 2) / math.sqrt(HIDDEN // HEADS) + away)
        seen = (scores @ v).transpose(0, 2, 1, 3).reshape(batch, length, HIDDEN)
        x = _norm(x + dropped(_dense(seen, layer["o"])), layer["after"])
        wide = jax.nn.gelu(_dense(x, layer["up"]), approximate=False)
        x = _norm(x + dropped(_dense(wide, layer["down"])), layer["end"])
    mask = known[..., None]
    mean = (x * mask).sum(1) / mask.sum(1)
    return _dense(jnp.concatenate([x[:, 0], mean], -1), weights["head"])


def _dense(x: Any, pair: tuple[Any, Any]) -> Any:
    return x @ pair[0] + pair[1]


def _norm(x: Any, pair: tuple[Any, Any]) -> Any:
    mean = x.mean(-1, keepdims=True)
    spread = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / jnp.sqrt(spread + _EPSILON) * pair[0] + pair[1]


Encoded = Sequence[tuple[Sequence[int], Sequence[int]]]  # by row, token ids and their types


def batches(
    encoded: Encoded, order: Sequence[int], size: int
) -> Iterator[tuple[list[int], np.ndarray, np.ndarray]]:
    """Rows of about the same length together, padded to a few lengths: each shape compiles once."""
    for at in range(0, len(order), size):
        picked = list(order[at : at + size])
        longest = max(len(encoded[number][0]) for number in picked)
        ids = np.zeros((size, -(-longest // 16) * 16), np.int32)
        types = np.zeros_like(ids)
        ids[:, 0] = 1  # a row of nothing but padding has no mean
        for row, number in enumerate(picked):
            length = len(encoded[number][0])
            ids[row, :length], types[row, :length] = encoded[number]
        yield picked, ids, types


def teach(
    weights: Weights, encoded: Encoded, labels: np.ndarray, plan: Plan, classes: int
) -> Weights:
    """The weights after `plan.epochs` over all rows; `labels` has a column per visa."""
    random = np.random.default_rng(plan.seed)
    visas = labels.shape[1]
    head = random.normal(0, 0.02, (2 * HIDDEN, visas * classes)).astype(np.float32)
    fixed = jax.tree.map(jnp.asarray, weights["embeddings"])
    taught = jax.tree.map(
        jnp.asarray,
        {"layers": weights["layers"], "head": (head, np.zeros(visas * classes, np.float32))},
    )
    steps = plan.epochs * math.ceil(len(encoded) / plan.batch)
    rate = optax.warmup_cosine_decay_schedule(0, plan.rate, steps // 10, steps)
    optimizer = optax.multi_transform(
        {"layers": optax.adamw(rate), "head": optax.adamw(lambda step: 10 * rate(step))},
        {"layers": "layers", "head": "head"},
    )
    state = optimizer.init(taught)

    def loss(taught: Weights, ids: Any, types: Any, wanted: Any, count: Any, key: Any) -> Any:
        every = {**taught, "embeddings": fixed}
        found = logits(every, ids, types, key, plan.dropout).reshape(-1, visas, classes)
        each = optax.softmax_cross_entropy_with_integer_labels(found, wanted).sum(1)
        return (each * (jnp.arange(len(each)) < count)).sum() / count

    @jax.jit
    def step(
        taught: Weights, state: Any, ids: Any, types: Any, wanted: Any, count: Any, key: Any
    ) -> Any:
        value, slope = jax.value_and_grad(loss)(taught, ids, types, wanted, count, key)
        change, state = optimizer.update(slope, state, taught)
        return optax.apply_updates(taught, change), state, value

    key = jax.random.PRNGKey(plan.seed)
    for epoch in range(plan.epochs):
        losses = []
        shuffled = random.permutation(len(encoded))
        stretch = plan.batch * 20  # within which rows are put by length
        order = [
            number
            for at in range(0, len(shuffled), stretch)
            for number in sorted(shuffled[at : at + stretch], key=lambda n: len(encoded[n][0]))
        ]
        packs = list(batches(encoded, order, plan.batch))
        for at in random.permutation(len(packs)):
            picked, ids, types = packs[at]
            wanted = np.zeros((plan.batch, visas), np.int32)
            wanted[: len(picked)] = labels[picked]
            key, once = jax.random.split(key)
            taught, state, value = step(taught, state, ids, types, wanted, len(picked), once)
            losses.append(float(value))
        print(f"epoch {epoch + 1} of {plan.epochs}: loss {np.mean(losses):.3f}", flush=True)
    return {**jax.tree.map(np.asarray, taught), "embeddings": weights["embeddings"]}
