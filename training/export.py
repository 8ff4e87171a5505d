"""The taught networks as one graph of 8-bit weights, and their vocabulary without rare words."""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions
from onnxruntime.quantization import QuantType, quantize_dynamic

from extractors.second import FILES
from training.network import HEADS, HIDDEN, Weights

_OPSET = 17
_SMALL = 1024  # bytes; constants below are in the graph's file
_FREQUENT = 16_000  # word pieces kept, whether taught or not: the vocabulary is by frequency


def write(
    members: Sequence[Weights], pieces: Sequence[str], used: Collection[int], folder: Path
) -> None:
    """Write the model, its word pieces and its version; `used` are the numbers in the rows.

    The members share their embeddings, which teaching leaves alone.
    """
    kept = [
        number
        for number, piece in enumerate(pieces)
        if number < _FREQUENT or number in used or len(piece.removeprefix("##")) == 1
    ]
    embeddings = dict(members[0]["embeddings"])
    embeddings["word"] = embeddings["word"][kept]
    folder.mkdir(exist_ok=True)
    (folder / FILES[2]).write_text("\n".join(pieces[number] for number in kept), "utf-8")
    with tempfile.TemporaryDirectory() as scratch:
        plain, small = Path(scratch) / "plain.onnx", Path(scratch) / "small.onnx"
        onnx.save(_Graph().model(embeddings, members), plain)
        quantize_dynamic(
            plain,
            small,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul", "Gather"],
            per_channel=True,
            extra_options={"MatMulConstBOnly": True},
        )
        lay_out(small, folder)
    digest = hashlib.sha256(b"".join((folder / name).read_bytes() for name in FILES))
    (folder / "version.txt").write_text(digest.hexdigest()[:12] + "\n", "ascii")


def lay_out(quantized: Path, folder: Path) -> None:
    """Write a graph as a session runs it, and its weights as they lie in memory.

    So a session maps the weights, where it would read, rewrite and copy them: for 30 MB of them
    that takes 100 MB for a moment. They become uint8, of which products are never cut.
    """
    graph, weights = (folder / name for name in FILES[:2])
    weights.unlink(missing_ok=True)
    options = SessionOptions()
    options.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(graph)
    for key, value in {
        "session.x64quantprecision": "1",
        "session.optimized_model_external_initializers_file_name": weights.name,
        "session.optimized_model_external_initializers_min_size_in_bytes": str(_SMALL),
    }.items():
        options.add_session_config_entry(key, value)
    InferenceSession(str(quantized), options, providers=["CPUExecutionProvider"])
    kinds = {constant.data_type for constant in onnx.load(graph).graph.initializer}
    if TensorProto.INT8 in kinds:
        raise RuntimeError("weights are left in int8, of which this processor's are not rewritten")


class _Graph:
    """Builds the graph that `training.network.Network` computes."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def model(self, table: Weights, members: Sequence[Weights]) -> Any:
        """Of ids and types, the numbers of each member side by side."""
        length = self._op("Gather", self._op("Shape", "ids"), self._ints(1))
        places = self._op(
            "Slice",
            self._floats(table["position"]),
            self._ints([0]),
            self._op("Unsqueeze", length, self._ints([0])),
            self._ints([0]),
        )
        words = self._op("Gather", self._floats(table["word"]), "ids")
        types = self._op("Gather", self._floats(table["type"]), "types")
        x = self._op("Add", self._op("Add", words, types), places)
        x = self._norm(x, table["norm"])
        known = self._op("Not", self._op("Equal", "ids", self._ints(0)))
        mask = self._op("Cast", known, to=TensorProto.FLOAT)
        away = self._op("Mul", self._op("Sub", self._floats(1), mask), self._floats(-1e9))
        away = self._op("Unsqueeze", away, self._ints([1, 2]))
        wide = self._op("Unsqueeze", mask, self._ints([2]))
        told = [self._member(x, away, wide, weights) for weights in members]
        self._nodes.append(helper.make_node("Concat", told, ["logits"], axis=-1))
        graph = helper.make_graph(
            self._nodes,
            "second-reader",
            [
                helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "tokens"])
                for name in ("ids", "types")
            ],
            [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", "numbers"])],
            self._constants,
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
        made.ir_version = 9
        onnx.checker.check_model(made)
        return made

    def _member(self, x: str, away: str, wide: str, weights: Weights) -> str:
        for layer in weights["layers"]:
            x = self._layer(x, layer, away)
        total = self._op("ReduceSum", self._op("Mul", x, wide), self._ints([1]), keepdims=0)
        count = self._op("ReduceSum", wide, self._ints([1]), keepdims=0)
        first = self._op("Gather", x, self._ints(0), axis=1)
        both = self._op("Concat", first, self._op("Div", total, count), axis=-1)
        return self._dense(both, weights["head"])

    def _layer(self, x: str, layer: Weights, away: str) -> str:
        size = HIDDEN // HEADS
        split = self._ints([0, 0, HEADS, size])

        def heads(name: str, order: list[int]) -> str:
            parted = self._op("Reshape", self._dense(x, layer[name]), split)
            return self._op("Transpose", parted, perm=order)

        q, k, v = heads("q", [0, 2, 1, 3]), heads("k", [0, 2, 3, 1]), heads("v", [0, 2, 1, 3])
        scores = self._op("Mul", self._op("MatMul", q, k), self._floats(1 / math.sqrt(size)))
        shares = self._op("Softmax", self._op("Add", scores, away), axis=-1)
        seen = self._op("Transpose", self._op("MatMul", shares, v), perm=[0, 2, 1, 3])
        seen = self._op("Reshape", seen, self._ints([0, 0, HIDDEN]))
        x = self._norm(self._op("Add", x, self._dense(seen, layer["o"])), layer["after"])
        up = self._dense(x, layer["up"])
        erf = self._op("Erf", self._op("Mul", up, self._floats(1 / math.sqrt(2))))
        half = self._op("Mul", up, self._floats(0.5))
        gelu = self._op("Mul", half, self._op("Add", erf, self._floats(1)))
        return self._norm(self._op("Add", x, self._dense(gelu, layer["down"])), layer["end"])

    def _dense(self, x: str, pair: tuple[Any, Any]) -> str:
        product = self._op("MatMul", x, self._floats(pair[0]))
        return self._op("Add", product, self._floats(pair[1]))

    def _norm(self, x: str, pair: tuple[Any, Any]) -> str:
        scale, bias = map(self._floats, pair)
        return self._op("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)

    def _op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def _floats(self, values: Any) -> str:
        return self._constant(np.asarray(values, np.float32))

    def _ints(self, values: Any) -> str:
        return self._constant(np.asarray(values, np.int64))

    def _constant(self, values: np.ndarray) -> str:
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(values, name))
        return name
