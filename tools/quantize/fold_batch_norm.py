"""Batch norms behind convolutions, folded into their weights before anything is quantized."""

from __future__ import annotations

from collections import Counter

import numpy as np
from onnx import GraphProto, NodeProto, numpy_helper


def fold_batch_norms(graph: GraphProto) -> None:
    """
    BatchNormalization(Conv(x, w, b)) -> Conv(x, w * f, (b - mean) * f + shift), for a convolution
    that nobody else reads; f = scale / sqrt(variance + epsilon), computed in float64.

    The convolution keeps its name and writes what the batch norm wrote.
    """
    arrays = {t.name: t for t in graph.initializer}
    reads = Counter(name for n in graph.node for name in n.input)
    reads.update(v.name for v in graph.output)
    producers = {name: n for n in graph.node for name in n.output}
    for norm in list(graph.node):
        conv = producers.get(norm.input[0]) if norm.op_type == "BatchNormalization" else None
        if conv is None or not _foldable(conv, norm, reads, set(arrays)):
            continue
        numbers = [numpy_helper.to_array(arrays[name]) for name in norm.input[1:]]
        scale, shift, mean, variance = (a.astype(np.float64) for a in numbers)
        factor = scale / np.sqrt(variance + _epsilon(norm))
        w = numpy_helper.to_array(arrays[conv.input[1]])
        has_bias = len(conv.input) > 2 and conv.input[2]
        b = numpy_helper.to_array(arrays[conv.input[2]]) if has_bias else 0.0
        new = {
            conv.input[1]: w * factor.reshape(-1, *[1] * (w.ndim - 1)),
            norm.input[2]: (b - mean) * factor + shift,
        }
        names = [_put(graph, name, a.astype(np.float32), set(arrays)) for name, a in new.items()]
        arrays |= {t.name: t for t in graph.initializer[-len(names) :]}
        conv.input[:] = [conv.input[0], *names]
        conv.output[0] = norm.output[0]
        producers[norm.output[0]] = conv
        graph.node.remove(norm)


def _foldable(conv: NodeProto, norm: NodeProto, reads: Counter[str], constants: set[str]) -> bool:
    """Whether all but x is known, and the batch norm alone reads the convolution."""
    weights = [*filter(None, conv.input[1:]), *norm.input[1:]]
    return (
        conv.op_type == "Conv"
        and reads[conv.output[0]] == 1
        and constants.issuperset(weights)
        and not any(norm.output[1:])
        and not any(a.name == "training_mode" and a.i for a in norm.attribute)
    )


def _epsilon(norm: NodeProto) -> float:
    return next((a.f for a in norm.attribute if a.name == "epsilon"), 1e-5)


def _put(graph: GraphProto, name: str, array: np.ndarray, taken: set[str]) -> str:
    """Add an initializer like `name`, which other nodes may go on reading."""
    while name in taken:
        name = f"{name}_folded"
    graph.initializer.append(numpy_helper.from_array(array, name))
    return name
